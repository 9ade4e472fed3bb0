/** Laws of products, quotients and powers. */
import type { Expr, Op } from '../expr/expr.ts'
import { relu, reluPrime } from '../ops/activation.ts'
import { add, divide, equal, greater, greaterEqual, less, lessEqual, multiply, negate, notEqual, where } from '../ops/arithmetic.ts'
import { power, reciprocal, sqrt, square } from '../ops/elementary.ts'
import { constant, fill, numberOf } from '../ops/leaves.ts'
import { broadcast } from '../ops/movement.ts'
import type { Law } from './engine.ts'
import { factorsOf, haveRepeats, isZero, product, scalarOf, scale, singleFactors } from './terms.ts'

const flatten: Law = {
  name: 'products are associative',
  on: [multiply],
  over: [multiply],
  apply: ({ args }) => multiply(args.flatMap(factorsOf)),
}

const oneFactor: Law = {
  name: 'products are associative',
  on: [multiply],
  apply: ({ args }) => (args.length === 1 ? args[0]! : null),
}

/** 2 (−x) ⊙ 3 y = −6 x ⊙ y: one number in front, or none. */
const collectNumbers: Law = {
  name: 'numbers and signs go in front',
  on: [multiply],
  over: [constant, negate],
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
  over: [divide],
  apply({ args }) {
    // by place: the same quotient may stand there twice
    const at = args.findIndex((a) => a.op === divide)
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
    const [above, below] = [[...singleFactors(over!)], [...singleFactors(under!)]]
    const shared = above.find((f) => numberOf(f) === undefined && below.includes(f))
    if (shared) {
      above.splice(above.indexOf(shared), 1)
      below.splice(below.indexOf(shared), 1)
      return divide(product(above) ?? fill(1, shape), product(below) ?? fill(1, shape))
    }
    const [[number, ...factors], [divisor, ...rest]] = [factorsOf(over!), factorsOf(under!)]
    const [a, b] = [numberOf(number!), numberOf(divisor!)]
    if (a === undefined || b === undefined || b === 1 || !isShort(a / b)) return null
    const numerator = scale(a / b, product(factors), shape)
    return rest.length === 0 ? numerator : divide(numerator, product(rest)!)
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

const rootsSquared: Law = {
  name: 'the square of a root is what stands under it',
  on: [square],
  over: [sqrt],
  apply: ({ args: [x] }) => x!.args[0]!,
}

/** s s = s² for scalars and what is repeated; entries of a tensor keep ⊙, but not in a divisor. */
const repeatedFactor: Law = {
  name: 'a repeated factor is a square',
  on: [multiply],
  apply: ({ args }) => (haveRepeats(args) ? withSquare(args, (f) => f.op === broadcast || scalarOf(f) !== undefined) : null),
}

const repeatedDivisor: Law = {
  name: 'a repeated divisor is a square',
  on: [divide],
  apply({ args: [over, under] }) {
    const squares = withSquare(factorsOf(under!), () => true)
    return squares && divide(over!, squares)
  },
}

/** The product with a square in place of two equal factors. */
function withSquare(factors: readonly Expr[], suits: (f: Expr) => boolean): Expr | null {
  const twice = factors.find((f, i) => factors.indexOf(f) !== i && numberOf(f) === undefined && suits(f))
  if (!twice) return null
  const first = factors.indexOf(twice)
  const second = factors.indexOf(twice, first + 1)
  return product(factors.flatMap((f, i) => (i === first ? [squared(f)] : i === second ? [] : [f])))!
}

/** x²; copies are squared once, and the square of a root is what stands under it. */
const squared = (x: Expr): Expr =>
  x.op === broadcast ? broadcast(squared(x.args[0]!), { shape: x.shape }) : x.op === sqrt ? x.args[0]! : square(x)

/** a ⊙ b/2 = ½ a ⊙ b: a half or a quarter of a product is a number in front. */
const fractionInFront: Law = {
  name: 'numbers and signs go in front',
  on: [divide],
  apply({ args: [over, under], shape }) {
    const denominator = numberOf(under!)
    if (over!.op !== multiply || (denominator !== 2 && denominator !== 4)) return null
    return multiply([fill(1 / denominator, shape), ...over!.args])
  },
}

/** p ⊙ (a/p + b) = a + p ⊙ b */
const factorThatCancels: Law = {
  name: 'a factor that cancels is multiplied in',
  on: [multiply],
  over: [add],
  apply({ args }) {
    const at = args.findIndex((a) => a.op === add)
    const divisors = args[at]!.args.flatMap((term) => {
      const quotient = term.op === negate ? term.args[0]! : term
      return quotient.op === divide ? factorsOf(quotient.args[1]!) : []
    })
    const cancelled = args.findIndex((f, i) => i !== at && numberOf(f) === undefined && divisors.includes(f))
    if (cancelled < 0) return null
    const sum = add(args[at]!.args.map((term) => multiply([args[cancelled]!, term])))
    return product(args.flatMap((f, i) => (i === at ? [sum] : i === cancelled ? [] : [f])))!
  },
}

/** relu′(x) ⊙ relu(x) = relu(x): the mask is 1 wherever relu is not 0. */
const maskOfItself: Law = {
  name: 'relu is its own masked value',
  on: [multiply],
  over: [relu],
  apply({ args }) {
    const mask = args.find((f) => f.op === reluPrime && args.some((g) => g.op === relu && g.args[0] === f.args[0]))
    return mask ? product(args.filter((f) => f !== mask))! : null
  },
}

/** Each beside its opposite. */
const comparisons = [greater, lessEqual, less, greaterEqual, equal, notEqual] as const

/** where(m, g, 0) = m ⊙ g for a comparison m. */
const maskedChoice: Law = {
  name: 'a choice against zero is a mask',
  on: [where],
  over: [constant],
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

export const collectProducts: readonly Law[] = [flatten, oneFactor, collectNumbers]
export const quotients: readonly Law[] = [quotientFactor, simpleQuotients, cancel, repeatedDivisor, fractionInFront]
export const powersAndMasks: readonly Law[] = [
  powers,
  constantPowers,
  rootsSquared,
  repeatedFactor,
  maskOfItself,
  factorThatCancels,
  maskedChoice,
]
