/** What differences are taken of where a gradient is by definition not the derivative: the linear map that a function claims, or a constant. */

import { evaluate, evaluated, type Point } from '../expr/evaluate.ts'
import { definition, type Expr, withArgs } from '../expr/expr.ts'
import { shapeText } from '../expr/shape.ts'
import { argsOf, inOrder } from '../expr/traverse.ts'
import { nameLayout } from '../layout/names.ts'
import type { Network } from '../network/network.ts'
import { add, subtract } from '../ops/arithmetic.ts'
import { fill, named, variable } from '../ops/leaves.ts'
import { pullback } from '../ops/pullback.ts'
import { randomFrom } from '../tensor/random.ts'
import { inner, norm, type Tensor } from '../tensor/tensor.ts'
import { drawPoint, drawValue } from './draw.ts'

/** A network with stand-ins for some of its functions, near one point. */
export interface Surrogate {
  readonly loss: Expr
  /** What stands for an expression of the network. */
  at(expr: Expr): Expr
  /** Values at the point that the stand-ins were made for. */
  readonly held: ReadonlyMap<Expr, Tensor>
}

/** The functions of a network that declare their gradients. */
export interface Declared {
  /** What they send back is linear in the error: calls by the function's name. */
  readonly maps: ReadonlyMap<string, readonly Expr[]>
  /** Calls of those that clip the error, take its sign, or send back something else: no map stands for them. */
  readonly others: readonly Expr[]
  /** What is stopped by its name: its gradient is by definition not its derivative. */
  readonly stopped: ReadonlySet<string>
  /** Something is stopped, perhaps inside an operation. */
  readonly isStopped: boolean
}

export function declaredIn(network: Network, seed: number): Declared {
  const order = inOrder([network.loss.expr], argsOf)
  const calls = order.filter((e) => e.op.surrogate)
  const stopped = new Set(order.flatMap((e) => (e.op.frozen ? [e.op.name] : [])))
  const isStopped = stopped.size > 0 || insideOf(order).some((e) => e.op.frozen)
  if (calls.length === 0) return { maps: new Map(), others: [], stopped, isStopped }
  const point = drawPoint(network, seed, 0, 1)
  const isLinear = new Map<string, boolean>()
  const maps = new Map<string, Expr[]>()
  const others: Expr[] = []
  for (const call of calls) {
    const { name } = call.op
    const key = [name, ...call.args.map((a) => shapeText(a.shape))].join(' ')
    if (!isLinear.has(key)) isLinear.set(key, sendsBackLinearly(call, point, seed))
    if (isLinear.get(key)) maps.set(name, [...(maps.get(name) ?? []), call])
    else others.push(call)
  }
  return { maps, others, stopped, isStopped }
}

/** What composites among expressions are evaluated by, beside those expressions. */
function insideOf(exprs: readonly Expr[]): readonly Expr[] {
  const definitions = exprs.flatMap((e) => (e.op.evaluate ? [] : (definition(e) ?? [])))
  return definitions.length === 0 ? [] : evaluated(definitions, new Set(exprs))
}

/**
 * The loss with f(x₀) + J (x − x₀) for every function f that declares a linear gradient, where Jᵀ is what it declares, at
 * the point x₀; and with constants for what is stopped.
 */
export function surrogateOf(loss: Expr, point: Point, { maps, isStopped }: Declared): Surrogate {
  if (maps.size === 0 && !isStopped) return { loss, at: (expr) => expr, held: new Map() }
  const linear = new Set([...maps.values()].flat())
  // a function's value need not use all that its gradient goes to
  const roots = [loss, ...[...linear].flatMap((e) => [e, ...e.args])]
  const frozen = evaluated(roots, point.values).filter((expr) => expr.op.frozen)
  const known = evaluate(roots, point)
  const held = new Map<Expr, Tensor>(frozen.map((expr) => [expr, known.get(expr)!]))
  const hold = (expr: Expr): Expr => {
    const leaf = variable(expr.op.name, expr.shape, nameLayout('x'))
    held.set(leaf, known.get(expr)!)
    return leaf
  }
  const standIns = new Map<Expr, Expr>()
  const at = (expr: Expr): Expr => standIns.get(expr) ?? expr
  for (const expr of inOrder([loss], argsOf)) {
    const args = expr.args.map(at)
    const standIn = linear.has(expr) ? linearised(expr, args, hold) : withArgs(expr, args)
    if (standIn === expr) continue
    standIns.set(expr, standIn)
    if (expr.op.frozen) held.set(standIn, known.get(expr)!)
  }
  return { loss: at(loss), at, held }
}

/** f(x₀) + Σ Jᵢ (xᵢ − xᵢ₀) */
function linearised(expr: Expr, args: readonly Expr[], hold: (expr: Expr) => Expr): Expr {
  const point = expr.args.map(hold)
  const u = variable('u', expr.shape, nameLayout('u'))
  const maps = sentBack(expr, point, u).flatMap((back, i) => (back ? (pushed(back, u, subtract(args[i]!, point[i]!)) ?? []) : []))
  return add([hold(expr), ...maps])
}

const sentBack = (expr: Expr, args: readonly Expr[], u: Expr): readonly (Expr | null)[] => expr.op.vjp!(args, u, expr.attrs, expr)

/** J v, of which the function declares the transpose: what it sends back for u is linear in u, so its own pullback is J. */
const pushed = (back: Expr, u: Expr, v: Expr): Expr | undefined => pullback(named('back', nameLayout('u'), back), v, new Set([u])).get(u)

/** Errors of several sizes: some are clipped, some are not. */
const sizesOfErrors = [0.01, 1, 100]

/** Whether what a function sends back is linear in the error: ⟨Jᵀu, v⟩ = ⟨u, Jv⟩ for a map J that does not depend on u. */
function sendsBackLinearly(expr: Expr, { sizes, values }: Point, seed: number): boolean {
  const leaf = (name: string, { shape }: Expr): Expr => variable(name, shape, nameLayout(name))
  const u = leaf('u', expr)
  // away from zero, where most functions have a derivative
  const args = expr.args.map((a) => variable('x', a.shape, nameLayout('x'), { kind: 'positive' }))
  const random = randomFrom(seed, 'linear')
  return sentBack(expr, args, u).every((back, i) => {
    if (!back) return true
    const v = leaf('v', expr.args[i]!)
    const forth = pushed(back, u, v) ?? fill(0, u.shape)
    if (inOrder([forth], argsOf).includes(u)) return false
    return sizesOfErrors.every((size) => {
      const drawn = [...args, v].map((e) => [e, drawValue(e, sizes, random, 1)] as const)
      const given = new Map([...values, ...drawn, [u, drawValue(u, sizes, random, size)]])
      const found = evaluate([back, forth, u, v], { sizes, values: given })
      const [sent, error] = [found.get(back)!, found.get(u)!]
      const gap = Math.abs(inner(sent, found.get(v)!) - inner(error, found.get(forth)!))
      return !(gap > 1e-9 * (norm(sent) * norm(found.get(v)!) + norm(error) * norm(found.get(forth)!)))
    })
  })
}
