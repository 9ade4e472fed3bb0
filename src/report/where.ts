/** Puts a `where` line beside the first formula that mentions a name which nothing in the report defines. */
import type { Derivation } from '../derive/derive.ts'
import type { Gradient } from '../derive/reverse.ts'
import type { Expr } from '../expr/expr.ts'
import { Table } from '../expr/table.ts'
import { inOrder } from '../expr/traverse.ts'
import type { Drafts } from './drafts.ts'
import type { Line, Section, Writer } from './lines.ts'

/** The sections with their `where` lines; a name is defined once, where it is first used. */
export function whereLines({ all, said }: Drafts, { gradients, names, network }: Derivation, writer: Writer): Section[] {
  const undefinedYet = new Table<Gradient | 'name' | 'defined'>()
  let left = 0
  const leave = (name: Expr, as: Gradient | 'name'): void => {
    if (said.has(name)) return
    undefinedYet.set(name, as)
    left++
  }
  for (const name of names) leave(name, 'name')
  gradients.forEach((g) => {
    if (!g.given && g.adjoint.op.atomic) leave(g.adjoint, g)
  })
  // an error that comes from the next step of a loop is told at this step's index
  const ahead = network.step?.ahead
  /** Adds the definitions of what a line mentions. */
  const define = ({ shows }: Line, where: Line[]): void => {
    if (left === 0) return
    const parts = inOrder(shows)
    for (let i = 0; i < parts.length; i++) {
      const mentioned = parts[i]!
      if (mentioned.visible.length > 0) continue
      const same = ahead?.get(mentioned)
      const name = same ? gradients.get(same)!.adjoint : mentioned
      const open = undefinedYet.get(name)
      if (!open || open === 'defined') continue
      undefinedYet.set(name, 'defined')
      left--
      for (const line of open === 'name' ? [writer.definition(name)] : writer.lines(open)) where.push(line)
    }
  }
  return all.map(({ kind, title, why, lines, steps }) => {
    const where: Line[] = []
    for (let i = 0; i < lines.length; i++) for (const line of lines[i]!.explains) where.push(line)
    const explained = where.length
    for (let i = 0; i < lines.length; i++) define(lines[i]!, where)
    // definitions mention names themselves
    for (let i = explained; i < where.length; i++) define(where[i]!, where)
    return { kind, title, why, lines, steps, where }
  })
}
