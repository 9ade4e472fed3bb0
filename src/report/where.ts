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
  /** The definitions of what these lines mention. */
  const definitionsFor = (lines: readonly Line[]): readonly Line[] => {
    const found: Line[] = []
    const parts = inOrder(shownIn(lines))
    for (let i = 0; i < parts.length; i++) {
      const mentioned = parts[i]!
      if (mentioned.visible.length > 0) continue
      const same = ahead?.get(mentioned)
      const name = same ? gradients.get(same)!.adjoint : mentioned
      const open = undefinedYet.get(name)
      if (!open || open === 'defined') continue
      undefinedYet.set(name, 'defined')
      for (const line of open === 'name' ? [writer.definition(name)] : writer.lines(open)) found.push(line)
    }
    return found
  }
  return all.map(({ kind, title, why, lines }) => {
    const where: Line[] = []
    for (const { explains } of lines) for (const line of explains) where.push(line)
    for (let more = definitionsFor(lines); more.length > 0; more = definitionsFor(more)) for (const line of more) where.push(line)
    return { kind, title, why, lines, where }
  })
}

/** The formulas in lines; most sections have one line. */
const shownIn = (lines: readonly Line[]): readonly Expr[] => (lines.length === 1 ? lines[0]!.shows : lines.flatMap(({ shows }) => shows))
