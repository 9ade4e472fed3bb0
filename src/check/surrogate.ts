/** What differences are taken of where a gradient is by definition not the derivative: the linear map that a function claims, or a constant. */

import { evaluate, type Point } from '../expr/evaluate.ts'
import { type Expr, inOrder, withArgs } from '../expr/expr.ts'
import { nameLayout } from '../layout/names.ts'
import { add, subtract } from '../ops/arithmetic.ts'
import { named, variable } from '../ops/leaves.ts'
import { pullback } from '../ops/pullback.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** A network with stand-ins for some of its functions, near one point. */
export interface Surrogate {
  readonly loss: Expr
  /** What stands for an expression of the network. */
  at(expr: Expr): Expr
  /** Values at the point that the stand-ins were made for. */
  readonly held: ReadonlyMap<Expr, Tensor>
}

/**
 * The loss with f(x₀) + J (x − x₀) for every function f that declares its gradient, where Jᵀ is what it declares, at the
 * point x₀; and with constants for what is stopped.
 */
export function surrogateOf(loss: Expr, point: Point): Surrogate {
  const order = inOrder([loss])
  const known = evaluate([loss, ...order.flatMap((e) => (e.op.surrogate ? [e, ...e.args] : []))], point)
  const held = new Map<Expr, Tensor>([...known].filter(([expr]) => expr.op.frozen))
  const hold = (expr: Expr): Expr => {
    const leaf = variable(expr.op.name, expr.shape, nameLayout('x'))
    held.set(leaf, known.get(expr)!)
    return leaf
  }
  const standIns = new Map<Expr, Expr>()
  const at = (expr: Expr): Expr => standIns.get(expr) ?? expr
  for (const expr of order) {
    const args = expr.args.map(at)
    const standIn = expr.op.surrogate ? linearised(expr, args, hold) : withArgs(expr, args)
    if (standIn === expr) continue
    standIns.set(expr, standIn)
    if (expr.op.frozen) held.set(standIn, known.get(expr)!)
  }
  return { loss: at(loss), at, held }
}

/** f(x₀) + Σ Jᵢ (xᵢ − xᵢ₀) */
function linearised(expr: Expr, args: readonly Expr[], hold: (expr: Expr) => Expr): Expr {
  const point = expr.args.map(hold)
  const maps = claimedMaps(expr, point, (x0, i) => subtract(args[i]!, x0))
  return add([hold(expr), ...maps.flatMap(({ forth }) => forth ?? [])])
}

/** Jᵢ vᵢ, of which the function declares the transpose: what it sends back for u is linear in u, so its own pullback is J. */
const claimedMaps = (expr: Expr, args: readonly Expr[], moved: (arg: Expr, i: number) => Expr): { u: Expr; forth: Expr | undefined }[] => {
  const u = variable('u', expr.shape, nameLayout('u'))
  return expr.op.vjp!(args, u, expr.attrs, expr).map((back, i) => ({
    u,
    forth: back ? pullback(named('back', nameLayout('u'), back), moved(args[i]!, i), new Set([u])).get(u) : undefined,
  }))
}

/** Whether what a function sends back is linear in the error: a clipped error is not, so no map stands for it. */
export const isLinear = (expr: Expr): boolean =>
  claimedMaps(expr, expr.args, (arg) => variable('v', arg.shape, nameLayout('v'))).every(
    ({ u, forth }) => forth === undefined || !inOrder([forth]).includes(u),
  )
