/** Compares the gradients of a backward pass that somebody wrote by hand, in any framework, with the derived ones. */
import type { Derivation } from '../derive/derive.ts'
import { type Diagnostic, diagnostic, Failure, inSource, type Source } from '../diagnostic.ts'
import { evaluate, type Point } from '../expr/evaluate.ts'
import type { Expr } from '../expr/expr.ts'
import type { Value } from '../network/network.ts'
import { distance, largest, map, scalar, type Tensor, zip } from '../tensor/tensor.ts'
import { mistakes as words } from '../words.ts'
import type { Evaluation } from './evaluation.ts'
import type { Evidence } from './evidence.ts'
import type { Diagnosis } from './kinds.ts'
import { mistakeIn } from './mistakes.ts'

/** How an array of a dump fared. */
export interface Compared {
  readonly of: Value
  readonly ok: boolean
  /** max|a − b| / max(|a|, |b|) over the array: dumps are often float32. */
  readonly worst: number
  /** Where the two differ most, and what they are there. */
  readonly index: readonly number[]
  readonly dumped: number
  readonly derived: number
  readonly diagnosis?: Diagnosis | undefined
}

export interface Comparison {
  /** The dump's name. */
  readonly file: string
  /** Of the network as the dump has it: loops have a length. */
  readonly derivation: Derivation
  readonly tolerance: number
  /** Nodes and the loss, as far as the dump has them: where these differ, the forward passes do. */
  readonly values: readonly Compared[]
  /** From the loss back. */
  readonly gradients: readonly Compared[]
  /** Inputs whose gradients the dump does not have. */
  readonly missing: readonly Value[]
  /** What the spec promises of its values, and the dump does not keep. */
  readonly remarks: readonly string[]
}

/** Dumps are often float32. */
const dumpTolerance = 1e-4

/** A derivation evaluated with a dump. */
export interface Evaluated {
  readonly derivation: Derivation
  readonly evaluation: Evaluation
}

/**
 * Compares a dump with a derivation. `concrete` is the same with the dump's sizes: a mistake that only square matrices
 * allow is found there. Throws a Failure with all faults of the dump, in its text.
 */
export function compareDump(exact: Evaluated, concrete: Evaluated, source: Source, tolerance = dumpTolerance): Comparison {
  const { derivation, evaluation } = exact
  const { network } = derivation
  inSource(source, () => requireGradients(evaluation, derivation))
  const { given, dump, loss } = evaluation
  const compared = (of: Value, dumped: Tensor, derived: Tensor): Compared => differenceOf(of, dumped, derived, tolerance)
  const values = [
    ...[...given.nodes].map(([value, { tensor }]) => compared(value, tensor, evaluation.values.get(value)!)),
    ...(dump.loss && loss !== null ? [compared(network.loss, dump.loss.tensor, scalar(loss))] : []),
  ]
  const sameForward = values.every((v) => v.ok)
  const single = singlePrecision(exact)
  const gradients = [...given.gradients].map(([value, { tensor }]): Compared => {
    const derived = evaluation.gradients.get(value)!
    const difference = compared(value, tensor, derived)
    if (difference.ok || isNothing(tensor, derived, single.get(value)!)) return { ...difference, ok: true }
    if (!sameForward) return difference
    const same = concrete.derivation.network.values.get(value.name)!
    const diagnosis =
      mistakeIn(value, derivation, evidenceOf(evaluation, tensor, tolerance, given.point)) ??
      mistakeIn(same, concrete.derivation, evidenceOf(concrete.evaluation, tensor, tolerance, given.point))
    return { ...difference, diagnosis: { kind: 'other', message: words.unexplained({}), ...diagnosis, subject: value } }
  })
  const fromTheLoss = [...derivation.gradients.keys()]
  return {
    file: source.name,
    derivation,
    tolerance,
    values,
    gradients: gradients.sort((a, b) => fromTheLoss.indexOf(a.of) - fromTheLoss.indexOf(b.of)),
    missing: [...network.values.values()].filter((v) => v.role === 'input' && !given.gradients.has(v)),
    remarks: evaluation.remarks,
  }
}

/** What the dump has for a gradient, at a point where the forward pass is known. */
function evidenceOf({ given, values }: Evaluation, claimed: Tensor, tolerance: number, { sizes }: Point): Evidence {
  const known = new Map([...given.point.values, ...[...values].map(([v, t]) => [v.expr, t] as const)])
  return { samples: [{ point: { sizes, values: known }, claimed }], tolerance: Math.min(Math.max(tolerance, 1e-6), 1e-3) }
}

/** A dump without the gradient of a parameter would pass by what it leaves out. */
function requireGradients({ given, dump }: Evaluation, { network }: Derivation): void {
  const top = { start: 0, end: 1 }
  const lacking = [...network.values.values()].filter((v) => v.role === 'param' && !given.gradients.has(v))
  const faults: Diagnostic[] =
    given.gradients.size === 0 && !dump.gradients?.size
      ? [diagnostic('no-gradients', {}, top)]
      : lacking.map(({ name }) => diagnostic('gradient-not-given', { name }, top))
  if (faults.length > 0) throw new Failure(faults)
}

function differenceOf(of: Value, dumped: Tensor, derived: Tensor, tolerance: number): Compared {
  const gap = zip(dumped, derived, (a, b) => (Number.isFinite(b) ? Math.abs(a - b) : Number.POSITIVE_INFINITY))
  const at = gap.data.reduce((best, x, i) => (x > gap.data[best]! ? i : best), 0)
  const scale = Math.max(largest(dumped), largest(derived))
  const worst = gap.data.length === 0 || gap.data[at] === 0 ? 0 : gap.data[at]! / scale
  const index = dumped.shape.reduceRight<{ rest: number; index: number[] }>(
    ({ rest, index }, size) => ({ rest: Math.floor(rest / size), index: [rest % size, ...index] }),
    { rest: at, index: [] },
  )
  return { of, ok: worst <= tolerance, worst, index: index.index, dumped: dumped.data[at] ?? 0, derived: derived.data[at] ?? 0 }
}

/** How far each gradient is from itself computed in float32; one that no way leads back to is exactly zero. */
function singlePrecision({ derivation, evaluation: { given, gradients } }: Evaluated): ReadonlyMap<Value, number> {
  const totalOf = (v: Value): Expr | undefined => derivation.gradients.get(v)?.total
  const totals = [...gradients.keys()].flatMap((v) => totalOf(v) ?? [])
  const rounded = evaluate(totals, { ...given.point, round: (value) => map(value, Math.fround) })
  const gapOf = (exact: Tensor, total: Expr | undefined): number => (total ? distance(exact, rounded.get(total)!) : 0)
  return new Map([...gradients].map(([v, exact]) => [v, gapOf(exact, totalOf(v))]))
}

/** A gradient that cancels to zero is rounding and nothing else: its relative error says nothing. */
const isNothing = (dumped: Tensor, derived: Tensor, rounding: number): boolean =>
  largest(derived) <= 1e-3 * rounding && largest(dumped) <= 100 * rounding
