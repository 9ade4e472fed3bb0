/** Laws of exponentials and logarithms: sums in an exponent are products, products in a logarithm are sums. */
import type { Expr } from '../expr/expr.ts'
import { add, multiply } from '../ops/arithmetic.ts'
import { exp, log, power } from '../ops/elementary.ts'
import { domainOf, fill, numberOf } from '../ops/leaves.ts'
import { broadcast, reshape, sum, transpose } from '../ops/movement.ts'
import type { Law } from './engine.ts'
import { product, scaled } from './terms.ts'

/** exp(a + b) = exp(a) exp(b), exp(−2 a) = exp(a)⁻² */
const exponentOfSum: Law = {
  name: 'the exponential of a sum is a product',
  on: [exp],
  apply({ args: [x], shape }) {
    if (x!.op === add) return multiply(x!.args.map((term) => exp(term)))
    if (x!.op === log) return isPositive(x!.args[0]!) ? x!.args[0]! : null
    const { coefficient, of } = scaled(x!)
    return of && coefficient !== 1 && Number.isInteger(coefficient) ? power(exp(of), fill(coefficient, shape)) : null
  },
}

/** log(a b) = log a + log b, log aᵖ = p log a, log exp(a) = a, where they are positive. */
const logarithmOfProduct: Law = {
  name: 'the logarithm of a product is a sum',
  on: [log],
  apply({ args: [x], shape }) {
    if (x!.op === exp) return x!.args[0]!
    if (x!.op === multiply && x!.args.every(isPositive)) return add(x!.args.map((factor) => log(factor)))
    const p = x!.op === power ? numberOf(x!.args[1]!) : undefined
    return p !== undefined && isPositive(x!.args[0]!) ? product([fill(p, shape), log(x!.args[0]!)])! : null
  },
}

/** Whether it is greater than 0 by its form. */
function isPositive(expr: Expr): boolean {
  const value = numberOf(expr)
  if (value !== undefined) return value > 0
  if (expr.op === exp) return true
  if (expr.op === sum || expr.op === broadcast || expr.op === reshape || expr.op === transpose || expr.op === power)
    return isPositive(expr.args[0]!)
  return domainOf(expr).kind === 'positive'
}

export const exponentials: readonly Law[] = [exponentOfSum, logarithmOfProduct]
