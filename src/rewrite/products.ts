/** Laws of products, quotients and powers. */
import type { Expr, Op } from '../expr/expr.ts'
import { divide, equal, greater, greaterEqual, less, lessEqual, multiply, negate, notEqual, where } from '../ops/arithmetic.ts'
import { power, reciprocal, square } from '../ops/elementary.ts'
import { fill, numberOf } from '../ops/leaves.ts'
import type { Law } from './engine.ts'
import { factorsOf, isZero, product, scalarOf, scale } from './terms.ts'

const flatten: Law = {
  name: 'products are associative',
  on: [multiply],
  apply: ({ args }) => (args.some((a) => a.op === multiply) ? multiply(args.flatMap(factorsOf)) : args.length === 1 ? args[0]! : null),
}

/** 2 (−x) ⊙ 3 y = −6 x ⊙ y: one number in front, or none. */
const collectNumbers: Law = {
  name: 'numbers and signs go in front',
  on: [multiply],
  apply({ args, shape }) {
    let coefficient = 1
    const rest: Expr[] = []
    for (const arg of args) {
      const value = numberOf(arg)
      if (value !== undefined) coefficient *= value
      else if (arg.op === negate) {
        coefficient *= -1
        rest.push(arg.args[0]!)
      } else rest.push(arg)
    }
    return scale(coefficient, product(rest), shape)
  },
}

const quotientFactor: Law = {
  name: 'a quotient in a product is one quotient',
  on: [multiply],
  apply({ args }) {
    // by place: the same quotient may stand there twice
    const at = args.findIndex((a) => a.op === divide)
    if (at < 0) return null
    return divide(multiply(args.map((a, i) => (i === at ? a.args[0]! : a))), args[at]!.args[1]!)
  },
}

/** Whether a quotient of numbers is a short decimal, fit to print. */
const isShort = (value: number): boolean => Math.abs(value * 1e4 - Math.round(value * 1e4)) < 1e-9 && value !== 0

const simpleQuotients: Law = {
  name: 'quotients are reduced',
  on: [divide],
  apply({ args: [over, under], shape }) {
    const denominator = numberOf(under!)
    if (denominator === 1) return over!
    if (isZero(over!)) return fill(0, shape)
    if (over === under) return fill(1, shape)
    if (over!.op === negate) return negate(divide(over!.args[0]!, under!))
    if (under!.op === negate) return negate(divide(over!, under!.args[0]!))
    if (over!.op === divide) return divide(over!.args[0]!, multiply([over!.args[1]!, under!]))
    if (under!.op === divide) return divide(multiply([over!, under!.args[1]!]), under!.args[0]!)
    return null
  },
}

/** (6 a ⊙ b)/(2 b) = 3 a */
const cancel: Law = {
  name: 'common factors cancel',
  on: [divide],
  apply({ args: [over, under], shape }) {
    const above = [...factorsOf(over!)]
    const below = [...factorsOf(under!)]
    const shared = above.find((f) => numberOf(f) === undefined && below.includes(f))
    if (shared) {
      above.splice(above.indexOf(shared), 1)
      below.splice(below.indexOf(shared), 1)
      return divide(product(above) ?? fill(1, shape), product(below) ?? fill(1, shape))
    }
    const [a, b] = [numberOf(above[0]!), numberOf(below[0]!)]
    if (a === undefined || b === undefined || b === 1 || !isShort(a / b)) return null
    const numerator = scale(a / b, product(above.slice(1)), shape)
    return below.length === 1 ? numerator : divide(numerator, product(below.slice(1))!)
  },
}

const powers: Law = {
  name: 'powers 0 and 1 are trivial',
  on: [power],
  apply({ args: [base, exponent], shape }) {
    const p = numberOf(exponent!)
    return p === 1 ? base! : p === 0 ? fill(1, shape) : null
  },
}

const constantPowers: Law = {
  name: 'numbers are worked out',
  on: [power, square, reciprocal],
  apply({ op, args: [base, exponent], shape }) {
    const value = numberOf(base!)
    if (value === undefined) return null
    const p = op === square ? 2 : op === reciprocal ? -1 : numberOf(exponent!)
    return p === undefined ? null : fill(value ** p, shape)
  },
}

/** s s = s² for scalars: entries of a tensor keep ⊙. */
const scalarSquare: Law = {
  name: 'a repeated scalar is a square',
  on: [multiply],
  apply({ args }) {
    const twice = args.find((a, i) => numberOf(a) === undefined && scalarOf(a) !== undefined && args.indexOf(a) !== i)
    if (!twice) return null
    const first = args.indexOf(twice)
    return product(args.flatMap((a, i) => (i === first ? [square(a)] : i === args.indexOf(twice, first + 1) ? [] : [a])))!
  },
}

/** Each beside its opposite. */
const comparisons = [greater, lessEqual, less, greaterEqual, equal, notEqual] as const

/** where(m, g, 0) = m ⊙ g for a comparison m. */
const maskedChoice: Law = {
  name: 'a choice against zero is a mask',
  on: [where],
  apply({ args: [mask, a, b] }) {
    if (!comparisons.some((c) => c === mask!.op)) return null
    if (isZero(b!)) return multiply([mask!, a!])
    return isZero(a!) ? multiply([opposite(mask!), b!]) : null
  },
}

/** 1 − m, which for a comparison is the opposite one. */
function opposite(mask: Expr): Expr {
  const at = (comparisons as readonly Op[]).indexOf(mask.op)
  return comparisons[at % 2 === 0 ? at + 1 : at - 1]!(mask.args[0]!, mask.args[1]!)
}

export const collectProducts: readonly Law[] = [flatten, collectNumbers]
export const quotients: readonly Law[] = [quotientFactor, simpleQuotients, cancel]
export const powersAndMasks: readonly Law[] = [powers, constantPowers, scalarSquare, maskedChoice]
