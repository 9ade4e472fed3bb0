/** Random points and central differences: what the tests know of calculus. */
import { drawValue } from '../src/check/draw.ts'
import { type Sizes, sizeIn } from '../src/expr/dim.ts'
import { evaluate, type Point } from '../src/expr/evaluate.ts'
import type { Expr } from '../src/expr/expr.ts'
import { normalTensor, type Random, randomFrom } from '../src/tensor/random.ts'
import { inner, norm, type Tensor, zip } from '../src/tensor/tensor.ts'

/** Distinct sizes from 2. */
export const sizesFor = (names: readonly string[], k: number): Sizes =>
  new Map(names.map((name, i) => [name, 2 + ((i + k) % (names.length + 1))]))

export function pointFor(variables: readonly Expr[], sizes: Sizes, random: Random): Point {
  return { sizes, values: new Map(variables.map((v) => [v, drawValue(v, sizes, random, 1)])) }
}

export const valueAt = (expr: Expr, point: Point): Tensor => evaluate([expr], point).get(expr)!

export const randomLike = (expr: Expr, sizes: Sizes, seed: number): Tensor =>
  normalTensor(
    randomFrom(seed, 'like'),
    expr.shape.map((d) => sizeIn(d, sizes)),
  )

/** On which side of every kink the evaluation of an expression goes. */
function sides(expr: Expr, point: Point): string {
  const found: number[] = []
  evaluate([expr], point, (e, args, attrs) => {
    for (const distance of e.op.kinks?.(args, attrs) ?? []) found.push(...distance.data.map(Math.sign))
  })
  return found.join()
}

/**
 * The relative gap between ⟨vjp, d⟩ and the central difference of ⟨g, f⟩ along d in one variable; undefined near a kink, and
 * where the function has no finite value.
 */
export function gap(f: Expr, variable: Expr, back: Expr, g: Expr, point: Point, seed: number): number | undefined {
  // not the numbers that the cotangent has: along g itself, a Jacobian and its transpose look alike
  const direction = randomLike(variable, point.sizes, seed + 100)
  const moved = (h: number): Point => ({
    ...point,
    values: new Map(point.values).set(
      variable,
      zip(point.values.get(variable)!, direction, (x, d) => x + h * d),
    ),
  })
  const h = 1e-4
  const points = [h, -h, 2 * h, -2 * h].map(moved)
  if (new Set(points.map((p) => sides(f, p))).size > 1) return undefined
  const cotangent = point.values.get(g)!
  const [a, b, c, d] = points.map((p) => inner(cotangent, valueAt(f, p))) as [number, number, number, number]
  const difference = (8 * (a - b) - (c - d)) / (12 * h)
  if (![a, b, c, d].every(Number.isFinite)) return undefined
  const slope = valueAt(back, point)
  return Math.abs(difference - inner(slope, direction)) / (norm(slope) * norm(direction) + norm(cotangent) + 1e-3)
}

export const largestGap = (a: Tensor, b: Tensor): number => {
  const size = Math.max(...a.data.map(Math.abs), ...b.data.map(Math.abs), 1e-9)
  return Math.max(0, ...zip(a, b, (x, y) => Math.abs(x - y)).data) / size
}
