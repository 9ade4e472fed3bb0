/** What a diagnosis has to explain: what was claimed, in numbers, at one point or several. */
import { evaluate, type Point } from '../expr/evaluate.ts'
import type { Expr } from '../expr/expr.ts'
import { distance, largest, map, sizeOf, type Tensor, zip } from '../tensor/tensor.ts'

export interface Sample {
  readonly point: Point
  readonly claimed: Tensor
}

export interface Evidence {
  readonly samples: readonly Sample[]
  /** A relative difference that means nothing. */
  readonly tolerance: number
}

export const near = (a: number, b: number, tolerance = 1e-6): boolean => Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b))

/** The values of expressions at each point. */
const valuesOf = (exprs: readonly Expr[], { samples }: Evidence): readonly (readonly Tensor[])[] =>
  samples.map(({ point }) => {
    const values = evaluate(exprs, point)
    return exprs.map((e) => values.get(e)!)
  })

/** Whether an expression has the claimed values everywhere. */
export const explains = (expr: Expr, { samples, tolerance }: Evidence): boolean =>
  samples.every(({ point, claimed }) => isSame(evaluate([expr], point).get(expr)!, claimed, tolerance))

/** Equal but for a relative difference in the largest entries; shapes count. */
export function isSame(a: Tensor, b: Tensor, tolerance: number): boolean {
  if (a.shape.length !== b.shape.length || a.shape.some((n, axis) => n !== b.shape[axis])) return false
  return distance(a, b) <= tolerance * Math.max(largest(a), largest(b))
}

/** c with claimed = c·derived in every entry, at each point. */
export function ratios(derived: Expr, evidence: Evidence): readonly number[] | undefined {
  const found = valuesOf([derived], evidence).map(([value], k) => ratioOf(evidence.samples[k]!.claimed, value!, evidence.tolerance))
  return found.includes(undefined) ? undefined : (found as number[])
}

function ratioOf(a: Tensor, b: Tensor, tolerance: number): number | undefined {
  if (sizeOf(a.shape) !== sizeOf(b.shape)) return undefined
  const top = b.data.reduce((best, x, i) => (Math.abs(x) > Math.abs(b.data[best]!) ? i : best), 0)
  const ratio = a.data[top]! / b.data[top]!
  const scale = Math.abs(ratio * b.data[top]!) + Math.abs(a.data[top]!)
  const fits = Number.isFinite(ratio) && a.data.every((x, i) => Math.abs(x - ratio * b.data[i]!) <= tolerance * scale)
  return fits ? ratio : undefined
}

/** c with claimed = Σ cᵢ termᵢ at all points, by least squares; undefined where there is none, or more than one. */
export function combination(terms: readonly Expr[], evidence: Evidence): readonly number[] | undefined {
  const columns = valuesOf(terms, evidence)
  const rows = evidence.samples.flatMap(({ claimed }, k) =>
    [...claimed.data].map((y, i) => ({ y, x: columns[k]!.map((column) => column.data[i]!) })),
  )
  const n = terms.length
  if (rows.length <= n) return undefined
  const normal = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n + 1 }, (__, j) => rows.reduce((s, { x, y }) => s + x[i]! * (j === n ? y : x[j]!), 0)),
  )
  const solution = solved(normal)
  if (!solution) return undefined
  const scale = rows.reduce((most, { y }) => Math.max(most, Math.abs(y)), 1e-300)
  const fits = rows.every(({ x, y }) => Math.abs(y - x.reduce((s, v, i) => s + v * solution[i]!, 0)) <= evidence.tolerance * scale)
  return fits ? solution : undefined
}

/** So many terms are left out in every combination. */
const mostTerms = 10

/** Simple coefficients that give what was claimed: some terms left out, or one of them with another sign or twice. For few entries. */
export function simpleCombination(terms: readonly Expr[], evidence: Evidence): readonly number[] | undefined {
  const { samples, tolerance } = evidence
  const entries = samples.reduce((sum, { claimed }) => sum + claimed.data.length, 0)
  if (terms.length < 2 || terms.length > Math.min(mostTerms, 3 * entries)) return undefined
  const values = valuesOf(terms, evidence)
  const subsets = Array.from({ length: 2 ** terms.length - 2 }, (_, bits) => terms.map((__, i) => ((bits + 1) >> i) & 1))
  const fewestFirst = subsets.sort((a, b) => sumOf(b) - sumOf(a))
  const singles = terms.flatMap((_, i) => [-1, 2, 0.5].map((c) => terms.map((__, j) => (i === j ? c : 1))))
  return [...fewestFirst, ...singles].find((coefficients) =>
    samples.every(({ claimed }, k) => {
      const none = map(claimed, () => 0)
      const total = coefficients.reduce((sum, c, i) => zip(sum, values[k]![i]!, (a, b) => a + c * b), none)
      return isSame(total, claimed, tolerance)
    }),
  )
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

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
