/** Puts a `where` line beside the first formula that mentions a name which nothing in the report defines. */
import type { Derivation } from '../derive/derive.ts'
import { type Expr, inOrder, visibleArgs } from '../expr/expr.ts'
import type { Line, Section, Writer } from './lines.ts'

/** The sections with their `where` lines; a name is defined once, where it is first used. */
export function whereLines(drafts: readonly Omit<Section, 'where'>[], { gradients, names }: Derivation, writer: Writer): Section[] {
  const definable = new Map<Expr, () => Line>(names.map((name) => [name, () => writer.definition(name)]))
  for (const g of gradients.values()) if (!g.given && g.adjoint.op.atomic) definable.set(g.adjoint, () => writer.gradient(g))
  const defined = new Set<Expr>(drafts.flatMap((s) => s.lines.flatMap((l) => (l.defines ? [l.defines] : []))))
  return drafts.map((draft) => {
    const where: Line[] = draft.lines.flatMap((l) => l.explains ?? [])
    let open = draft.lines.flatMap((l) => l.shows)
    while (open.length > 0) {
      const lines = inReadingOrder(open)
        .filter((e) => definable.has(e) && !defined.has(e))
        .map((e) => {
          defined.add(e)
          return definable.get(e)!()
        })
      for (const line of lines) where.push(line)
      open = lines.flatMap((l) => l.shows)
    }
    return { ...draft, where }
  })
}

const inReadingOrder = (formulas: readonly Expr[]): Expr[] => inOrder(formulas, visibleArgs).filter((e) => e.op.atomic)
