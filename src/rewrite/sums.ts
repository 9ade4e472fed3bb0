/** Laws of sums: they flatten, drop zeros, collect like terms and take out what all terms share. */
import { type Expr, make } from '../expr/expr.ts'
import { add, divide, multiply, negate } from '../ops/arithmetic.ts'
import { constant, fill } from '../ops/leaves.ts'
import { matmul, matvec, outer } from '../ops/linear.ts'
import type { Law } from './engine.ts'
import { factorsOf, haveRepeats, isZero, product, scale, scaled, scaling, termsOf, total } from './terms.ts'

const flatten: Law = {
  name: 'sums are associative',
  on: [add],
  over: [add],
  apply: ({ args }) => add(args.flatMap(termsOf)),
}

const oneTerm: Law = {
  name: 'sums are associative',
  on: [add],
  apply: ({ args }) => (args.length === 1 ? args[0]! : null),
}

const dropZeros: Law = {
  name: 'zero adds nothing',
  on: [add],
  over: [constant],
  apply({ args, shape }) {
    const rest = args.filter((a) => !isZero(a))
    return rest.length < args.length ? total(rest, shape) : null
  },
}

/** The sum with one term for all that are alike, if there are such. */
function collected({ args, shape }: Expr): Expr | null {
  const coefficients = new Map<Expr | undefined, number>()
  for (const arg of args) {
    const { coefficient, of } = scaled(arg)
    coefficients.set(of, (coefficients.get(of) ?? 0) + coefficient)
  }
  if (coefficients.size === args.length) return null
  const kept = [...coefficients].filter(([, c]) => c !== 0)
  return total(
    kept.map(([of, c]) => scale(c, of, shape)),
    shape,
  )
}

const likeTerms: Law = {
  name: 'like terms are collected',
  on: [add],
  over: scaling,
  apply: collected,
}

const equalTerms: Law = {
  name: 'like terms are collected',
  on: [add],
  apply: (expr) => (haveRepeats(expr.args) ? collected(expr) : null),
}

/** x ⊙ a + x ⊙ b = x ⊙ (a + b), where every term is a product with that factor. */
const commonFactor: Law = {
  name: 'a common factor is taken out',
  on: [add],
  apply({ args, shape }) {
    const terms = args.map((arg) => {
      const { coefficient, of } = scaled(arg)
      return { coefficient, factors: of && of.op === multiply ? factorsOf(of) : [] }
    })
    let common = terms[0]!.factors
    for (const { factors } of terms) {
      common = common.filter((f) => factors.includes(f))
      if (common.length === 0) return null
    }
    const shared = [...new Set(common)]
    const rests = terms.map(({ coefficient, factors }) => {
      const rest = [...factors]
      for (const f of shared) rest.splice(rest.indexOf(f), 1)
      return scale(coefficient, product(rest), shape)
    })
    const leads = terms[0]!.factors[0] === shared[0]
    const sum = add(rests)
    return multiply(leads ? [...shared, sum] : [sum, ...shared])
  },
}

/** a/c + b/c = (a + b)/c */
const commonDenominator: Law = {
  name: 'quotients with one denominator are one quotient',
  on: [add],
  apply({ args, shape }) {
    const parts = args.map((arg) => ({ sign: arg.op === negate ? -1 : 1, quotient: arg.op === negate ? arg.args[0]! : arg }))
    const under = parts[0]!.quotient.args[1]
    if (!parts.every(({ quotient }) => quotient.op === divide && quotient.args[1] === under)) return null
    return divide(add(parts.map(({ sign, quotient }) => scale(sign, quotient.args[0], shape))), under!)
  },
}

/** ½ a − ½ b = ½ (a − b) */
const commonNumber: Law = {
  name: 'a common number is taken out',
  on: [add],
  over: scaling,
  apply({ args, shape }) {
    const parts = args.map(scaled)
    const number = Math.abs(parts[0]!.coefficient)
    if (number === 0 || number === 1 || parts.some(({ coefficient }) => Math.abs(coefficient) !== number)) return null
    return multiply([fill(number, shape), add(parts.map(({ coefficient, of }) => scale(Math.sign(coefficient), of, shape)))])
  },
}

/** (−a + b)/c = (b − a)/c */
const positiveFirst: Law = {
  name: 'the positive term of a difference comes first',
  on: [divide, multiply],
  over: [add],
  apply(expr) {
    const at = expr.args.findIndex(({ op, args }) => op === add && args.length === 2 && args[0]!.op === negate && args[1]!.op !== negate)
    if (at < 0) return null
    const [a, b] = expr.args[at]!.args
    return make(expr.op, expr.args.with(at, add([b!, a!])), expr.attrs)
  },
}

/** W a + W b = W (a + b), and the same on the right. */
const commonMap: Law = {
  name: 'a linear map is taken out of a sum',
  on: [add],
  apply({ args }) {
    const parts = args.map((arg) => ({ ...scaled(arg) }))
    const first = parts[0]!.of
    if (!first || !(first.op === matvec || first.op === matmul || first.op === outer)) return null
    for (const slot of [0, 1]) {
      const fixed = first.args[slot]!
      if (!parts.every(({ of }) => of && of.op === first.op && of.args[slot] === fixed)) continue
      const inner = first.args[1 - slot]!.shape
      const sum = add(parts.map(({ coefficient, of }) => scale(coefficient, of!.args[1 - slot], inner)))
      const apply = first.op as unknown as (a: Expr, b: Expr) => Expr
      return slot === 0 ? apply(fixed, sum) : apply(sum, fixed)
    }
    return null
  },
}

/** −(a − b) = b − a */
const turnedAround: Law = {
  name: 'a minus turns a difference around',
  on: [negate],
  over: [add],
  apply({ args: [of] }) {
    const [a, b, ...more] = of!.args
    if (!a || !b || more.length > 0 || b.op !== negate || a.op === negate) return null
    return add([b.args[0]!, negate(a)])
  },
}

const negativeNumber: Law = {
  name: 'numbers are worked out',
  on: [negate],
  over: scaling,
  apply: ({ args: [of], shape }) => {
    const { coefficient, of: rest } = scaled(of!)
    if (coefficient === 1) return null
    return rest === undefined ? fill(-coefficient, shape) : coefficient < 0 ? scale(-coefficient, rest, shape) : null
  },
}

export const collectSums: readonly Law[] = [flatten, oneTerm, dropZeros, likeTerms, equalTerms]
export const factorSums: readonly Law[] = [commonFactor, commonDenominator, commonNumber, commonMap, positiveFirst]
export const negativeNumbers: readonly Law[] = [negativeNumber]
export const signs: readonly Law[] = [negativeNumber, turnedAround]
