/** Why the error goes where it goes: the reasons of the operations in an equation. */
import type { Structure } from '../derive/structure.ts'
import type { Expr } from '../expr/expr.ts'
import type { Members } from '../expr/table.ts'
import type { Value } from '../network/network.ts'

/** What the operation at the top of an expression does to the error. */
export const reasonOf = (expr: Expr): string => expr.op.reason?.(expr) ?? expr.op.why

/** Whether the error of one branch goes several ways inside an operation. */
const isTold = (expr: Expr, varies: Members): boolean => expr.op.joins === true && varies.has(expr)

/** One sentence for every kind of operation in the equation that joins branches, the outermost first. */
export function reasonsOf(value: Value, { active, varies, vertexAt }: Structure, which: 'merges' | 'all'): string {
  const root = value.expr.args[0]!
  const isAsked = (e: Expr): boolean =>
    which === 'all' ? e === root && varies.has(e) : e.args.filter((a) => active.has(a)).length > 1 || isTold(e, varies)
  const joins = vertexAt.get(value)!.parts.filter((e) => e.visible.length > 0 && isAsked(e))
  return [...new Set(joins.reverse().map(reasonOf))].join('; ')
}
