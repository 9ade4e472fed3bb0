/** Settings that a notation leaves out although they are not the usual ones: they are written behind the arguments. */
import { type Dim, dimLayout, isSymbolic } from '../expr/dim.ts'
import type { Attr, Attrs, Expr } from '../expr/expr.ts'
import { bracketed, type Layout, Level, row, symbol, withArguments, word } from '../layout/layout.ts'
import { numberLayout } from '../layout/names.ts'
import type { Attribute, Attributes } from './attributes.ts'

type Notation = (args: readonly Layout[], attrs: Attrs, expr: Expr) => Layout

/** The notation, which tells all settings that matter: those that it does not ask for itself follow as name=value. */
export function tellingAll(notation: Notation, attributes: Attributes): Notation {
  const names = Object.keys(attributes).filter((name) => {
    const { initial, silent, told } = attributes[name]!
    return initial !== undefined && !silent && !told
  })
  if (names.length === 0) return notation
  return (args, attrs, expr) => {
    const unusual = names.filter((name) => isUnusual(name, attrs[name]!, attributes[name] as Attribute<never>, expr))
    if (unusual.length === 0) return notation(args, attrs, expr)
    const asked = new Set<string | symbol>()
    const layout = notation(args, watching(attrs, asked), expr)
    return withArguments(
      layout,
      unusual.filter((name) => !asked.has(name)).map((name) => setting(name, attrs[name]!)),
    )
  }
}

/** The settings, noting which ones are asked for. */
const watching = (attrs: Attrs, asked: Set<string | symbol>): Attrs =>
  new Proxy(attrs, {
    get(of, name) {
      asked.add(name)
      return Reflect.get(of, name)
    },
  })

function isUnusual(name: string, value: Attr, { initial, read }: Attribute<never>, { args, attrs }: Expr): boolean {
  if (!(name in attrs)) return false
  const shapes = args.map((a) => a.shape)
  const usual = shapes.length > 0 ? read(initial!, shapes) : initial
  return JSON.stringify(usual) !== JSON.stringify(value)
}

const setting = (name: string, value: Attr): Layout =>
  row(Level.relation, [symbol(`${name}=`, `\\text{${name.replaceAll('_', '\\_')}}=`), valueLayout(value)])

function valueLayout(value: Attr): Layout {
  if (typeof value === 'number') return numberLayout(value)
  if (typeof value === 'string') return symbol(`"${value}"`, `\\text{"${value}"}`)
  if (typeof value === 'boolean') return word(value ? 'True' : 'False')
  if (Array.isArray(value)) return listLayout(value)
  return isSymbolic(value) ? dimLayout(value as Dim) : word('None')
}

/** One value for all axes where they share it, as calls may say it. */
function listLayout(values: readonly Attr[]): Layout {
  const [first] = values
  const isShared = values.length > 0 && values.every((v) => v === first)
  return isShared ? valueLayout(first!) : bracketed(values.map(valueLayout))
}
