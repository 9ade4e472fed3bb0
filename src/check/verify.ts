/** Compares every gradient with central differences of the forward pass: the one check that knows no rule. */
import type { Derivation, Statement } from '../derive/derive.ts'
import { type Order, ordered, type Point, pass, planFor, planned } from '../expr/evaluate.ts'
import type { Expr } from '../expr/expr.ts'
import { argsOf, inOrder } from '../expr/traverse.ts'
import type { Lengths, Value } from '../network/network.ts'
import { randomFrom } from '../tensor/random.ts'
import { allFinite } from '../tensor/tensor.ts'
import { type Measured, measurer, tolerance } from './differences.ts'
import { drawPoint } from './draw.ts'
import { compare } from './judge.ts'
import { type Declared, declaredIn, surrogateOf } from './surrogate.ts'

/** How the gradients fared: the largest relative error of each over its draws; null for what differences can't tell. */
export interface Verification {
  /** Points at which the network had finite values. */
  readonly draws: number
  readonly byValue: ReadonlyMap<Value, Verified | null>
  /** Why a gradient was not compared. */
  readonly unchecked: ReadonlyMap<Value, Reason>
  readonly standIns: StandIns
  /** Whether closed forms have the values of the gradients whose paths they add up. */
  readonly closed: readonly { readonly of: Value; readonly ok: boolean }[]
  /** The lengths that loops had whose length is a symbol, and whether what was said of whole loops held for each of them. */
  readonly lengths?: readonly Lengths[]
  readonly statements?: readonly { readonly statement: Statement; readonly ok: boolean }[]
}

/** Functions for which differences take the linear map that they claim, those for which they take a constant, and those for which nothing stands in. */
export interface StandIns {
  readonly maps: readonly string[]
  readonly constants: readonly string[]
  readonly none: readonly string[]
}

/**
 * At every point a small change met a kink or a tie, or rounding hid what it did; a function below which the value lies
 * declares a gradient that is not linear in the error; or no point gave finite values; or loops of real lengths do not have the value, or it
 * has no entries.
 */
export type Reason = Exclude<Measured, number> | 'not-linear' | 'not-finite' | 'not-met' | 'empty'

export interface Verified {
  readonly draws: number
  readonly worst: number
  readonly ok: boolean
  /** Functions on the ways of this gradient for which differences took the linear map that they claim. */
  readonly standIns: readonly string[]
}

/** So many points for each gradient. */
const draws = 4
/** Each draw's distance from the origin: activations show their kinks and their tails. */
const scales = [1, 0.3, 3, 1]
/** Beyond this many values, all are perturbed at once: two forward passes, not two for each. */
const manyValues = 48
/** Values that could not be measured are tried again, at so many points in all. */
const enough = 10
/** So many points are drawn to find finite values. */
const mostPoints = 60

/** Checks the gradients of a derivation as they are printed. */
export function verify(derivation: Derivation, seed: number): Verification {
  const { network, gradients } = derivation
  const declared = declaredIn(network, seed)
  const exempt = belowAny(declared.others, derivation)
  const behind = new Map([...declared.maps].map(([name, exprs]) => [name, belowAny(exprs, derivation)]))
  const all = [...gradients.keys()].filter((v) => v !== network.loss)
  const empty = new Set(all.filter((v) => v.expr.shape.includes(0)))
  const values = all.filter((v) => !exempt.has(v) && !empty.has(v))
  const { finite, errors, reasons } = measuredAt(derivation, values, declared, seed)

  const verified = (value: Value): Verified | null => {
    const found = errors.get(value)
    if (!found) return null
    const worst = Math.max(...found)
    const standIns = [...behind].flatMap(([name, below]) => (below.has(value) ? [name] : []))
    return { draws: found.length, worst, ok: worst <= tolerance, standIns }
  }
  return {
    draws: finite,
    byValue: new Map([...exempt, ...empty, ...values].map((v) => [v, verified(v)])),
    unchecked: new Map<Value, Reason>([
      ...[...exempt].map((v) => [v, 'not-linear'] as const),
      ...[...empty].map((v) => [v, 'empty'] as const),
      ...values.flatMap((v) => (errors.has(v) ? [] : [[v, reasons.get(v) ?? 'not-finite'] as const])),
    ]),
    standIns: standInsIn(declared),
    closed: closedIn(derivation, seed),
  }
}

interface Findings {
  readonly finite: number
  readonly errors: ReadonlyMap<Value, readonly number[]>
  readonly reasons: ReadonlyMap<Value, Exclude<Measured, number>>
}

/** Measures each gradient at so many points; where a point can't tell, at another one. */
function measuredAt(derivation: Derivation, values: readonly Value[], declared: Declared, seed: number): Findings {
  const errors = new Map<Value, number[]>()
  const reasons = new Map<Value, Exclude<Measured, number>>()
  const countOf = (value: Value): number => errors.get(value)?.length ?? 0
  let finite = 0
  let asked = { pending: values, order: orderFor(derivation, values) }
  for (let k = 0; k < mostPoints && finite < enough; k++) {
    const pending = asked.pending.filter((v) => countOf(v) < draws)
    if (pending.length === 0) break
    if (pending.length < asked.pending.length) asked = { pending, order: orderFor(derivation, pending) }
    const base = drawPoint(derivation.network, seed, k, scales[k % scales.length]!)
    const measured = measuredHere(derivation, asked, declared, base, seed + k, finite >= draws)
    if (!measured) continue
    finite++
    for (const [i, found] of measured.entries()) {
      const value = pending[i]!
      if (typeof found !== 'number') reasons.set(value, found)
      else if (!errors.get(value)?.push(found)) errors.set(value, [found])
    }
  }
  return { finite, errors, reasons }
}

/** What is still to be measured, and what is evaluated for it. */
interface Asked {
  readonly pending: readonly Value[]
  readonly order: Order
}

/** All that is evaluated at a point, where variables and nothing else is given. */
const orderFor = ({ network, gradients }: Derivation, values: readonly Value[]): Order =>
  ordered([network.loss.expr, ...values.flatMap((v) => [gradients.get(v)!.total, v.expr])], new Map())

/** What is measured at one point; undefined where a value is not finite. Of a group that can't be measured as one, the halves are, if asked for. */
function measuredHere(
  { network, gradients }: Derivation,
  { pending: values, order }: Asked,
  declared: Declared,
  base: Point,
  seed: number,
  inParts: boolean,
): readonly Measured[] | undefined {
  const totals = values.map((v) => gradients.get(v)!.total)
  const plan = planned(order, base)
  const known = pass(plan, base.round)
  if (!allFinite(known.get(network.loss.expr)!) || !totals.every((t) => allFinite(known.get(t)!))) return undefined
  const { loss, at, held } = surrogateOf(network.loss.expr, base, declared)
  const point: Point = { ...base, values: new Map([...base.values, ...held]) }
  const slopes = values.map((v, i) => ({ of: at(v.expr), gradient: known.get(totals[i]!)! }))
  const isItself = loss === network.loss.expr && held.size === 0
  const own = isItself ? plan : planned(ordered([loss, ...slopes.map((s) => s.of)], point.values), point)
  const unmoved = isItself ? known : pass(own, point.round)
  const measure = measurer(loss, planFor(loss, own), unmoved, point, randomFrom(seed, 'directions'))
  const found = new Array<Measured>(values.length)
  const groups = values.length > manyValues ? [values.map((_, i) => i)] : values.map((_, i) => [i])
  for (const group of groups) {
    const error = measure(group.map((i) => slopes[i]!))
    const half = group.length / 2
    if (typeof error !== 'number' && group.length > 1 && inParts) groups.push(group.slice(0, half), group.slice(half))
    else for (const i of group) found[i] = error
  }
  return found
}

/** The values of which some of the expressions are made. */
function belowAny(exprs: readonly Expr[], { gradients }: Derivation): ReadonlySet<Value> {
  if (exprs.length === 0) return new Set()
  const below = new Set(
    inOrder(
      exprs.flatMap((e) => e.args),
      argsOf,
    ),
  )
  return new Set([...gradients.keys()].filter((v) => below.has(v.expr)))
}

const closedIn = (derivation: Derivation, seed: number): Verification['closed'] =>
  [...derivation.closed.values()].map(({ of, total }) => ({
    of,
    ok: compare(total, derivation.gradients.get(of)!.total, derivation, seed).kind === 'agrees',
  }))

/** The functions for which differences take something else. */
const standInsIn = ({ maps, others, stopped }: Declared): StandIns => ({
  maps: [...maps.keys()],
  constants: [...stopped],
  none: [...new Set(others.map((e) => e.op.name))],
})
