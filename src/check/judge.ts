/** Judges claims: proved by one canonical form, agreeing in numbers, refuted by a counterexample, or undecided. */
import type { Derivation } from '../derive/derive.ts'
import { type Diagnostic, Failure } from '../diagnostic.ts'
import { evaluate, type Point } from '../expr/evaluate.ts'
import type { Expr } from '../expr/expr.ts'
import { sameShape, shapeText } from '../expr/shape.ts'
import { nameLayout } from '../layout/names.ts'
import type { Ast } from '../network/ast.ts'
import { stepsOf } from '../network/families.ts'
import type { Claim, Value } from '../network/network.ts'
import { fill, numberOf, variable } from '../ops/leaves.ts'
import { canonicaliser } from '../rewrite/canonical.ts'
import { allFinite, type Tensor, zip } from '../tensor/tensor.ts'
import { mistakes } from '../words.ts'
import { type Sides, sidesOf, subjectOf } from './claims.ts'
import { diagnose } from './diagnose.ts'
import { coarsened, drawPoint, withStrangers } from './draw.ts'
import { mendedBy } from './edits.ts'
import type { Diagnosis } from './kinds.ts'
import { applied, isOperator, type Operator, shapesOf } from './operator.ts'

export type Verdict =
  | { readonly kind: 'proved' }
  | { readonly kind: 'agrees'; readonly points: number; readonly worst: number; readonly lengths?: readonly number[] }
  | {
      readonly kind: 'refuted'
      readonly diagnosis: Diagnosis
      readonly counterexample: Counterexample | undefined
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

const points = 6
/** Points near and far from the origin: a relu6 must meet its kink. */
const scales = [1, 0.1, 10, 1, 0.1, 3]
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
export function overall(verdicts: readonly Verdict[]): Verdict {
  const first = (kind: Verdict['kind']): Verdict | undefined => verdicts.find((v) => v.kind === kind)
  const nothing: Verdict = { kind: 'undecided', because: 'the index takes no value' }
  return first('refuted') ?? first('undecided') ?? first('agrees') ?? first('proved') ?? nothing
}

function verdictOn(claim: Claim, derivation: Derivation, seed: number, at: Case): Verdict {
  const subject = subjectOf(claim, derivation, at)
  const mended = () => mendOf(claim, derivation, seed, at)
  let compared: readonly [Expr, Expr]
  try {
    compared = asTensors(sidesOf(claim, derivation, at), derivation)
  } catch (error) {
    if (isAboutShapes(error)) return byShape(error.diagnostics[0]!, subject, mended(), derivation)
    throw error
  }
  const [left, right] = compared
  const evidence = compare(left, right, derivation, seed)
  if (evidence.kind === 'undecided') return evidence
  if (evidence.kind === 'differs')
    return {
      kind: 'refuted',
      diagnosis: diagnose({ left, right, subject }, derivation, seed, mended),
      counterexample: evidence.at,
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
): Verdict => ({
  kind: 'refuted',
  diagnosis: mend
    ? { ...mend, details: [mistakes['by-shapes']({ message })], subject }
    : { kind: 'shape', message, ...(hint ? { details: [hint] } : {}), subject },
  counterexample: undefined,
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
      return compare(left, right, derivation, seed).kind === 'agrees'
    } catch (error) {
      if (error instanceof Failure) return false
      throw error
    }
  }
  return mendedBy(claim.equation.value, { text: scope.text, loss: loss.name, names: [...values.keys()].slice(0, 24) }, holds)
}

/** Two operators are equal when their transposes do the same to every error: they are applied to one of no particular kind. */
function asTensors({ left, right }: Sides, { structure }: Derivation): readonly [Expr, Expr] {
  if (!isOperator(left) && !isOperator(right)) {
    const [l, r] = [fitZero(left, right), fitZero(right, left)]
    if (!sameShape(l.shape, r.shape)) throw shapesDiffer(l, r)
    return [l, r]
  }
  const [a, b] = [asOperator(left), asOperator(right)]
  const out = shapesOf({ kind: 'sum', terms: [a, b] })[0]
  if (!out) throw new Failure([{ code: 'shapes', message: 'nothing tells the shape of I here' }])
  const g = variable('g', out, nameLayout('g'))
  return [applied(a, g, true, structure), applied(b, g, true, structure)]
}

const asOperator = (value: Expr | Operator): Operator => (isOperator(value) ? value : { kind: 'matrix', matrix: value })

/** A literal 0 fits any shape. */
const fitZero = (side: Expr, other: Expr): Expr => (numberOf(side) === 0 && side.shape.length === 0 ? fill(0, other.shape) : side)

function shapesDiffer(left: Expr, right: Expr): Failure {
  const [l, r] = [shapeText(left.shape), shapeText(right.shape)]
  const turned = sameShape([...left.shape].reverse(), right.shape)
  const message = turned ? `the sides are transposed: left ${l}, right ${r}` : `the sides differ in shape: left ${l}, right ${r}`
  return new Failure([{ code: 'shapes', message, ...(turned ? { hint: 'Transpose one of them (.T).' } : {}) }])
}

type Evidence =
  | { readonly kind: 'agrees'; readonly points: number; readonly worst: number }
  | { readonly kind: 'differs'; readonly at: Counterexample }
  | { readonly kind: 'undecided'; readonly because: string }

/** Both sides in numbers, at points of several scales and sizes. They differ only beyond the rounding that is measured. */
export function compare(left: Expr, right: Expr, derivation: Derivation, seed: number): Evidence {
  let [worst, compared] = [0, 0]
  for (let k = 0; k < points; k++) {
    const point = withStrangers([left, right], drawPoint(derivation.network, seed, k, scales[k]!), seed + k)
    const [l, r] = valuesAt(left, right, point)
    if (!allFinite(l) || !allFinite(r)) continue
    compared++
    const size = Math.max(largest(l), largest(r))
    const error = largest(zip(l, r, (a, b) => a - b))
    if (error > tolerance * size) {
      const noise = noiseOf([left, l], point) + noiseOf([right, r], point)
      if (error > 100 * noise) return { kind: 'differs', at: { point, claimed: r, derived: l } }
    } else if (size > 0) worst = Math.max(worst, error / size)
  }
  if (compared < 3) return { kind: 'undecided', because: `the sides had finite values at ${compared} of ${points} points` }
  return { kind: 'agrees', points: compared, worst }
}

const largest = (a: Tensor): number => a.data.reduce((m, x) => Math.max(m, Math.abs(x)), 0)

/** How far a value moves when it is computed with fewer bits. */
function noiseOf([expr, value]: readonly [Expr, Tensor], point: Point): number {
  const moved = [2, 4].map((bits) => evaluate([expr], coarsened(point, bits)).get(expr)!)
  return Math.max(...moved.map((other) => largest(zip(value, other, (a, b) => a - b))))
}

function valuesAt(left: Expr, right: Expr, point: Point): readonly [Tensor, Tensor] {
  const values = evaluate([left, right], point)
  return [values.get(left)!, values.get(right)!]
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
