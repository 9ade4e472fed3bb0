/** Puts a `where` line beside the first formula that mentions a name which nothing in the report defines. */
import type { Derivation } from '../derive/derive.ts'
import type { Gradient } from '../derive/reverse.ts'
import { type Expr, inOrder } from '../expr/expr.ts'
import { Table } from '../expr/table.ts'
import type { Line, Section, Writer } from './lines.ts'

/** The sections with their `where` lines; a name is defined once, where it is first used. */
export function whereLines(
  drafts: readonly Omit<Section, 'where'>[],
  { gradients, names, network }: Derivation,
  writer: Writer,
): Section[] {
  const undefinedYet = new Table<Gradient | 'name' | 'defined'>()
  for (const name of names) undefinedYet.set(name, 'name')
  for (const g of gradients.values()) if (!g.given && g.adjoint.op.atomic) undefinedYet.set(g.adjoint, g)
  for (const { lines } of drafts) for (const { defines } of lines) if (defines) undefinedYet.set(defines, 'defined')
  // an error that comes from the next step of a loop is told at this step's index
  const told = (name: Expr): Expr => {
    const same = network.step?.ahead.get(name)
    return same ? gradients.get(same)!.adjoint : name
  }
  return drafts.map((draft) => {
    const where: Line[] = []
    let open: Expr[] = []
    for (const { explains, shows } of draft.lines) {
      for (const line of explains) where.push(line)
      for (const expr of shows) open.push(expr)
    }
    while (open.length > 0) {
      const shown: Expr[] = []
      const parts = inOrder(open)
      for (let i = 0; i < parts.length; i++) {
        const mentioned = parts[i]!
        if (!mentioned.op.atomic && !mentioned.op.fresh) continue
        const name = told(mentioned)
        const found = undefinedYet.get(name)
        if (!found || found === 'defined') continue
        undefinedYet.set(name, 'defined')
        for (const line of found === 'name' ? [writer.definition(name)] : writer.lines(found)) {
          where.push(line)
          for (const expr of line.shows) shown.push(expr)
        }
      }
      open = shown
    }
    return { kind: draft.kind, title: draft.title, why: draft.why, lines: draft.lines, where }
  })
}
