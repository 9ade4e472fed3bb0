/** Laws of sums and means over axes: what they do not run over moves out, and a sum divided by its count is a mean. */
import { type Dim, sameDim, product as size } from '../expr/dim.ts'
import { type Expr, make } from '../expr/expr.ts'
import { type Shape, sameShape } from '../expr/shape.ts'
import { divide, multiply } from '../ops/arithmetic.ts'
import { extent, fill, numberOf } from '../ops/leaves.ts'
import { dot } from '../ops/linear.ts'
import { mean } from '../ops/moments.ts'
import { broadcast, inShape, reducedShape, reshape, sum } from '../ops/movement.ts'
import type { Law } from './engine.ts'
import { factorsOf, product, repeat, scalarOf } from './terms.ts'

/** Σ s·x = s·Σ x and Σ x/s = (Σ x)/s where s does not vary along the summed axes. */
export const constantAlongSum: Law = {
  name: 'what a sum does not run over moves out of it',
  on: [sum, mean],
  apply({ op, args: [x], attrs, shape }) {
    const over = attrs.axis as readonly number[]
    const [above, below] = x!.op === divide ? [x!.args[0]!, x!.args[1]!] : [x!, undefined]
    const [factors, divisors] = [apart(factorsOf(above), over), apart(below ? factorsOf(below) : [], over)]
    if (factors.fixed.length + divisors.fixed.length === 0) return null
    const outside = (f: Expr): Expr => copied(withoutAxes(f, over, attrs.keepdims === true), shape)
    const varying = product(factors.varying) ?? fill(1, x!.shape)
    const inside = divisors.varying.length > 0 ? divide(varying, product(divisors.varying)!) : varying
    const reduced = op === mean && numberOf(inside) === 1 ? [] : [make(op, [inside], attrs)]
    const numerator = product([...factors.fixed.map(outside), ...reduced]) ?? fill(1, shape)
    return divisors.fixed.length > 0 ? divide(numerator, product(divisors.fixed.map(outside))!) : numerator
  },
}

/** Σᵢⱼ x = Σᵢ Σⱼ x and Σⱼ Σᵢ x = Σᵢ Σⱼ x: what does not run over one of the axes moves out of its sum. */
export const oneAxisAtATime: Law = {
  name: 'sums are taken axis by axis, the last one first',
  on: [sum],
  apply({ args: [x], attrs }) {
    if (attrs.keepdims === true) return null
    const axis = attrs.axis as readonly number[]
    const last = Math.max(...axis)
    const nested = (of: Expr, inner: number, outer: readonly number[]): Expr => sum(sum(of, { axis: [inner] }), { axis: outer })
    if (axis.length > 1)
      return nested(
        x!,
        last,
        axis.filter((a) => a !== last),
      )
    const [before] = x!.op === sum ? (x!.attrs.axis as readonly number[]) : []
    return before !== undefined && before <= last ? nested(x!.args[0]!, last + 1, [before]) : null
  },
}

const copied = (x: Expr, shape: Shape): Expr => (sameShape(x.shape, shape) ? x : broadcast(x, { shape }))

const apart = (factors: readonly Expr[], over: readonly number[]) => ({
  fixed: factors.filter((f) => isFixedAlong(f, over)),
  varying: factors.filter((f) => !isFixedAlong(f, over)),
})

/** So many operations are looked through for what is repeated. */
const deepest = 6

function isFixedAlong(factor: Expr, over: readonly number[], depth = deepest): boolean {
  if (scalarOf(factor) !== undefined) return factor.shape.length > 0 && (numberOf(factor) !== 1 || depth < deepest)
  if (factor.op !== broadcast)
    return factor.op.align !== undefined && depth > 0 && factor.args.every((a) => isFixedAlong(a, over, depth - 1))
  const own = factor.args[0]!.shape
  const lead = factor.shape.length - own.length
  return over.every((axis) => axis < lead || own[axis - lead] === 1)
}

/** What is repeated along the summed axes, in the shape that remains of it. */
function withoutAxes(factor: Expr, over: readonly number[], keep: boolean): Expr {
  const scalar = scalarOf(factor)
  if (scalar) return repeat(scalar, reducedShape(factor.shape, over, keep))
  if (factor.op !== broadcast) {
    const args = factor.args.map((a) => copied(withoutAxes(a, over, keep), reducedShape(factor.shape, over, keep)))
    return make(factor.op, args, factor.attrs)
  }
  const source = factor.args[0]!
  const lead = factor.shape.length - source.shape.length
  return keep
    ? source
    : inShape(
        source,
        source.shape.filter((_, i) => !over.includes(i + lead)),
      )
}

/** (Σ x)/n = mean(x), also where the sum is one factor of several. */
const meanOfSum: Law = {
  name: 'a sum divided by its count is a mean',
  on: [divide],
  apply({ args: [over, under] }) {
    const [above, below] = [factorsOf(over!), factorsOf(under!)]
    for (const [i, divisor] of below.entries()) {
      const count = countIn(divisor)
      if (count === undefined) continue
      for (const [j, factor] of above.entries()) {
        const mean = meanInstead(factor, count)
        if (!mean) continue
        const [numerator, rest] = [product(above.with(j, mean))!, product(below.filter((_, k) => k !== i))]
        return rest ? divide(numerator, rest) : numerator
      }
    }
    return null
  },
}

/** The size that an expression is, in any shape. */
const countIn = (expr: Expr): Dim | undefined => (expr.op === extent ? (expr.attrs.dim as readonly Dim[])[0] : numberOf(expr))

/** The mean in place of a sum over so many entries, through what only repeats or reshapes it. */
function meanInstead(expr: Expr, count: Dim): Expr | undefined {
  const [x] = expr.args
  if (expr.op === broadcast || expr.op === reshape) {
    const inner = meanInstead(x!, count)
    return inner && make(expr.op, [inner], expr.attrs)
  }
  if (expr.op !== sum) return undefined
  const { axis, keepdims } = expr.attrs as { readonly axis: readonly number[]; readonly keepdims: boolean }
  return sameDim(size(axis.map((a) => x!.shape[a]!)), count) ? mean(x!, { axis, keepdims }) : undefined
}

/** Σ aᵢ bᵢ = aᵀ b for vectors. */
const scalarProduct: Law = {
  name: 'a sum of products is a scalar product',
  on: [sum],
  apply({ args: [x], shape }) {
    const [a, b, ...more] = x!.op === multiply ? x!.args : []
    return a && b && more.length === 0 && x!.shape.length === 1 && shape.length === 0 ? dot(a, b) : null
  },
}

export const printedReductions: readonly Law[] = [constantAlongSum, meanOfSum, scalarProduct]
