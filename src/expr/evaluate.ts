/** Numbers for expressions: float64, every node once, at any depth. */
import type { Tensor } from '../tensor/tensor.ts'
import type { Sizes } from './dim.ts'
import { type Attrs, concreteAttrs, definition, type Expr, inOrder } from './expr.ts'
import { concreteShape } from './shape.ts'
import { type Lookup, type Members, Table } from './table.ts'

/** What expressions are evaluated with: numbers for the sizes, tensors for leaves (or for any expression that is to be held fixed). */
export interface Point {
  readonly sizes: Sizes
  readonly values: ReadonlyMap<Expr, Tensor>
  /** What is done to every value: rounding to fewer places, to see what it does. */
  readonly round?: ((value: Tensor) => Tensor) | undefined
}

/** What is done to a value once it is known: how it is rounded, or a node is perturbed. */
export type Change = (value: Tensor, expr: Expr) => Tensor

/** Called for each evaluated expression with its arguments' values, and its attributes with numbers for sizes. */
export type Observer = (expr: Expr, args: readonly Tensor[], attrs: Attrs) => void

/** The values of the roots and of all below them at a point, as far as they are not given. Composites are evaluated by their definition. */
export const evaluate = (roots: readonly Expr[], point: Point, observe?: Observer): Lookup<Tensor> =>
  pass(planned(evaluated(roots, point.values), point), point.round, observe)

/** What a pass does, arguments first: made once for passes that differ in how they change values. */
export type Plan = readonly Action[]

/** One expression of a pass. */
interface Action {
  readonly expr: Expr
  /** Its value, where the point gives it. */
  readonly given: Tensor | undefined
  readonly attrs: Attrs
  readonly shape: readonly number[]
}

/** What is evaluated, at a point. */
export const planned = (order: readonly Expr[], { values, sizes }: Point): Plan =>
  order.map((expr) => {
    const given = values.get(expr)
    return given || !expr.op.evaluate
      ? { expr, given, attrs: expr.attrs, shape: noShape }
      : { expr, given, attrs: concreteAttrs(expr.attrs, sizes), shape: concreteShape(expr.shape, sizes) }
  })

/** The part of a plan that the value of one expression needs; it comes last. */
export function planFor(root: Expr, plan: Plan): Plan {
  const needed = new Table<true>()
  needed.set(root, true)
  const part: Action[] = []
  for (let i = plan.length - 1; i >= 0; i--) {
    const action = plan[i]!
    if (!needed.has(action.expr)) continue
    part.push(action)
    if (action.given === undefined) for (const e of inputsOf(action.expr)) needed.set(e, true)
  }
  return part.reverse()
}

/** The part of a plan for one root that does something else when some values are moved; all others are known. */
export function planBehind(moved: Members, plan: Plan, known: Lookup<Tensor>): Plan {
  const [behind, used] = [new Table<true>(), new Table<true>()]
  // what is asked for stays, even if nothing moves it
  for (const { expr } of plan.slice(-1)) used.set(expr, true)
  for (const { expr, given } of plan) {
    const inputs = given ? nothing : inputsOf(expr)
    if (!inputs.some((e) => moved.has(e) || behind.has(e))) continue
    behind.set(expr, true)
    for (const e of inputs) used.set(e, true)
  }
  const fixed = ({ expr, attrs, shape }: Action): Action => ({ expr, given: known.get(expr)!, attrs, shape })
  return plan.flatMap((action) => (behind.has(action.expr) ? action : used.has(action.expr) || moved.has(action.expr) ? fixed(action) : []))
}

/** One forward pass. */
export function pass(plan: Plan, change?: Change, observe?: Observer): Lookup<Tensor> {
  const values = new Table<Tensor>()
  for (let i = 0; i < plan.length; i++) {
    const action = plan[i]!
    const { expr } = action
    const value = action.given ?? computed(action, values, observe)
    values.set(expr, change === undefined ? value : change(value, expr))
  }
  return values
}

/** What is evaluated for the roots, arguments first, where some values are given: composites with what defines them. */
export const evaluated = (roots: readonly Expr[], given: Point['values']): readonly Expr[] =>
  inOrder(roots, (expr) => (given.has(expr) ? nothing : inputsOf(expr)))

/** What the value of an expression is computed from. */
function inputsOf(expr: Expr): readonly Expr[] {
  if (expr.op.evaluate) return expr.args
  const expansion = definition(expr)
  return expansion ? [expansion] : expr.args
}

const nothing: readonly Expr[] = []
const noShape: readonly number[] = []

function computed({ expr, attrs, shape }: Action, values: Lookup<Tensor>, observe: Observer | undefined): Tensor {
  if (!expr.op.evaluate) return values.get(definition(expr)!)!
  const args = new Array<Tensor>(expr.args.length)
  for (let i = 0; i < args.length; i++) args[i] = values.get(expr.args[i]!)!
  observe?.(expr, args, attrs)
  return expr.op.evaluate(args, attrs, shape)
}
