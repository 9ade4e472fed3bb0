/** How sums and products are taken apart and put together: coefficients, scalar factors, factors. */
import type { Dim } from '../expr/dim.ts'
import type { Expr, Op } from '../expr/expr.ts'
import { type Shape, scalarShape } from '../expr/shape.ts'
import { add, multiply, negate } from '../ops/arithmetic.ts'
import { power, square } from '../ops/elementary.ts'
import { constant, extent, fill, numberOf, sizeValue } from '../ops/leaves.ts'
import { broadcast } from '../ops/movement.ts'

/** A number times an expression; a number by itself has the factor undefined. */
export interface Scaled {
  readonly coefficient: number
  readonly of: Expr | undefined
}

/** −2 x ↦ (−2, x) */
export function scaled(expr: Expr): Scaled {
  const value = numberOf(expr)
  if (value !== undefined) return { coefficient: value, of: undefined }
  if (expr.op === negate) {
    const inner = scaled(expr.args[0]!)
    return { ...inner, coefficient: -inner.coefficient }
  }
  if (expr.op === multiply) {
    const first = numberOf(expr.args[0]!)
    if (first !== undefined) return { coefficient: first, of: product(expr.args.slice(1)) }
  }
  return { coefficient: 1, of: expr }
}

/** What may have a coefficient other than 1. */
export const scaling: readonly Op[] = [constant, negate, multiply]

/** Whether one of them stands there twice. */
export const haveRepeats = (exprs: readonly Expr[]): boolean =>
  exprs.length === 2 ? exprs[0] === exprs[1] : new Set(exprs).size < exprs.length

/** The expression c·x, as it is printed: −x rather than −1·x. */
export function scale(coefficient: number, of: Expr | undefined, shape: Shape): Expr {
  if (of === undefined || coefficient === 0) return fill(coefficient, shape)
  if (coefficient === 1) return of
  if (coefficient === -1) return negate(of)
  if (coefficient < 0) return negate(scale(-coefficient, of, shape))
  return multiply([fill(coefficient, shape), ...factorsOf(of)])
}

export const factorsOf = (expr: Expr): readonly Expr[] => (expr.op === multiply ? expr.args : [expr])

/** The factors of a product, those of a square two times. */
export const singleFactors = (expr: Expr): readonly Expr[] => factorsOf(expr).flatMap((f) => rootOf(f) ?? [f])

const rootOf = (f: Expr): readonly Expr[] | undefined => {
  if (f.op === square) return [f.args[0]!, f.args[0]!]
  const inner = f.op === broadcast && f.args[0]!.op === square ? f.args[0]!.args[0]! : undefined
  return inner && [broadcast(inner, { shape: f.shape }), broadcast(inner, { shape: f.shape })]
}

export const termsOf = (expr: Expr): readonly Expr[] => (expr.op === add ? expr.args : [expr])

/** The product of factors of one shape; of none, there is none. */
export const product = (factors: readonly Expr[]): Expr | undefined =>
  factors.length === 0 ? undefined : factors.length === 1 ? factors[0] : multiply(factors)

export const total = (terms: readonly Expr[], shape: Shape): Expr =>
  terms.length === 0 ? fill(0, shape) : terms.length === 1 ? terms[0]! : add(terms)

/** The scalar that an expression repeats in all its entries, if it does. */
export function scalarOf(expr: Expr): Expr | undefined {
  if (expr.shape.length === 0) return expr
  const value = numberOf(expr)
  if (value !== undefined) return fill(value, scalarShape)
  if (expr.op === extent) return sizeValue((expr.attrs.dim as readonly Dim[])[0]!)
  if (expr.op === broadcast && expr.args[0]!.shape.length === 0) return expr.args[0]
  if (expr.op !== power) return undefined
  const [base, exponent] = expr.args.map(scalarOf)
  return base && exponent && power(base, exponent)
}

/** What can repeat a scalar in more than one entry. */
export const repeating: readonly Op[] = [constant, extent, broadcast, power]

/** A scalar repeated into a shape. */
export function repeat(scalar: Expr, shape: Shape): Expr {
  if (shape.length === 0) return scalar
  const value = numberOf(scalar)
  if (value !== undefined) return fill(value, shape)
  return scalar.op === extent ? sizeValue((scalar.attrs.dim as readonly Dim[])[0]!, shape) : broadcast(scalar, { shape })
}

export const isZero = (expr: Expr): boolean => numberOf(expr) === 0
