/** What is wrong with a refuted claim: which term is missing, extra, or off by a factor. */
import type { Derivation } from '../derive/derive.ts'
import type { Gradient } from '../derive/reverse.ts'
import type { Sizes } from '../expr/dim.ts'
import { evaluate } from '../expr/evaluate.ts'
import { type Expr, substitute } from '../expr/expr.ts'
import { typeset } from '../expr/typeset.ts'
import { derivative } from '../layout/layout.ts'
import { nameLayout } from '../layout/names.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
import { fill } from '../ops/leaves.ts'
import { termsOf } from '../rewrite/terms.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { drawPoint, withStrangers } from './draw.ts'

/** What a refuted claim got wrong; the strings are part of the documented JSON. */
export type DiagnosisKind =
  | 'missing-term'
  | 'extra-term'
  | 'sign'
  | 'factor'
  | 'transpose'
  | 'order'
  | 'mask'
  | 'point'
  | 'unsummed'
  | 'constant'
  | 'jacobian'
  | 'axis'
  | 'shape'
  | 'other'

export interface Diagnosis {
  readonly kind: DiagnosisKind
  /** One sentence. */
  readonly message: string
  /** More of them: further terms, the derived gradient. */
  readonly details?: readonly string[]
}

interface Difference {
  readonly left: Expr
  readonly right: Expr
  readonly subject: Value | undefined
}

/** A term of the derived gradient with the way it came. */
interface Candidate {
  readonly term: Expr
  readonly text: string
  readonly kind: 'skip' | 'branch'
  readonly path: readonly Value[]
}

const draws = 5

/** Finds the simplest mistake that explains the difference. */
export function diagnose({ left, right, subject }: Difference, derivation: Derivation, seed: number): Diagnosis {
  const gradient = subject && derivation.raw.get(subject)
  const derived = gradient ? [`derived  ${derivedText(gradient, derivation)}`] : []
  const samples = sampled([left, right], derivation, seed)
  const found =
    (gradient && byTerms(right, gradient, derivation, seed)) ??
    byFactor(samples) ??
    byMask(left, right, derivation, seed) ??
    byExtraTerms(left, right, derivation, seed)
  const diagnosis = found ?? { kind: 'other' as const, message: 'the sides differ, and no simple mistake explains it' }
  return { ...diagnosis, details: [...(diagnosis.details ?? []), ...derived] }
}

function derivedText({ of }: Gradient, { network, gradients }: Derivation): string {
  const left = toText(derivative(network.loss.layout, of.layout))
  return `${left} = ${toText(typeset(gradients.get(of)!.total))}`
}

interface Sample {
  readonly sizes: Sizes
  readonly tensors: readonly Tensor[]
}

/** The values of expressions at a few points. */
function sampled(exprs: readonly Expr[], { network }: Derivation, seed: number): readonly Sample[] {
  return Array.from({ length: draws }, (_, k) => {
    const point = withStrangers(exprs, drawPoint(network, seed, 100 + k, 1), seed + k)
    const values = evaluate(exprs, point)
    return { sizes: point.sizes, tensors: exprs.map((e) => values.get(e)!) }
  })
}

const text = (expr: Expr): string => toText(typeset(expr))

/** The claim as a combination of the terms of the derived gradient: a term with coefficient 0 is missing, with −1 has the wrong sign. */
function byTerms(claimed: Expr, gradient: Gradient, derivation: Derivation, seed: number): Diagnosis | undefined {
  const candidates = gradient.contributions.flatMap((c): Candidate[] => {
    const route = derivation.branches.route(gradient.of, c.consumer)
    const printed = derivation.gradients.get(gradient.of)!.contributions.find((p) => p.consumer === c.consumer)!
    const terms = termsOf(c.term)
    const texts = termsOf(printed.term)
    return terms.map((term, i) => ({ term, text: text(texts.length === terms.length ? texts[i]! : printed.term), ...route }))
  })
  if (candidates.length > 12) return undefined
  const coefficients = combination(
    claimed,
    candidates.map((c) => c.term),
    derivation,
    seed,
  )
  if (!coefficients || coefficients.every((c) => near(c, 1))) return undefined
  const [first] = coefficients
  if (coefficients.every((c) => near(c, first!)) && !near(first!, 0) && (coefficients.length > 1 || gradient.contributions.length === 1)) {
    return factorDiagnosis(first!, derivation, gradient)
  }
  const wrong = candidates.map((c, i) => ({ ...c, coefficient: coefficients[i]! })).filter((c) => !near(c.coefficient, 1))
  const messages = wrong.map((c) => termMessage(c, c.coefficient))
  const kind = near(wrong[0]!.coefficient, 0) ? 'missing-term' : near(wrong[0]!.coefficient, -1) ? 'sign' : 'factor'
  return { kind, message: messages[0]!, details: messages.slice(1) }
}

const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-6

function termMessage({ text, kind, path }: Candidate, coefficient: number): string {
  const way = `the ${kind} ${path.map((v) => toText(v.layout)).join(' → ')}`
  if (near(coefficient, 0)) {
    const [from, to] = [toText(path[0]!.layout), toText(path[1]!.layout)]
    const why = kind === 'skip' ? `: ${from} is also a summand of ${to}, so it is not a constant` : ': contributions of all uses add up'
    return `missing ${text}: ${way}${why}`
  }
  if (near(coefficient, -1)) return `wrong sign of ${text}: ${way}`
  return `off by ${numberText(coefficient)} in ${text}: ${way}`
}

const fractions: readonly (readonly [number, string])[] = [
  [0.5, '½'],
  [0.25, '¼'],
  [1 / 3, '⅓'],
  [2 / 3, '⅔'],
  [0.75, '¾'],
]

const numberText = (value: number): string => fractions.find(([v]) => near(v, value))?.[1] ?? String(Number(value.toPrecision(6)))

function factorDiagnosis(factor: number, derivation: Derivation, gradient?: Gradient): Diagnosis {
  if (near(factor, -1)) return { kind: 'sign', message: 'wrong sign: it is the negative of what is derived' }
  const inMerge =
    gradient &&
    [gradient, ...gradient.contributions.map((c) => derivation.raw.get(c.consumer))].some((g) => g && derivation.branches.merges.has(g.of))
  const averaged = near(factor, 0.5) && inMerge ? ': a sum copies the error, it does not average it' : ''
  return { kind: 'factor', message: `off by ${numberText(factor)}${averaged}` }
}

/** One constant between the sides. */
function byFactor(samples: readonly Sample[]): Diagnosis | undefined {
  const ratios = samples.map(({ tensors: [derived, claimed] }) => ratioOf(claimed!, derived!))
  if (ratios.some((r) => r === undefined)) return undefined
  const [first] = ratios as number[]
  if (!ratios.every((r) => near(r! / first!, 1)))
    return bySizes(
      ratios as number[],
      samples.map((s) => s.sizes),
    )
  if (near(first!, 0)) return { kind: 'other', message: 'the claimed side is zero' }
  if (near(first!, -1)) return { kind: 'sign', message: 'wrong sign: it is the negative of what is derived' }
  return { kind: 'factor', message: `off by ${numberText(first!)}` }
}

/** A factor that is a size or a product of two, or one over it: a mean that was forgotten, or one too many. */
function bySizes(ratios: readonly number[], sizes: readonly Sizes[]): Diagnosis | undefined {
  const names = [...sizes[0]!.keys()]
  const products = [...names.map((n) => [n]), ...names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b]))]
  for (const factors of products) {
    const size = (k: number): number => factors.reduce((n, name) => n * sizes[k]!.get(name)!, 1)
    const text = factors.map((name) => toText(nameLayout(name))).join('·')
    if (ratios.every((r, k) => near(r / size(k), 1)))
      return { kind: 'factor', message: `off by ${text}: a mean divides by the number of its entries` }
    if (ratios.every((r, k) => near(r * size(k), 1)))
      return { kind: 'factor', message: `off by 1/${text}: nothing is averaged over ${text}` }
  }
  return { kind: 'factor', message: 'off by a factor that depends on the sizes' }
}

/** c with a = c b in every entry. */
function ratioOf(a: Tensor, b: Tensor): number | undefined {
  const top = b.data.reduce((best, x, i) => (Math.abs(x) > Math.abs(b.data[best]!) ? i : best), 0)
  const ratio = a.data[top]! / b.data[top]!
  const scale = Math.abs(ratio * b.data[top]!) + Math.abs(a.data[top]!)
  const fits = Number.isFinite(ratio) && a.data.every((x, i) => Math.abs(x - ratio * b.data[i]!) <= 1e-9 * scale)
  return fits ? ratio : undefined
}

/** The derived side with one derivative f′(a) left out. */
function byMask(left: Expr, right: Expr, derivation: Derivation, seed: number): Diagnosis | undefined {
  for (const mask of masksIn(left)) {
    const without = replaced(left, mask, fill(1, mask.shape))
    if (agree(without, right, derivation, seed))
      return { kind: 'mask', message: `missing the mask ${text(mask)}: the error passes only where the activation lets it` }
  }
  return undefined
}

/** Derivatives of pointwise functions anywhere in the derivation of a gradient. */
function masksIn(root: Expr): Expr[] {
  const seen = new Set<Expr>()
  const todo = [root]
  const found: Expr[] = []
  while (todo.length > 0 && found.length < 8) {
    const expr = todo.pop()!
    if (seen.has(expr)) continue
    seen.add(expr)
    if (/'$/.test(expr.op.name) && expr.args.length === 1) found.push(expr)
    for (const arg of expr.args) todo.push(arg)
  }
  return found
}

const replaced = (root: Expr, from: Expr, to: Expr): Expr =>
  substitute(
    [root],
    (e) => (e === from ? to : undefined),
    (e) => e.args,
  )[0]!

/** A term of the claimed side that, left out, makes it right. */
function byExtraTerms(left: Expr, right: Expr, derivation: Derivation, seed: number): Diagnosis | undefined {
  const terms = termsOf(right)
  if (terms.length < 2 || terms.length > 12) return undefined
  const coefficients = combination(left, terms, derivation, seed)
  if (!coefficients) return undefined
  const wrong = terms.map((term, i) => ({ term, coefficient: coefficients[i]! })).filter(({ coefficient }) => !near(coefficient, 1))
  const messages = wrong.map(({ term, coefficient }) =>
    near(coefficient, 0) ? `extra ${text(term)}: no path brings it` : `off by ${numberText(1 / coefficient)} in ${text(term)}`,
  )
  if (messages.length === 0) return undefined
  const kind = near(wrong[0]!.coefficient, 0) ? 'extra-term' : near(wrong[0]!.coefficient, -1) ? 'sign' : 'factor'
  return { kind, message: messages[0]!, details: messages.slice(1) }
}

function agree(left: Expr, right: Expr, derivation: Derivation, seed: number): boolean {
  return sampled([left, right], derivation, seed).every(({ tensors: [a, b] }) => ratioOf(a!, b!) !== undefined && near(ratioOf(a!, b!)!, 1))
}

/** c with target = Σ cᵢ termᵢ at all points, by least squares; undefined where there is none, or more than one. */
function combination(target: Expr, terms: readonly Expr[], derivation: Derivation, seed: number): readonly number[] | undefined {
  const samples = sampled([target, ...terms], derivation, seed)
  const rows = samples.flatMap(({ tensors: [t, ...columns] }) => [...t!.data].map((y, i) => ({ y, x: columns.map((c) => c.data[i]!) })))
  const n = terms.length
  const normal = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n + 1 }, (__, j) => rows.reduce((s, { x, y }) => s + x[i]! * (j === n ? y : x[j]!), 0)),
  )
  const solution = solved(normal)
  if (!solution) return undefined
  const scale = rows.reduce((most, { y }) => Math.max(most, Math.abs(y)), 1e-300)
  const fits = rows.every(({ x, y }) => Math.abs(y - x.reduce((s, v, i) => s + v * solution[i]!, 0)) <= 1e-7 * scale)
  return fits ? solution : undefined
}

/** Gaussian elimination with pivots; undefined for a singular system. */
function solved(system: readonly (readonly number[])[]): number[] | undefined {
  const rows = system.map((r) => [...r])
  const n = rows.length
  for (let column = 0; column < n; column++) {
    const pivot = rows
      .slice(column)
      .reduce((best, row, i) => (Math.abs(row[column]!) > Math.abs(rows[best]![column]!) ? column + i : best), column)
    const top = rows[pivot]!
    rows[pivot] = rows[column]!
    rows[column] = top
    if (Math.abs(top[column]!) < 1e-12 * Math.max(...system[column]!.map(Math.abs), 1e-300)) return undefined
    for (let i = 0; i < n; i++) {
      if (i === column) continue
      const factor = rows[i]![column]! / top[column]!
      for (let j = column; j <= n; j++) rows[i]![j]! -= factor * top[j]!
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!)
}
