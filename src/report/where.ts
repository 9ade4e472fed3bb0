/** Puts a `where` line beside the first formula that mentions a name which nothing in the report defines. */
import type { Derivation } from '../derive/derive.ts'
import type { Gradient } from '../derive/reverse.ts'
import { type Expr, inOrder, visibleArgs } from '../expr/expr.ts'
import type { Line, Section, Writer } from './lines.ts'

/** The sections with their `where` lines; a name is defined once, where it is first used. */
export function whereLines(drafts: readonly Omit<Section, 'where'>[], { gradients, names }: Derivation, writer: Writer): Section[] {
  const lineOf = new Map<Expr, Gradient | undefined>(names.map((name) => [name, undefined]))
  for (const g of gradients.values()) if (!g.given && g.adjoint.op.atomic) lineOf.set(g.adjoint, g)
  for (const { lines } of drafts) for (const { defines } of lines) if (defines) lineOf.delete(defines)
  return drafts.map((draft) => {
    const where: Line[] = draft.lines.flatMap((l) => l.explains ?? [])
    let open = draft.lines.flatMap((l) => l.shows)
    while (open.length > 0) {
      const lines: Line[] = []
      for (const name of inOrder(open, visibleArgs)) {
        if (!lineOf.has(name)) continue
        const g = lineOf.get(name)
        lineOf.delete(name)
        lines.push(g ? writer.gradient(g) : writer.definition(name))
      }
      for (const line of lines) where.push(line)
      open = lines.flatMap((l) => l.shows)
    }
    return { ...draft, where }
  })
}
