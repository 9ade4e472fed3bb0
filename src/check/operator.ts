/** Jacobians as linear maps: built from ∂A/∂B, matrices and I, transposed, added and composed, and applied to tensors. */
import type { Structure } from '../derive/structure.ts'
import { fail } from '../diagnostic.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, sameShape, shapeText } from '../expr/shape.ts'
import { argsOf, inOrder } from '../expr/traverse.ts'
import { nameLayout } from '../layout/names.ts'
import { add, multiply } from '../ops/arithmetic.ts'
import { fill, named, variable } from '../ops/leaves.ts'
import { matvec } from '../ops/linear.ts'
import { T } from '../ops/movement.ts'
import { pullback } from '../ops/pullback.ts'

/** A linear map from tensors of one shape to tensors of another; the identity and zero fit any shape. */
export type Operator =
  | { readonly kind: 'jacobian'; readonly of: Expr; readonly by: Expr }
  | { readonly kind: 'matrix'; readonly matrix: Expr }
  | { readonly kind: 'identity' }
  | { readonly kind: 'sum'; readonly terms: readonly Operator[] }
  | { readonly kind: 'scaled'; readonly factor: Expr; readonly of: Operator }
  | { readonly kind: 'product'; readonly left: Operator; readonly right: Operator }
  | { readonly kind: 'transposed'; readonly of: Operator }

/** What it gives is a 0 that fits any shape. */
export const zero: Operator = { kind: 'sum', terms: [] }

export const isOperator = (value: Expr | Operator): value is Operator => 'kind' in value

/** The shapes of result and argument; undefined where an identity leaves them open. */
export function shapesOf(operator: Operator): readonly [out: Shape | undefined, into: Shape | undefined] {
  switch (operator.kind) {
    case 'jacobian':
      return [operator.of.shape, operator.by.shape]
    case 'matrix':
      return [[operator.matrix.shape[0]!], [operator.matrix.shape[1]!]]
    case 'identity':
      return [undefined, undefined]
    case 'scaled':
      return shapesOf(operator.of)
    case 'transposed': {
      const [out, into] = shapesOf(operator.of)
      return [into, out]
    }
    case 'product': {
      const [left, right] = [shapesOf(operator.left), shapesOf(operator.right)]
      if (left[1] && right[0]) requireSame(left[1], right[0], 'operators do not compose')
      return [left[0] ?? right[0], right[1] ?? left[1]]
    }
    case 'sum': {
      const shapes = operator.terms.filter((term) => term !== zero).map(shapesOf)
      const [first] = shapes.filter(([out]) => out)
      for (const [out, into] of shapes) {
        if (out) requireSame(out, first![0]!, 'operators do not add')
        if (into) requireSame(into, first![1]!, 'operators do not add')
      }
      const square = shapes.some(([out]) => !out) && first
      if (square) requireSame(first[0]!, first[1]!, 'I is square, so it does not add to this operator')
      return first ?? [undefined, undefined]
    }
  }
}

function requireSame(a: Shape, b: Shape, what: string): void {
  if (!sameShape(a, b)) fail('shapes', { what, detail: `${shapeText(a)} and ${shapeText(b)}` })
}

/** The operator, or its transpose, applied to a tensor. */
export function applied(operator: Operator, x: Expr, transposed: boolean, structure: Structure): Expr {
  const of = (inner: Operator, v: Expr, t = transposed): Expr => applied(inner, v, t, structure)
  const [out, into] = shapesOf(operator)
  const expected = transposed ? out : into
  if (expected) requireSame(expected, x.shape, 'an operator is applied to the wrong shape')
  switch (operator.kind) {
    case 'identity':
      return x
    case 'matrix':
      return matvec(transposed ? T(operator.matrix) : operator.matrix, x)
    case 'sum':
      return operator === zero ? fill(0) : add(operator.terms.map((term) => of(term, x)))
    case 'scaled':
      return multiply([operator.factor, of(operator.of, x)])
    case 'transposed':
      return of(operator.of, x, !transposed)
    case 'product':
      return transposed ? of(operator.right, of(operator.left, x)) : of(operator.left, of(operator.right, x))
    case 'jacobian':
      return transposed ? backward(operator.of, x, operator.by, structure) : forward(operator, x, structure)
  }
}

/** (∂A/∂B)ᵀ g: reverse mode from A, through every way from B. */
export function backward(from: Expr, g: Expr, to: Expr, { valueAt }: Structure): Expr {
  if (from === to) return g
  const varies = new Set<Expr>([to])
  const order = inOrder([from], argsOf)
  for (const expr of order) if (expr.args.some((a) => varies.has(a))) varies.add(expr)
  const errors = new Map<Expr, Expr[]>([[from, [g]]])
  for (const expr of order.reverse()) {
    const terms = errors.get(expr)
    if (!terms || expr === to || expr.args.length === 0 || !(valueAt.has(expr) || expr === from)) continue
    const error = terms.length === 1 ? terms[0]! : add(terms)
    for (const [source, term] of pullback(expr, error, varies)) errors.set(source, [...(errors.get(source) ?? []), term])
  }
  const found = errors.get(to)
  return found ? add(found) : fill(0, to.shape)
}

/** (∂A/∂B) v: the transpose of the transpose. (∂A/∂B)ᵀ u is linear in u, so its own pullback at v is what is sought. */
function forward({ of, by }: Operator & { kind: 'jacobian' }, v: Expr, structure: Structure): Expr {
  if (of === by) return v
  const u = variable('u', of.shape, nameLayout('u'))
  const back = named('back', nameLayout('u'), backward(of, u, by, structure))
  return pullback(back, v, new Set([u])).get(u) ?? fill(0, of.shape)
}

export const negated = (operator: Operator): Operator => ({ kind: 'scaled', factor: fill(-1), of: operator })
