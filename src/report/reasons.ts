/** Why the error goes where it goes: the reasons of the operations in an equation. */
import type { Structure } from '../derive/structure.ts'
import type { Expr } from '../expr/expr.ts'
import type { Value } from '../network/network.ts'

/** What the operation at the top of an expression does to the error. */
export const reasonOf = (expr: Expr): string => expr.op.reason?.(expr) ?? expr.op.why

/** The reason of the whole equation. */
export function reasonAtTop({ expr }: Value, { varies }: Structure): string {
  const root = expr.args[0]!
  return root.visible.length > 0 && varies.has(root) ? reasonOf(root) : ''
}

/** One sentence for every kind of operation in the equation that joins branches, the outermost first. */
export function reasonsOf(value: Value, structure: Structure): string {
  const { parts } = structure.vertexAt.get(value)!
  let reasons: readonly string[] = []
  for (let i = parts.length - 1; i >= 0; i--) {
    if (!joinsBranches(parts[i]!, structure)) continue
    const reason = reasonOf(parts[i]!)
    if (!reasons.includes(reason)) reasons = [...reasons, reason]
  }
  return reasons.join('; ')
}

/** Whether the errors of several branches start at an operation, or that of one branch goes several ways inside it. */
function joinsBranches(expr: Expr, { active, varies }: Structure): boolean {
  const { visible, op } = expr
  if (visible.length > 0 && op.joins === true && varies.has(expr)) return true
  let branches = 0
  for (let i = 0; i < visible.length && branches < 2; i++) if (active.has(visible[i]!)) branches++
  return branches === 2
}
