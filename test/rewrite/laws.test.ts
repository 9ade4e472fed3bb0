/** The tables of laws: each equation holds, no order of application changes a value, and rewriting ends. */
import { describe, expect, test } from 'vitest'
import { type Expr, inOrder } from '../../src/expr/expr.ts'
import { nameLayout } from '../../src/layout/names.ts'
import { add, divide, multiply, negate } from '../../src/ops/arithmetic.ts'
import { fill, variable } from '../../src/ops/leaves.ts'
import { matmul, matvec, outer } from '../../src/ops/linear.ts'
import { broadcast, slice, sum, T } from '../../src/ops/movement.ts'
import { canonicalLaws } from '../../src/rewrite/canonical.ts'
import { type Law, rewriter, type Step } from '../../src/rewrite/engine.ts'
import type { Equation } from '../../src/rewrite/pattern.ts'
import { tidyLaws } from '../../src/rewrite/tidy.ts'
import { below, type Random, randomFrom, shuffled } from '../../src/tensor/random.ts'
import { largestGap, pointFor, sizesFor, valueAt } from '../numeric.ts'

const n = 3
const vectors = ['a', 'b', 'c'].map((name) => variable(name, [n], nameLayout(name), { kind: 'positive' }))
const matrices = ['A', 'B'].map((name) => variable(name, [n, n], nameLayout(name), { kind: 'positive' }))
const scalars = ['s', 't'].map((name) => variable(name, [], nameLayout(name), { kind: 'positive' }))
const variables = [...vectors, ...matrices, ...scalars]

const pick = <T>(random: Random, items: readonly T[]): T => items[below(random, items.length)]!

/** A random vector expression; signs and numbers are frequent, so that laws have work. */
function vectorOf(random: Random, depth: number): Expr {
  if (depth === 0) return pick(random, [...vectors, fill(2, [n]), fill(0, [n]), fill(1, [n])])
  const x = () => vectorOf(random, depth - 1)
  const rules: (() => Expr)[] = [
    () => add([x(), x(), x()]),
    () => add([x(), negate(x())]),
    () => multiply([x(), x()]),
    () => multiply([fill(below(random, 4), [n]), x()]),
    () => multiply([scalarOf(random, depth - 1), x()]),
    () => negate(x()),
    () => divide(x(), pick(random, vectors)),
    () => divide(x(), fill(2)),
    () => matvec(matrixOf(random, depth - 1), x()),
    () => slice(x(), { start: [0], size: [n], step: [1], drop: [] }),
    () => sum(matrixOf(random, depth - 1), { axis: [1] }),
  ]
  return pick(random, rules)()
}

function matrixOf(random: Random, depth: number): Expr {
  if (depth <= 0) return pick(random, matrices)
  const X = () => matrixOf(random, depth - 1)
  const rules: (() => Expr)[] = [
    () => T(X()),
    () => matmul(X(), X()),
    () => outer(vectorOf(random, depth - 1), vectorOf(random, depth - 1)),
    () => add([X(), negate(X())]),
    () => broadcast(vectorOf(random, depth - 1), { shape: [n, n] }),
    () => multiply([X(), fill(3, [n, n])]),
  ]
  return pick(random, rules)()
}

const scalarOf = (random: Random, depth: number): Expr =>
  depth <= 0 ? pick(random, scalars) : pick(random, [...scalars, sum(vectorOf(random, depth - 1))])

const agree = (a: Expr, b: Expr, seed: number): void => {
  const point = pointFor(variables, new Map(), randomFrom(seed))
  const [x, y] = [valueAt(a, point), valueAt(b, point)]
  if ([...x.data, ...y.data].every((v) => Number.isFinite(v) && Math.abs(v) < 1e9)) expect(largestGap(x, y)).toBeLessThan(1e-7)
}

const isEquation = (law: Law): law is Equation => 'left' in law

describe.each([...new Set([...tidyLaws, ...canonicalLaws])].filter(isEquation).map((law) => [law.name, law] as const))('%s', (_, law) => {
  test.each([0, 1, 2])('holds at random values (%i)', (k) => {
    const leaves = inOrder([law.left, law.right]).filter((e) => e.args.length === 0)
    const point = pointFor(leaves, sizesFor(['k', 'm', 'n'], k), randomFrom(k, law.name))
    expect(largestGap(valueAt(law.left, point), valueAt(law.right, point))).toBeLessThan(1e-12)
    expect(law.apply(law.left)).not.toBeNull()
  })
})

describe.each([
  ['tidy', tidyLaws],
  ['canonical', canonicalLaws],
] as const)('%s laws', (_, laws) => {
  test.each(Array.from({ length: 120 }, (__, seed) => seed))(
    'random expression %i keeps its value, step by step and in any order',
    (seed) => {
      const random = randomFrom(seed, 'expression')
      const expr = vectorOf(random, 3)
      const steps: Step[] = []
      const result = rewriter(laws)(expr, steps)
      agree(expr, result, seed)
      for (const { before, after } of steps) if (before.shape.length <= 2) agree(before, after, seed)
      const other = rewriter(shuffled(random, laws))(expr)
      agree(expr, other, seed)
      expect(rewriter(laws)(result)).toBe(result)
    },
  )
})
