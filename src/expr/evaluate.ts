/** Numbers for expressions: float64, every node once, at any depth. */
import type { Tensor } from '../tensor/tensor.ts'
import type { Sizes } from './dim.ts'
import { type Attrs, concreteAttrs, definition, type Expr } from './expr.ts'
import { concreteShape } from './shape.ts'
import { type Lookup, type Members, type Numbered, Table } from './table.ts'
import { inOrder } from './traverse.ts'

/** What expressions are evaluated with: numbers for the sizes, tensors for leaves (or for any expression that is to be held fixed). */
export interface Point {
  readonly sizes: Sizes
  readonly values: ReadonlyMap<Expr, Tensor>
  /** How large an unknown loss is, with all its derivatives; 1 unless it is said. */
  readonly amplitude?: number | undefined
  /** What is done to every value: rounding to fewer places, to see what it does. */
  readonly round?: ((value: Tensor) => Tensor) | undefined
}

/** What is done to a value once it is known: how it is rounded, or a node is perturbed. */
export type Change = (value: Tensor, expr: Expr) => Tensor

/** Called for each evaluated expression with its arguments' values, and its attributes with numbers for sizes. */
export type Observer = (expr: Expr, args: readonly Tensor[], attrs: Attrs) => void

/** The values of the roots and of all below them at a point, as far as they are not given. Composites are evaluated by their definition. */
export const evaluate = (roots: readonly Expr[], point: Point, observe?: Observer): Lookup<Tensor> =>
  pass(planned(ordered(roots, point.values), point), point.round, observe)

/** What is evaluated for the roots, arguments first, where some values are given: composites with what defines them. */
export const evaluated = (roots: readonly Expr[], given: Given): readonly Expr[] =>
  inOrder(roots, (expr) => (given.has(expr) ? nothing : inputsOf(expr)))

type Given = Pick<Point['values'], 'has'>

/** What is evaluated, and at which places stands what each is computed from: found out once for many points. */
export interface Order {
  readonly exprs: readonly Expr[]
  readonly placeOf: Lookup<number>
  readonly inputs: readonly (readonly number[])[]
}

export function ordered(roots: readonly Expr[], given: Given): Order {
  const exprs = evaluated(roots, given)
  const placeOf = new Table<number>()
  const inputs = exprs.map((expr, place) => {
    placeOf.set(expr, place)
    return given.has(expr) ? nowhere : inputsOf(expr).map((e) => placeOf.get(e)!)
  })
  return { exprs, placeOf, inputs }
}

/** What a pass does, arguments first: made once for passes that differ in how they change values. */
export interface Plan {
  readonly order: Order
  readonly actions: readonly Action[]
}

/** One expression of a pass. */
interface Action {
  readonly expr: Expr
  readonly place: number
  readonly inputs: readonly number[]
  /** Its value, where the point gives it. */
  readonly given: Tensor | undefined
  readonly attrs: Attrs
  readonly shape: readonly number[]
}

/** What is evaluated, at a point. */
export const planned = (order: Order, { values, sizes, amplitude }: Point): Plan => ({
  order,
  actions: order.exprs.map((expr, place) => {
    const given = values.get(expr)
    const isComputed = !given && expr.op.evaluate
    const attrs = !isComputed ? expr.attrs : expr.op.unknown === 'loss' && amplitude ? { amplitude } : concreteAttrs(expr.attrs, sizes)
    return { expr, place, inputs: order.inputs[place]!, given, attrs, shape: isComputed ? concreteShape(expr.shape, sizes) : noShape }
  }),
})

/** The part of a plan that the value of one expression needs; it comes last. */
export function planFor(root: Expr, { order, actions }: Plan): Plan {
  const isNeeded = new Uint8Array(order.exprs.length)
  isNeeded[order.placeOf.get(root)!] = 1
  const part: Action[] = []
  for (let i = actions.length - 1; i >= 0; i--) {
    const { place, given, inputs } = actions[i]!
    if (isNeeded[place] === 0) continue
    part.push(actions[i]!)
    if (given === undefined) for (const input of inputs) isNeeded[input] = 1
  }
  return { order, actions: part.reverse() }
}

/** The part of a plan for one root that does something else when some values are moved; all others are known. */
export function planBehind(moved: Members, { order, actions }: Plan, known: Lookup<Tensor>): Plan {
  const [isMoved, isBehind, isUsed] = [1, 2, 4]
  const marks = new Uint8Array(order.exprs.length)
  // what is asked for stays, even if nothing moves it
  for (const { place } of actions.slice(-1)) marks[place] = isUsed
  for (const { expr, place, given, inputs } of actions) {
    if (moved.has(expr)) marks[place]! |= isMoved
    if (given || !inputs.some((input) => (marks[input]! & (isMoved | isBehind)) > 0)) continue
    marks[place]! |= isBehind
    for (const input of inputs) marks[input]! |= isUsed
  }
  const fixed = ({ expr, place, inputs, attrs, shape }: Action): Action => ({ expr, place, inputs, given: known.get(expr)!, attrs, shape })
  const part = actions.flatMap((action) => {
    const mark = marks[action.place]!
    return mark & isBehind ? action : mark ? fixed(action) : []
  })
  return { order, actions: part }
}

/** One forward pass. */
export function pass({ order, actions }: Plan, change?: Change, observe?: Observer): Lookup<Tensor> {
  const values = new Array<Tensor>(order.exprs.length)
  for (let i = 0; i < actions.length; i++) values[actions[i]!.place] = resultOf(actions[i]!, values, change, observe)
  const get = (expr: Numbered): Tensor | undefined => values[order.placeOf.get(expr) ?? -1]
  return { get, has: (expr) => get(expr) !== undefined }
}

/** The last value of a pass. All others are forgotten after their last use: they die young, which is cheap. */
export function lastOf({ order, actions }: Plan, change?: Change, observe?: Observer): Tensor {
  const uses = new Int32Array(order.exprs.length)
  for (let i = 0; i < actions.length; i++) for (const input of actions[i]!.inputs) uses[input]!++
  const values = new Array<Tensor | undefined>(order.exprs.length)
  let last: Tensor | undefined
  for (let i = 0; i < actions.length; i++) {
    const { place, inputs } = actions[i]!
    values[place] = last = resultOf(actions[i]!, values, change, observe)
    for (let k = 0; k < inputs.length; k++) if (--uses[inputs[k]!]! === 0) values[inputs[k]!] = undefined
  }
  return last!
}

function resultOf(action: Action, values: readonly (Tensor | undefined)[], change?: Change, observe?: Observer): Tensor {
  const value = action.given ?? computed(action, values, observe)
  return change === undefined ? value : change(value, action.expr)
}

/** What the value of an expression is computed from. */
function inputsOf(expr: Expr): readonly Expr[] {
  if (expr.op.evaluate) return expr.args
  const expansion = definition(expr)
  return expansion ? [expansion] : expr.args
}

const nothing: readonly Expr[] = []
const nowhere: readonly number[] = []
const noShape: readonly number[] = []

function computed({ expr, inputs, attrs, shape }: Action, values: readonly (Tensor | undefined)[], observe: Observer | undefined): Tensor {
  if (!expr.op.evaluate) return values[inputs[0]!]!
  const args = new Array<Tensor>(inputs.length)
  for (let i = 0; i < args.length; i++) args[i] = values[inputs[i]!]!
  observe?.(expr, args, attrs)
  return expr.op.evaluate(args, attrs, shape)
}
