/** Numbers for expressions: float64, every node once, at any depth. */
import { type Tensor, zip } from '../tensor/tensor.ts'
import type { Sizes } from './dim.ts'
import { type Attrs, concreteAttrs, definition, type Expr, inOrder } from './expr.ts'
import { concreteShape } from './shape.ts'
import { type Lookup, Table } from './table.ts'

/** What expressions are evaluated with: numbers for the sizes, tensors for leaves (or for any expression that is to be held fixed). */
export interface Point {
  readonly sizes: Sizes
  readonly values: ReadonlyMap<Expr, Tensor>
  /** What is added to the value of an expression once it is known: how a node is perturbed. */
  readonly nudges?: ReadonlyMap<Expr, Tensor>
  /** What is done to every value: rounding to fewer places, to see what it does. */
  readonly round?: ((value: Tensor) => Tensor) | undefined
}

/** Called for each evaluated expression with its arguments' values, and its attributes with numbers for sizes. */
export type Observer = (expr: Expr, args: readonly Tensor[], attrs: Attrs) => void

/** The values of the roots and of all below them at a point, as far as they are not given. Composites are evaluated by their definition. */
export function evaluate(roots: readonly Expr[], point: Point, observe?: Observer): Lookup<Tensor> {
  const { values: given, nudges, round } = point
  const values = new Table<Tensor>()
  for (const expr of evaluated(roots, given)) {
    const exact = given.get(expr) ?? computed(expr, values, point, observe)
    const value = round ? round(exact) : exact
    const nudge = nudges?.get(expr)
    values.set(expr, nudge ? zip(value, nudge, (a, b) => a + b) : value)
  }
  return values
}

/** What is evaluated for the roots, arguments first, where some values are given: composites with what defines them. */
export const evaluated = (roots: readonly Expr[], given: Point['values']): readonly Expr[] =>
  inOrder(roots, (expr) => {
    if (given.has(expr)) return nothing
    if (expr.op.evaluate) return expr.args
    const expansion = definition(expr)
    return expansion ? [expansion] : expr.args
  })

const nothing: readonly Expr[] = []

function computed(expr: Expr, values: Lookup<Tensor>, { sizes }: Point, observe: Observer | undefined): Tensor {
  if (!expr.op.evaluate) return values.get(definition(expr)!)!
  const args = expr.args.map((a) => values.get(a)!)
  const attrs = concreteAttrs(expr.attrs, sizes)
  observe?.(expr, args, attrs)
  const shape = concreteShape(expr.shape, sizes)
  return expr.op.evaluate(args, attrs, shape)
}
