/** Compares every gradient with central differences of the forward pass: the one check that knows no rule. */
import type { Derivation, Statement } from '../derive/derive.ts'
import { evaluate, type Point } from '../expr/evaluate.ts'
import { type Expr, inOrder } from '../expr/expr.ts'
import type { Value } from '../network/network.ts'
import { normalTensor, randomFrom } from '../tensor/random.ts'
import { allFinite, inner, map, norm, type Tensor, zip } from '../tensor/tensor.ts'
import { coarsened, drawPoint } from './draw.ts'
import { isLinear, surrogateOf } from './surrogate.ts'

/** How a gradient fared: the largest relative error over all draws; null for what differences can't tell. */
export interface Verification {
  readonly draws: number
  readonly byValue: ReadonlyMap<Value, Verified | null>
  /** Functions for which differences take the linear map that they claim, and those for which they take a constant. */
  readonly standIns: { readonly maps: readonly string[]; readonly constants: readonly string[] }
  /** Values by which small changes met a kink or a tie at every point. */
  readonly kinked: readonly Value[]
  /** The lengths that loops had whose length is a symbol, and whether what was said of whole loops held for each of them. */
  readonly lengths?: readonly number[]
  readonly statements?: readonly { readonly statement: Statement; readonly ok: boolean }[]
}

export interface Verified {
  readonly draws: number
  readonly worst: number
  readonly ok: boolean
}

const draws = 4
const tolerance = 1e-6
/** Each draw's distance from the origin: activations show their kinks and their tails. */
const scales = [1, 0.3, 3, 1]
/** Beyond this many values, all are perturbed at once: two forward passes, not four for each. */
const manyValues = 48
const redraws = 50
/** After so many points values that met a kink at all of them are left out. */
const enough = 8

/** Checks the gradients of a derivation as they are printed. */
export function verify(derivation: Derivation, seed: number): Verification {
  const { network } = derivation
  const exempt = beyondDifferences(derivation)
  const values = [...derivation.gradients.keys()].filter((v) => v !== network.loss && !exempt.has(v))
  const worst = new Map<Value, number>()
  let done = 0
  for (let k = 0; k < draws; k++) {
    // what met a kink at every point of one draw does so in the next
    const isKinked = done > 0 && worst.size < values.length
    const errors = errorsAt(derivation, values, seed, k, isKinked ? 0 : enough)
    if (errors) done++
    for (const [value, error] of errors ?? []) worst.set(value, Math.max(worst.get(value) ?? 0, error))
  }
  const byValue = new Map<Value, Verified | null>([...exempt, ...values].map((v) => [v, null]))
  for (const [value, error] of worst) byValue.set(value, { draws: done, worst: error, ok: error <= tolerance })
  const kinked = values.filter((v) => done > 0 && !worst.has(v))
  return { draws: done, byValue, kinked, standIns: standInsIn(derivation) }
}

/**
 * The relative error of each gradient at the k-th point, which is redrawn near a kink; undefined where no point has finite
 * values. What meets a kink at every point is left out: a window of max_pool2d(relu(x)) that is all zeros is such a tie.
 */
function errorsAt(
  derivation: Derivation,
  values: readonly Value[],
  seed: number,
  k: number,
  patience: number,
): ReadonlyMap<Value, number> | undefined {
  for (let attempt = 0; ; attempt++) {
    const base = drawPoint(derivation.network, seed, k + draws * attempt, scales[k % scales.length]!)
    const errors = compared(derivation, values, base, seed, attempt >= patience)
    if (errors) return errors
    if (attempt === redraws) return undefined
  }
}

function compared(
  { network, gradients }: Derivation,
  values: readonly Value[],
  base: Point,
  seed: number,
  isPatient: boolean,
): ReadonlyMap<Value, number> | undefined {
  const totals = values.map((v) => gradients.get(v)!.total)
  const known = evaluate([network.loss.expr, ...totals], base)
  const slopes = values.map((_, i) => known.get(totals[i]!)!)
  if (!allFinite(known.get(network.loss.expr)!) || !slopes.every(allFinite)) return undefined
  const { loss, at: standInFor, held } = surrogateOf(network.loss.expr, base)
  const point: Point = { ...base, values: new Map([...base.values, ...held]) }
  const many = values.length > manyValues
  const random = randomFrom(seed, 'directions')
  const directions = slopes.map((g) => unitTowards(g, normalTensor(random, g.shape)))
  // what fewer places change is rounding, and no difference can be better than that;
  // a saturated loss is tiny, but it is made of numbers near one
  const unmoved = evaluate([loss], point)
  const value = unmoved.get(loss)!.data[0]!
  const rounding = 30 * Math.abs(forward(loss, coarsened(point, 3)).value - value) + 1e-15 * Math.max(1, Math.abs(value))

  /** The relative error of the slope along the nudged values' directions; smaller steps are tried near kinks and in curves, larger ones against rounding. */
  const errorOf = (nudged: readonly number[]): number | undefined => {
    const slope = nudged.reduce((sum, i) => sum + inner(slopes[i]!, directions[i]!), 0)
    const size = nudged.reduce((sum, i) => sum + norm(slopes[i]!), 0)
    const moved = nudged.map((i) => [standInFor(values[i]!.expr), directions[i]!] as const)
    const rest = notBehind(new Set(moved.map(([expr]) => expr)), loss, point, unmoved)
    const at = (h: number): Forward =>
      forward(loss, { ...point, values: rest, nudges: new Map(moved.map(([expr, direction]) => [expr, map(direction, (d) => h * d)])) })
    // many directions at once move the loss far: the step keeps that small, too
    const widest = Math.min(2e-4, 1e-3 / Math.abs(slope || 1))
    let best: number | undefined
    for (const step of [widest, widest / 30, widest * 30, widest / 1000]) {
      const passes = (many ? [step, -step] : [step, -step, 2 * step, -2 * step]).map(at)
      if (!passes.every((pass) => sameSides(pass.sides, passes[0]!.sides))) continue
      const difference = centralDifference(
        passes.map((pass) => pass.value),
        step,
      )
      const gap = Math.abs(difference - slope)
      const error = size === 0 ? gap : gap / size
      // a gap that rounding explains is no fault, but it is not claimed to be smaller than the tolerance either
      if (gap <= rounding / step) return Math.min(error, tolerance)
      best = best === undefined || error < best ? error : best
      if (best <= tolerance) break
    }
    return best
  }
  const groups = many ? [values.map((_, i) => i)] : values.map((_, i) => [i])
  const errors = new Map<Value, number>()
  for (const group of groups) {
    const error = errorOf(group)
    if (error !== undefined) for (const i of group) errors.set(values[i]!, error)
    else if (!isPatient) return undefined
    else if (group.length > 1) groups.push(group.slice(0, group.length / 2), group.slice(group.length / 2))
  }
  return errors.size > 0 ? errors : undefined
}

/** The values that stay as they are when some are nudged. */
function notBehind(nudged: ReadonlySet<Expr>, loss: Expr, { values: given }: Point, values: ReadonlyMap<Expr, Tensor>): Point['values'] {
  const behind = new Set<Expr>()
  const rest = new Map<Expr, Tensor>()
  for (const expr of inOrder([loss], (e) => (given.has(e) ? [] : e.args))) {
    if (!given.has(expr) && expr.args.some((a) => nudged.has(a) || behind.has(a))) behind.add(expr)
    else rest.set(expr, values.get(expr)!)
  }
  return rest
}

/** (f(h) − f(−h))/2h, and with two more passes the error of second order cancelled (Richardson 1911). */
function centralDifference(values: readonly number[], step: number): number {
  const [plus, minus, plus2, minus2] = values as [number, number, number?, number?]
  const first = (plus - minus) / (2 * step)
  return plus2 === undefined || minus2 === undefined ? first : (4 * first - (plus2 - minus2) / (4 * step)) / 3
}

/** A unit direction, half along the gradient, so that the slope is never lost in rounding, and half at random. */
function unitTowards(gradient: Tensor, random: Tensor): Tensor {
  const [g, r] = [norm(gradient) || 1, norm(random) || 1]
  return zip(gradient, random, (a, b) => 0.7 * (a / g) + 0.7 * (b / r))
}

interface Forward {
  readonly value: number
  /** On which side of every kink the pass went. */
  readonly sides: readonly Int8Array[]
}

function forward(loss: Expr, point: Point): Forward {
  const sides: Int8Array[] = []
  const values = evaluate([loss], point, (expr, args) => {
    if (!expr.op.kinks) return
    for (const distance of expr.op.kinks(args, expr.attrs)) sides.push(Int8Array.from(distance.data, Math.sign))
  })
  return { value: values.get(loss)!.data[0]!, sides }
}

const sameSides = (a: readonly Int8Array[], b: readonly Int8Array[]): boolean =>
  a.length === b.length && a.every((side, i) => side.every((s, j) => s === b[i]![j]))

/** What lies below a function whose own gradient is not linear in the error can't be checked by differences. */
function beyondDifferences({ network, gradients }: Derivation): ReadonlySet<Value> {
  const exempt = new Set<Expr>()
  const order = inOrder([network.loss.expr])
  for (const expr of order.reverse()) {
    if (exempt.has(expr) || (expr.op.surrogate && !isLinear(expr))) for (const arg of expr.args) exempt.add(arg)
  }
  return new Set([...gradients.keys()].filter((v) => exempt.has(v.expr)))
}

/** The functions for which differences take something else. */
function standInsIn({ network }: Derivation): Verification['standIns'] {
  const order = inOrder([network.loss.expr])
  return {
    maps: [...new Set(order.flatMap((e) => (e.op.surrogate && isLinear(e) ? [e.op.name] : [])))],
    constants: [...new Set(order.flatMap((e) => (e.op.frozen ? [e.op.name] : [])))],
  }
}
