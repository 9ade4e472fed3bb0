/** Judges claims: proved by one canonical form, agreeing in numbers, refuted by a counterexample, or undecided. */
import type { Derivation } from '../derive/derive.ts'
import { type Diagnostic, Failure } from '../diagnostic.ts'
import { evaluate, type Point } from '../expr/evaluate.ts'
import type { Expr } from '../expr/expr.ts'
import { sameShape, shapeText } from '../expr/shape.ts'
import { inOrder } from '../expr/traverse.ts'
import { nameLayout } from '../layout/names.ts'
import type { Ast } from '../network/ast.ts'
import { stepsOf } from '../network/families.ts'
import type { Claim, Lengths, Value } from '../network/network.ts'
import { fill, numberOf, variable } from '../ops/leaves.ts'
import { canonicaliser } from '../rewrite/canonical.ts'
import { allFinite, distance, largest, type Tensor } from '../tensor/tensor.ts'
import { hints, mistakes, undecided } from '../words.ts'
import { asOperator, type Sides, sidesOf, subjectOf } from './claims.ts'
import { diagnose } from './diagnose.ts'
import { withStrangers } from './draw.ts'
import { mendedBy } from './edits.ts'
import type { Diagnosis } from './kinds.ts'
import { applied, isOperator, shapesOf } from './operator.ts'
import { manners, pointOf } from './points.ts'

export type Verdict =
  | { readonly kind: 'proved' }
  | { readonly kind: 'agrees'; readonly points: number; readonly worst: number; readonly lengths?: readonly Lengths[] }
  | {
      readonly kind: 'refuted'
      readonly diagnosis: Diagnosis
      readonly counterexample: Counterexample | undefined
      /** The index of the claim where it does not hold, and the lengths of the loops there. */
      readonly at: ReadonlyMap<string, number>
      /** Of the network, the module or the loop of some length that the claim was held against. */
      readonly derivation: Derivation
    }
  | { readonly kind: 'undecided'; readonly because: string }

/** Where the two sides differ. */
export interface Counterexample {
  readonly point: Point
  readonly claimed: Tensor
  readonly derived: Tensor
}

export interface Judgement {
  readonly claim: Claim
  readonly verdict: Verdict
  /** A claim must hold, a `not:` must be refuted. */
  readonly ok: boolean
  /** The module that the claim is about, with the shapes that it is called with. */
  readonly about?: string | undefined
}

/** At so many points, at least, both sides must have values. */
const fewest = 3
const tolerance = 1e-8

/** The verdict on a claim. Throws a Failure where the claim can't be read (names, syntax); wrong shapes refute it. */
export function judge(claim: Claim, derivation: Derivation, seed: number): Judgement {
  const inNumbers = verdictInNumbers(claim, derivation, seed)
  const verdict: Verdict = inNumbers.kind === 'agrees' && isProved(claim, derivation) ? { kind: 'proved' } : inNumbers
  const holds = verdict.kind === 'proved' || verdict.kind === 'agrees'
  return { claim, verdict, ok: claim.negated ? verdict.kind === 'refuted' : holds }
}

/** As far as numbers tell: a claim that holds is not proved, but agrees. Throws as `judge` does. */
export const verdictInNumbers = (claim: Claim, derivation: Derivation, seed: number): Verdict =>
  overall(casesOf(claim, derivation).map((at) => verdictOn(claim, derivation, seed, at)))

type Case = ReadonlyMap<string, number>

/** A claim over an index is judged for each of its values. */
function casesOf({ loop, span }: Claim, { network }: Derivation): readonly Case[] {
  if (!loop) return [new Map()]
  return stepsOf(loop, network.scope, span).map((at) => new Map([[loop.index, at]]))
}

/** A claim holds if it holds everywhere; of several verdicts the worst one counts. */
function overall(verdicts: readonly Verdict[]): Verdict {
  const first = (kind: Verdict['kind']): Verdict | undefined => verdicts.find((v) => v.kind === kind)
  const nothing: Verdict = { kind: 'undecided', because: undecided.nothing({}) }
  return first('refuted') ?? first('undecided') ?? first('agrees') ?? first('proved') ?? nothing
}

function verdictOn(claim: Claim, derivation: Derivation, seed: number, at: Case): Verdict {
  const subject = subjectOf(claim, derivation, at)
  const mended = () => mendOf(claim, derivation, seed, at)
  let compared: readonly [Expr, Expr]
  try {
    compared = asTensors(sidesOf(claim, derivation, at), derivation)
  } catch (error) {
    if (isAboutShapes(error)) return byShape(error.diagnostics[0]!, subject, mended(), derivation, at)
    throw error
  }
  const [left, right] = compared
  const evidence = compare(left, right, derivation, seed)
  if (evidence.kind === 'undecided') return evidence
  if (evidence.kind === 'differs')
    return {
      kind: 'refuted',
      diagnosis: diagnose({ left, right, subject, place: evidence.place }, derivation, seed, mended),
      counterexample: evidence.at,
      at,
      derivation,
    }
  return evidence
}

const isAboutShapes = (error: unknown): error is Failure =>
  error instanceof Failure && error.diagnostics.length > 0 && error.diagnostics.every((d) => d.code === 'shapes')

/** Refuted without any number; the mistake is known if a small change mends it. */
const byShape = (
  { message, hint }: Diagnostic,
  subject: Value | undefined,
  mend: Diagnosis | undefined,
  derivation: Derivation,
  at: Case,
): Verdict => ({
  kind: 'refuted',
  diagnosis: mend
    ? { ...mend, details: [mistakes['by-shapes']({ message })], subject }
    : { kind: 'shape', message, ...(hint ? { details: [hint] } : {}), subject },
  counterexample: undefined,
  at,
  derivation,
})

/** In a larger network, trying changes one by one would take long. */
const mostValues = 1000

/** A small change of the right-hand side with which the claim holds. */
function mendOf(claim: Claim, derivation: Derivation, seed: number, at: Case): Diagnosis | undefined {
  const { values, scope, loss } = derivation.network
  if (values.size > mostValues) return undefined
  const holds = (value: Ast): boolean => {
    try {
      const [left, right] = asTensors(sidesOf({ ...claim, equation: { ...claim.equation, value } }, derivation, at), derivation)
      return areSame(left, right, derivation, seed)
    } catch (error) {
      if (error instanceof Failure) return false
      throw error
    }
  }
  return mendedBy(claim.equation.value, { text: scope.text, loss: loss.name, names: [...values.keys()].slice(0, 24) }, holds)
}

/** Two operators are equal when their transposes do the same to every error: they are applied to one of no particular kind. */
function asTensors({ left, right }: Sides, { structure }: Derivation): readonly [Expr, Expr] {
  if (!isOperator(left) && !isOperator(right)) return fitted(left, right)
  const [a, b] = [asOperator(left), asOperator(right)]
  const out = shapesOf({ kind: 'sum', terms: [a, b] })[0]
  if (!out) throw new Failure([{ code: 'shapes', message: 'nothing tells the shape of I here' }])
  const g = variable('g', out, nameLayout('g'))
  return fitted(applied(a, g, true, structure), applied(b, g, true, structure))
}

/** Two sides of one shape. */
function fitted(left: Expr, right: Expr): readonly [Expr, Expr] {
  const [l, r] = [fitZero(left, right), fitZero(right, left)]
  if (!sameShape(l.shape, r.shape)) throw shapesDiffer(l, r)
  return [l, r]
}

/** A literal 0 fits any shape. */
const fitZero = (side: Expr, other: Expr): Expr => (numberOf(side) === 0 && side.shape.length === 0 ? fill(0, other.shape) : side)

/** A number that a product of two vectors is in. */
const isOfVectors = (side: Expr): boolean =>
  side.shape.length === 0 &&
  inOrder([side]).some(({ shape, args }) => shape.length === 0 && args.length === 2 && args.every((a) => a.shape.length === 1))

function shapesDiffer(left: Expr, right: Expr): Failure {
  const [l, r] = [shapeText(left.shape), shapeText(right.shape)]
  const turned = sameShape([...left.shape].reverse(), right.shape)
  const message = turned ? `the sides are transposed: left ${l}, right ${r}` : `the sides differ in shape: left ${l}, right ${r}`
  const hint = turned ? hints.transposed : left.shape.length === 2 && isOfVectors(right) ? hints.outer : undefined
  return new Failure([{ code: 'shapes', message, ...(hint ? { hint } : {}) }])
}

type Evidence =
  | { readonly kind: 'agrees'; readonly points: number; readonly worst: number }
  | { readonly kind: 'differs'; readonly at: Counterexample; readonly place: number }
  | { readonly kind: 'undecided'; readonly because: string }

/** Both sides in numbers, at points of several scales and sizes. They differ only beyond the rounding that is measured. */
export function compare(left: Expr, right: Expr, derivation: Derivation, seed: number): Evidence {
  if (left.shape.includes(0)) return { kind: 'undecided', because: undecided.empty({}) }
  let [worst, compared] = [0, 0]
  for (const comparison of comparisons(left, right, derivation, seed)) {
    const { place } = comparison
    const [l, r] = comparison.sides
    if (!allFinite(l) || !allFinite(r)) continue
    compared++
    const { error, size } = gapBetween(l, r)
    if (error <= tolerance * size) worst = size > 0 ? Math.max(worst, error / size) : worst
    else if (!(error <= Math.max(grainOf(comparison.point), 100 * noiseOf(comparison))))
      return { kind: 'differs', at: { point: comparison.point, claimed: r, derived: l }, place }
  }
  if (compared < fewest) return { kind: 'undecided', because: undecided.points({ compared, points: manners.length }) }
  return { kind: 'agrees', points: compared, worst }
}

/** Whether both sides are equal in numbers, and nothing is put down to rounding. */
function areSame(left: Expr, right: Expr, derivation: Derivation, seed: number): boolean {
  let compared = 0
  for (const { sides } of comparisons(left, right, derivation, seed)) {
    if (!sides.every(allFinite)) continue
    const { error, size } = gapBetween(...sides)
    if (error > tolerance * size) return false
    compared++
  }
  return compared >= fewest
}

interface Compared {
  /** Its number among the points. */
  readonly place: number
  readonly exprs: readonly [Expr, Expr]
  readonly sides: readonly [Tensor, Tensor]
  readonly point: Point
  /** The same point, computed with so many bits fewer. */
  coarse(bits: number): Point
}

function* comparisons(left: Expr, right: Expr, derivation: Derivation, seed: number): Generator<Compared> {
  const exprs = [left, right] as const
  for (let k = 0; k < manners.length; k++) {
    const known = pointOf(derivation, seed, k, manners[k]!, true)
    const point = withStrangers(exprs, known.point, seed + k)
    const values = evaluate(exprs, point)
    const coarse = (bits: number): Point => withStrangers(exprs, known.coarse(bits), seed + k)
    yield { place: k, exprs, sides: [values.get(left)!, values.get(right)!], point, coarse }
  }
}

/** What is smaller may be the rounding of what it was computed from: where a softmax saturates, 1 − p is 0 or 10⁻¹⁷. */
function grainOf({ values, amplitude = 1 }: Point): number {
  let most = 0
  for (const value of values.values()) most = Math.max(most, largest(value))
  return Math.min(most * 2 ** -50, 1e-13 * Math.max(amplitude, 1))
}

const gapBetween = (a: Tensor, b: Tensor): { readonly error: number; readonly size: number } => ({
  error: distance(a, b),
  size: Math.max(largest(a), largest(b)),
})

/** How far the sides move when they are computed with fewer bits. */
function noiseOf({ exprs, sides, coarse }: Compared): number {
  const moved = [2, 4].map((bits) => evaluate(exprs, coarse(bits)))
  const gaps = exprs.map((expr, i) => Math.max(...moved.map((values) => distance(values.get(expr)!, sides[i]!))))
  return gaps.reduce((sum, gap) => sum + gap, 0)
}

/** Whether both sides have one canonical form, for each value of the index. */
const isProved = (claim: Claim, derivation: Derivation): boolean =>
  casesOf(claim, derivation).every((at) => areEqual(asTensors(sidesOf(claim, derivation, at), derivation), derivation))

/** First in terms of gradients and nodes by name, then with every name opened. */
function areEqual([left, right]: readonly [Expr, Expr], { raw, network }: Derivation): boolean {
  const adjoints = new Set([...raw.values()].map((g) => g.adjoint))
  const nodes = new Set([...network.values.values()].map((v) => v.expr))
  const given = new Set([...raw.values()].filter((g) => g.given).map((g) => g.adjoint))
  const levels: ((e: Expr) => boolean)[] = [
    (e) => adjoints.has(e) || nodes.has(e),
    (e) => given.has(e) || nodes.has(e),
    (e) => given.has(e),
  ]
  return levels.some((keep) => {
    const canonical = canonicaliser(keep)
    return canonical(left) === canonical(right)
  })
}
