/** Laws of exponentials and logarithms: sums in an exponent are products, products in a logarithm are sums. */
import type { Expr } from '../expr/expr.ts'
import { logsigmoid, relu, sigmoid, softplus } from '../ops/activation.ts'
import { add, maximum, multiply, negate, subtract } from '../ops/arithmetic.ts'
import { abs, exp, log, log1p, power } from '../ops/elementary.ts'
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

/** x, where it is exp(x) by its form: the exponential of a negative is a power by now. */
function exponentOf(expr: Expr): Expr | undefined {
  if (expr.op === exp) return expr.args[0]!
  const p = expr.op === power && expr.args[0]!.op === exp ? numberOf(expr.args[1]!) : undefined
  return p === undefined ? undefined : product([fill(p, expr.shape), expr.args[0]!.args[0]!])
}

const logarithmFromOne: Law = {
  name: 'log1p by definition',
  on: [log1p],
  apply: ({ args: [x], shape }) => log(add([fill(1, shape), x!])),
}

/** max(x, 0) is relu(x) */
const largerThanZero: Law = {
  name: 'the larger of a value and zero',
  on: [maximum],
  apply({ args }) {
    const zero = args.findIndex((a) => numberOf(a) === 0)
    return zero < 0 ? null : relu(args[1 - zero]!)
  },
}

/** σ(x) for 1/(1 + exp(−x)), and softplus(x) for log(1 + exp(x)). */
const sigmoidByName: Law = {
  name: 'a sigmoid or its integral, written out',
  on: [power, log],
  apply({ op, args: [x, exponent], shape }) {
    const inner = x!.op === add && x!.args.length === 2 && numberOf(x!.args[0]!) === 1 ? x!.args[1]! : undefined
    const z = op === log && inner ? exponentOf(inner) : undefined
    if (op === log) return z ? softplus(z) : null
    const p = numberOf(exponent!)
    const isInverse = inner?.op === power && inner.args[0]!.op === exp && numberOf(inner.args[1]!) === -1
    return isInverse && p !== undefined && Number.isInteger(p) ? power(sigmoid(inner.args[0]!.args[0]!), fill(-p, shape)) : null
  },
}

/** log σ(x) = x − softplus(x), log(1 − σ(x)) = −softplus(x) */
const logarithmOfSigmoid: Law = {
  name: 'the logarithm of a sigmoid',
  on: [log, logsigmoid],
  apply({ op, args: [x] }) {
    const ofSigmoid = (z: Expr): Expr => subtract(z, softplus(z))
    if (op === logsigmoid) return ofSigmoid(x!)
    if (x!.op === sigmoid) return ofSigmoid(x!.args[0]!)
    const [one, rest, ...more] = x!.op === add ? x!.args : []
    const isComplement = more.length === 0 && rest?.op === negate && rest.args[0]!.op === sigmoid && numberOf(one!) === 1
    return isComplement ? negate(softplus(rest.args[0]!.args[0]!)) : null
  },
}

/** softplus(−x) = softplus(x) − x, and so σ(−x) = 1 − σ(x); softplus(|x|) = softplus(x) + |x| − relu(x), for one of the two turns it around. */
const turnedSigmoid: Law = {
  name: 'a sigmoid turned around',
  on: [sigmoid, softplus],
  apply({ op, args: [x], shape }) {
    if (op === softplus && x!.op === abs) {
      const z = x!.args[0]!
      return add([softplus(z), x!, negate(relu(z))])
    }
    if (x!.op !== negate) return null
    const z = x!.args[0]!
    return op === sigmoid ? subtract(fill(1, shape), sigmoid(z)) : subtract(softplus(z), z)
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

export const exponentials: readonly Law[] = [
  exponentOfSum,
  logarithmFromOne,
  logarithmOfProduct,
  largerThanZero,
  sigmoidByName,
  logarithmOfSigmoid,
  turnedSigmoid,
]
