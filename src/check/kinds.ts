/** The kinds of mistakes, and how numbers between two sides are named. */
import { nameLayout } from '../layout/names.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
import { mistakes as words } from '../words.ts'
import { type Evidence, near } from './evidence.ts'

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
  /** More of them: further terms. */
  readonly details?: readonly string[]
  /** The value whose gradient was claimed. */
  readonly subject?: Value | undefined
}

const fractions: readonly (readonly [number, string])[] = [
  [0.5, '½'],
  [0.25, '¼'],
  [1 / 3, '⅓'],
  [2 / 3, '⅔'],
  [0.75, '¾'],
]

/** ½, 3, 1/32, 0.173 */
export function numberText(value: number): string {
  const known = fractions.find(([v]) => near(v, value, 1e-4))?.[1]
  if (known) return known
  const [whole, under] = [Math.round(value), Math.round(1 / value)]
  // a factor of 1.00001 is not told as one
  if (near(value, 1, 1e-4) && !near(value, 1, 1e-9)) return String(Number(value.toPrecision(9)))
  if (near(value, whole, 1e-4) && whole !== 0) return String(whole)
  const [quotient, decimals] = [`1/${under}`, String(Number(value.toPrecision(4)))]
  return Math.abs(under) > 1 && near(1 / value, under, 1e-4) && quotient.length < decimals.length ? quotient : decimals
}

/** A number that a mistake leaves behind: ½, 3, 1/32. */
export const isSimple = (value: number): boolean => !numberText(value).includes('.')

/** One factor between the sides at each point: a number, or a size. */
export function factorDiagnosis(found: readonly number[], { samples, tolerance }: Evidence, isMerged: boolean): Diagnosis | undefined {
  const isNear = (a: number, b: number): boolean => near(a, b, 10 * tolerance)
  const [first] = found as [number]
  const isOne = found.every((r) => isNear(r / first, 1))
  const size = sizeFactor(
    found,
    samples.map((s) => s.point.sizes),
    isNear,
  )
  if (!isOne) return { kind: 'factor', message: size ? words.factor(size) : words['depends-on-sizes']({}) }
  if (isNear(first, 0)) return { kind: 'missing-term', message: words.zero({}) }
  if (isNear(first, -1)) return { kind: 'sign', message: words.negative({}) }
  if (isNear(first, 1)) return undefined
  const number = numberText(first)
  // one number at one point says little of a scalar: it must at least be a simple one
  if (samples.length === 1 && samples[0]!.claimed.data.length === 1 && !size && !isSimple(first)) return undefined
  if (isMerged && isNear(first, 0.5)) return { kind: 'factor', message: words.factor({ factor: number, why: words.averaged({}) }) }
  return { kind: 'factor', message: words.factor(size ? { ...size, factor: `${number} = ${size.factor}` } : { factor: number, why: '' }) }
}

/** A factor that is a size or a product of two, or one over it: a mean that was forgotten, or one too many. */
function sizeFactor(
  found: readonly number[],
  sizes: readonly ReadonlyMap<string, number>[],
  isNear: (a: number, b: number) => boolean,
): { factor: string; why: string } | undefined {
  const names = [...sizes[0]!.keys()]
  const products = [...names.map((n) => [n]), ...names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b]))]
  for (const factors of products) {
    const size = (k: number): number => factors.reduce((n, name) => n * sizes[k]!.get(name)!, 1)
    if (size(0) === 1) continue
    const text = factors.map((name) => toText(nameLayout(name))).join('·')
    if (found.every((r, k) => isNear(r / size(k), 1))) return { factor: text, why: words['mean-forgotten']({}) }
    if (found.every((r, k) => isNear(r * size(k), 1))) return { factor: `1/${text}`, why: words['mean-too-much']({ size: text }) }
  }
  return undefined
}
