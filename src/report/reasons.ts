/** Why the error goes where it goes: the reasons of the operations in an equation. */
import type { Structure } from '../derive/reverse.ts'
import { type Expr, inOrder, visibleArgs } from '../expr/expr.ts'
import type { Value } from '../network/network.ts'

/** What the operation at the top of an expression does to the error. */
export const reasonOf = (expr: Expr): string => expr.op.reason?.(expr) ?? expr.op.why

/** Whether the error of one branch goes several ways inside an operation. */
const isTold = (expr: Expr, varies: ReadonlySet<Expr>): boolean => expr.op.joins === true && varies.has(expr)

/** Whether an equation has an operation with several paths inside. */
export const hasPathsInside = (value: Value, { varies }: Structure): boolean =>
  inOrder([value.expr.args[0]!], visibleArgs).some((e) => isTold(e, varies))

/** One sentence for every kind of operation in the equation that joins branches, the outermost first. */
export function reasonsOf(value: Value, { active, varies }: Structure, which: 'merges' | 'all'): string {
  const root = value.expr.args[0]!
  const joins = inOrder([root], visibleArgs)
    .filter(
      (e) =>
        visibleArgs(e).length > 0 &&
        (which === 'all' ? e === root && varies.has(e) : e.args.filter((a) => active.has(a)).length > 1 || isTold(e, varies)),
    )
    .reverse()
  return [...new Set(joins.map(reasonOf))].join('; ')
}
