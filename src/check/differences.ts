/** Differences of the forward pass at one point, along directions in the values of the network: the one measure that knows no rule. */
import { type Change, lastOf, type Plan, type Point, planBehind } from '../expr/evaluate.ts'
import type { Expr } from '../expr/expr.ts'
import { type Lookup, members, Table } from '../expr/table.ts'
import type { Random } from '../tensor/random.ts'
import { normalTensor } from '../tensor/random.ts'
import { inner, norm, type Tensor, tensor, zip } from '../tensor/tensor.ts'
import { coarsened } from './draw.ts'

/** A gradient of a loss, to be held against differences. */
export interface Slope {
  /** What is nudged. */
  readonly of: Expr
  readonly gradient: Tensor
}

/** The relative error that was measured, or why none could be: the loss has a kink here, or its rounding hides the difference. */
export type Measured = number | 'kink' | 'rounding'

/** The largest relative error of a gradient that agrees. */
export const tolerance = 1e-6
/** A plain difference that is closer needs no second look. */
const clearly = 1e-8

/** How far the values are moved: plain differences for most, four passes where the loss is curved, smaller steps near kinks, larger ones against rounding. */
const steps = [
  { size: 1 / 6, isFine: false },
  { size: 1, isFine: true },
  { size: 1 / 30, isFine: true },
  { size: 30, isFine: true },
  { size: 1 / 1000, isFine: true },
]

/** Measures gradients of a loss by some of the values below it, which are `unmoved` at the point; those of one group are moved at once. */
export function measurer(
  loss: Expr,
  whole: Plan,
  unmoved: Lookup<Tensor>,
  point: Point,
  random: Random,
): (group: readonly Slope[]) => Measured {
  const rounding = roundingOf(whole, unmoved.get(loss)!.data[0]!, point)

  return (group) => {
    const directions = group.map(({ gradient }) => unitTowards(gradient, normalTensor(random, gradient.shape)))
    const slope = group.reduce((sum, { gradient }, i) => sum + inner(gradient, directions[i]!), 0)
    const scale = group.reduce((sum, { gradient }) => sum + norm(gradient), 0) || 1
    const plan = planBehind(members(group.map(({ of }) => of)), whole, unmoved)
    // many directions at once move the loss far: the step keeps that small, too
    const widest = Math.min(2e-4, 1e-3 / Math.abs(slope || 1))

    const directionOf = new Table<Tensor>()
    for (let i = 0; i < group.length; i++) directionOf.set(group[i]!.of, directions[i]!)
    const passBy = (h: number): Forward =>
      forward(plan, (value, expr) => {
        const direction = directionOf.get(expr)
        return direction ? nudged(value, unmoved.get(expr)!, direction, h) : value
      })

    /** How far (f(h) − f(−h))/2h is from the slope. */
    const pairAt = (h: number): Pair => {
      const [plus, minus] = [passBy(h), passBy(-h)]
      let [expected, lost] = [0, 0]
      for (let i = 0; i < group.length; i++) {
        const { of, gradient } = group[i]!
        const way = wayOf(unmoved.get(of)!, directions[i]!, gradient, h)
        expected += way.rise
        lost += way.lost
      }
      return { gap: (plus.value - minus.value - expected) / (2 * h), sides: [plus.sides, minus.sides], isLost: lost > h * group.length }
    }

    let best: number | undefined
    let [isHidden, isKinked] = [false, false]
    // where rounding is as large as the gradient, a step tells nothing
    for (const { size, isFine } of steps.filter((step) => rounding <= 0.1 * scale * step.size * widest)) {
      const h = size * widest
      const pairs = (isFine ? [h, 2 * h] : [h]).map(pairAt)
      const sides = pairs.flatMap((p) => p.sides)
      if (pairs.some((p) => p.isLost)) isHidden = true
      // a step out of the domain of a logarithm is like one across a kink
      else if (pairs.some((p) => !Number.isFinite(p.gap)) || !sides.every((side) => sameSides(side, sides[0]!))) isKinked = true
      else {
        // with the second pair the error of second order cancels (Richardson 1911)
        const gap = Math.abs(isFine ? (4 * pairs[0]!.gap - pairs[1]!.gap) / 3 : pairs[0]!.gap)
        // what rounding explains is no fault, and no agreement either
        if (gap > tolerance * scale && gap <= rounding / h) isHidden = true
        else best = Math.min(best ?? Number.POSITIVE_INFINITY, gap / scale)
      }
      if (best !== undefined && best <= (isFine ? tolerance : clearly)) return best
    }
    if (best !== undefined && best <= tolerance) return best
    if (isHidden) return 'rounding'
    return best ?? (isKinked ? 'kink' : 'rounding')
  }
}

/** What is really added to a number: a large one takes in only the first places of a small one. */
const added = (to: number, what: number): number => to + what - to

/** A value with what is added to it where it stands unmoved. */
function nudged(value: Tensor, unmoved: Tensor, direction: Tensor, h: number): Tensor {
  const data = new Float64Array(value.data.length)
  for (let k = 0; k < data.length; k++) data[k] = value.data[k]! + added(unmoved.data[k]!, h * direction.data[k]!)
  return tensor(value.shape, data)
}

/** How far a slope rises along what a value really moves from −h to h, and how much of the way that was meant gets lost. */
function wayOf({ data: unmoved }: Tensor, { data: direction }: Tensor, gradient: Tensor, h: number): { rise: number; lost: number } {
  let [rise, lost] = [0, 0]
  for (let k = 0; k < unmoved.length; k++) {
    const way = added(unmoved[k]!, h * direction[k]!) - added(unmoved[k]!, -h * direction[k]!)
    rise += way * gradient.data[k]!
    lost += (way - 2 * h * direction[k]!) ** 2
  }
  return { rise, lost: Math.sqrt(lost) }
}

interface Pair {
  readonly gap: number
  readonly sides: readonly Sides[]
  /** Most of the nudge was lost in the values that it was added to. */
  readonly isLost: boolean
}

/** What fewer places change is rounding. A saturated loss is tiny, but it is made of numbers near one. */
function roundingOf(plan: Plan, value: number, point: Point): number {
  const changes = [3, 4].map((bits) => Math.abs(lastOf(plan, coarsened(point, bits).round).data[0]! - value))
  return 30 * Math.max(...changes) + 1e-15 * Math.max(1, Math.abs(value))
}

/** A unit direction, half along the gradient, so that the slope is never lost in rounding, and half at random. */
function unitTowards(gradient: Tensor, random: Tensor): Tensor {
  const [g, r] = [norm(gradient) || 1, norm(random) || 1]
  return zip(gradient, random, (a, b) => 0.7 * (a / g) + 0.7 * (b / r))
}

/** On which side of every kink a pass went. */
type Sides = readonly Int8Array[]

interface Forward {
  readonly value: number
  readonly sides: Sides
}

function forward(plan: Plan, change: Change): Forward {
  const sides: Int8Array[] = []
  const value = lastOf(plan, change, (expr, args, attrs) => {
    if (!expr.op.kinks) return
    for (const distance of expr.op.kinks(args, attrs)) sides.push(signsOf(distance))
  })
  return { value: value.data[0]!, sides }
}

function signsOf({ data }: Tensor): Int8Array {
  const signs = new Int8Array(data.length)
  for (let k = 0; k < signs.length; k++) signs[k] = Math.sign(data[k]!)
  return signs
}

const sameSides = (a: Sides, b: Sides): boolean => a.length === b.length && a.every((side, i) => side.every((s, j) => s === b[i]![j]))
