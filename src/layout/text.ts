/** Writes a layout as one line of Unicode text. */
import { type Derivative, type Layout, Level, parenthesised, row, within } from './layout.ts'

const superscripts: ReadonlyMap<string, string> = new Map(
  // no T: raised it would look like a transpose
  [...'0123456789+-−()abcdefghijklmnoprstuvwxyz, ᵀ′'].map((c, i) => [c, [...'⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ˒ ᵀ′'][i]!]),
)
const subscripts: ReadonlyMap<string, string> = new Map(
  [...'0123456789+-−=() aehijklmnoprstuvx'].map((c, i) => [c, [...'₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ'][i]!]),
)

/** The text in raised (or lowered) characters, or undefined where Unicode lacks one of them. */
function shifted(text: string, table: ReadonlyMap<string, string>): string | undefined {
  let marks = ''
  for (let i = 0; i < text.length; i++) {
    const mark = table.get(text[i]!)
    if (mark === undefined) return undefined
    marks += mark
  }
  return marks
}

export const lowered = (text: string): string | undefined => shifted(text, subscripts)

export const raisedText = (text: string): string | undefined => shifted(text, superscripts)

const raised = (text: string): string =>
  superscripts.get(text) ?? shifted(text, superscripts) ?? (/^\w+$/.test(text) ? `^${text}` : `^(${text})`)

/** The layout as text. An explicit stack, so that depth is no limit. */
export function toText(layout: Layout): string {
  if (layout.kind === 'symbol') return layout.text
  if (layout.kind === 'derivative') return layout.text ?? derivativeText(layout)
  let text = ''
  const bottom = todo.push(layout) - 1
  while (todo.length > bottom) {
    const next = todo.pop()!
    if (typeof next === 'string') text += next
    else if (next.kind === 'symbol') text += next.text
    else if (next.kind === 'derivative') text += next.text ?? derivativeText(next)
    else open(next)
  }
  return text
}

/** What is still to be written, the next piece last: above what is being written of one layout stand its marks. */
const todo: (Layout | string)[] = []

/** ∂L/∂v; a derivative stands hardly ever in another one. */
const derivativeText = (d: Derivative): string => (d.text = `∂${d.of ? toText(d.of) : ''}/∂${toText(d.by)}`)

/** Two slashes in a row would not tell which of them is the outer one: a quotient at the end gets parentheses. */
function closed(over: Layout): Layout {
  if (isQuotient(over)) return parenthesised(over)
  const last = over.kind === 'row' ? over.parts.at(-1) : undefined
  return over.kind === 'row' && last && isQuotient(last) ? row(over.level, over.parts.with(-1, parenthesised(last))) : over
}

const isQuotient = ({ kind }: Layout): boolean => kind === 'fraction' || kind === 'derivative'

/** Puts what a layout is made of on the stack, the last piece first. */
function open(layout: Exclude<Layout, { kind: 'symbol' | 'derivative' }>): void {
  switch (layout.kind) {
    case 'row': {
      const last = layout.parts.length - 1
      for (let i = last; i >= 0; i--) {
        const part = layout.parts[i]!
        // what follows would seem to stand under the slash
        todo.push(part.kind === 'fraction' && layout.level === Level.product && i < last ? parenthesised(part) : part)
      }
      return
    }
    case 'fraction':
      todo.push(within(Level.factor, layout.under), '/', closed(within(Level.product, layout.over)))
      return
    case 'superscript':
      todo.push(raised(toText(layout.mark)), layout.base)
      return
    case 'subscript': {
      const mark = toText(layout.mark)
      todo.push(lowered(mark) ?? (mark.includes(' ') ? `_(${mark})` : `_${mark}`), layout.base)
      return
    }
    case 'root':
      todo.push(within(Level.atom, layout.body), '√')
      return
    case 'fence':
      todo.push(layout.close, layout.body, layout.open)
      return
    case 'big': {
      const below = toText(layout.below)
      todo.push(layout.body, ' ', layout.above ? raised(toText(layout.above)) : '', lowered(below) ?? `_(${below})`, layout.sign)
    }
  }
}
