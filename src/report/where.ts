/** Puts a `where` line beside the first formula that mentions a name which nothing in the report defines. */
import type { Derivation } from '../derive/derive.ts'
import type { Gradient } from '../derive/reverse.ts'
import { type Expr, inOrder } from '../expr/expr.ts'
import { Table } from '../expr/table.ts'
import type { Drafts } from './drafts.ts'
import type { Line, Section, Writer } from './lines.ts'

/** The sections with their `where` lines; a name is defined once, where it is first used. */
export function whereLines({ all, said }: Drafts, { gradients, names, network }: Derivation, writer: Writer): Section[] {
  const undefinedYet = new Table<Gradient | 'name' | 'defined'>()
  for (const name of names) if (!said.has(name)) undefinedYet.set(name, 'name')
  for (const g of gradients.values()) if (!g.given && g.adjoint.op.atomic && !said.has(g.adjoint)) undefinedYet.set(g.adjoint, g)
  // an error that comes from the next step of a loop is told at this step's index
  const ahead = network.step?.ahead
  const told = (name: Expr): Expr => {
    const same = ahead?.get(name)
    return same ? gradients.get(same)!.adjoint : name
  }
  /** The definitions of what these lines mention. */
  const definitionsFor = (lines: readonly Line[]): readonly Line[] => {
    const found: Line[] = []
    for (const mentioned of inOrder(lines.flatMap(showsOf))) {
      if (mentioned.visible.length > 0) continue
      const name = told(mentioned)
      const open = undefinedYet.get(name)
      if (!open || open === 'defined') continue
      undefinedYet.set(name, 'defined')
      found.push(...(open === 'name' ? [writer.definition(name)] : writer.lines(open)))
    }
    return found
  }
  return all.map(({ kind, title, why, lines }) => {
    const where = lines.flatMap(explainsOf)
    for (let more = definitionsFor(lines); more.length > 0; more = definitionsFor(more)) where.push(...more)
    return { kind, title, why, lines, where }
  })
}

const showsOf = ({ shows }: Line): readonly Expr[] => shows
const explainsOf = ({ explains }: Line): readonly Line[] => explains
