/** Writes the verdicts of `check` for a terminal: what holds in one line a file, what does not with its diagnosis. */

import type { Counterexample, Judgement } from '../check/judge.ts'
import type { Source } from '../diagnostic.ts'
import { lengthsText } from '../network/lengths.ts'
import type { Lengths } from '../network/network.ts'
import type { Result } from '../pipeline.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { comparisonText } from './comparison.ts'
import { derivedLines } from './derived.ts'
import { placeOf } from './faults.ts'
import type { Paint } from './paint.ts'
import { summaryText } from './summary.ts'

export function verdictsOf(result: Result, source: Source, seed: number, paint: Paint): string {
  const claims = (result.judgements ?? []).map((j) => claimText(j, source, seed, paint))
  const compared = result.comparison ? comparisonText(result.comparison, paint) : []
  return [paint.strong(source.name), ...claims, ...compared, summaryText(result, paint), ''].join('\n')
}

/** The claims that do not hold, with what is wrong with them. */
export const failingClaims = (result: Result, source: Source, seed: number, paint: Paint): string =>
  (result.judgements ?? [])
    .filter((j) => !j.ok)
    .map((j) => `${claimText(j, source, seed, paint)}\n`)
    .join('')

function claimText({ claim, verdict, ok, about }: Judgement, source: Source, seed: number, paint: Paint): string {
  const { line, column } = placeOf(source, claim.span.start)
  const written = claim.source.replaceAll(/\s+/g, ' ')
  const not = (about ? `${about}: ` : '') + (claim.negated ? 'not: ' : '')
  if (ok) {
    const how =
      verdict.kind === 'refuted' ? `refuted: ${verdict.diagnosis.message}` : verdict.kind === 'agrees' ? agreement(verdict) : verdict.kind
    return `${paint.good('✓')} ${line}:${column}  ${not}${written}\n    ${paint.faint(how)}`
  }
  const head = `${paint.bad('✗')} ${paint.strong(`${source.name}:${line}:${column}`)}  ${paint.bad(claim.negated && verdict.kind !== 'undecided' ? `holds (${verdict.kind}), but stands under not:` : verdict.kind)}`
  return [head, `    ${not}${written}`, ...why(verdict, seed).map((text) => `  ${text}`)].join('\n')
}

function agreement({ points, lengths }: Judgement['verdict'] & { kind: 'agrees' }): string {
  return lengths ? `agrees for ${lengthsText(lengths)}` : `agrees at ${points} points`
}

function why(verdict: Judgement['verdict'], seed: number): string[] {
  if (verdict.kind === 'undecided') return [verdict.because]
  if (verdict.kind !== 'refuted') return []
  const { diagnosis, counterexample, derivation, at } = verdict
  const derived = derivedLines(diagnosis.subject, derivation)
  return [
    diagnosis.message,
    ...(diagnosis.details ?? []),
    ...derived,
    ...(counterexample
      ? [counterexampleText(counterexample, diagnosis.subject !== undefined, at, seed)]
      : at.size > 0
        ? [`at ${sizesText(at)}`]
        : []),
  ]
}

const sizesText = (sizes: Lengths): string => [...sizes].map(([name, n]) => `${name} = ${n}`).join(', ')

/** Where the left side is a gradient, the right one is what was claimed of it. */
function counterexampleText({ point, claimed, derived }: Counterexample, isGradient: boolean, at: Lengths, seed: number): string {
  const sizes = sizesText(new Map([...at, ...point.sizes]))
  const written = [claimed, derived].map(numbersFrom(startOf(claimed, derived), digitsThatDiffer(claimed, derived)))
  const told = isGradient ? `claimed ${written[0]}  derived ${written[1]}` : `left ${written[1]}  right ${written[0]}`
  return `at ${sizes ? `${sizes} ` : ''}(seed ${seed}):  ${told}`
}

const most = 4
const [fewestDigits, mostDigits] = [3, 17]

/** The first entry that is shown: those that differ must be among them. */
function startOf(a: Tensor, b: Tensor): number {
  const gaps = a.data.map((x, i) => Math.abs(x - b.data[i]!))
  const widest = gaps.reduce((x, y) => Math.max(x, y), 0)
  if (gaps.subarray(0, most).some((gap) => gap > 0 && gap >= widest / 1000)) return 0
  return Math.max(0, Math.min(gaps.indexOf(widest), gaps.length - most))
}

/** So many digits that a near miss does not print as two equal lists, where the entries that are shown differ at all. */
function digitsThatDiffer(a: Tensor, b: Tensor): number {
  const counts = Array.from({ length: mostDigits - fewestDigits + 1 }, (_, i) => fewestDigits + i)
  const start = startOf(a, b)
  return counts.find((digits) => numbersFrom(start, digits)(a) !== numbersFrom(start, digits)(b)) ?? fewestDigits
}

/** [0.41, -1.20, …] */
const numbersFrom =
  (start: number, digits: number) =>
  ({ data, shape }: Tensor): string => {
    const shown = [...data.subarray(start, start + most)].map((x) => x.toPrecision(digits))
    const entries = [...(start > 0 ? ['…'] : []), ...shown, ...(data.length > start + most ? ['…'] : [])]
    const list = shape.length === 0 ? shown[0]! : `[${entries.join(', ')}]`
    return shape.length > 1 ? `${list} (${shape.join('×')})` : list
  }
