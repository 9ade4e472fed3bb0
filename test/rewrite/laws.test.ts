/** The tables of laws: each equation holds, no order of application changes a value, rewriting ends, and every law has work. */
import { describe, expect, test } from 'vitest'
import type { Expr } from '../../src/expr/expr.ts'
import { inOrder } from '../../src/expr/traverse.ts'
import { canonicalLaws } from '../../src/rewrite/canonical.ts'
import { type Law, rewriter, type Step } from '../../src/rewrite/engine.ts'
import type { Equation } from '../../src/rewrite/pattern.ts'
import { tidyLaws } from '../../src/rewrite/tidy.ts'
import { largestGap, pointFor, sizesFor, valueAt } from '../numeric.ts'
import { randomFrom, shuffled } from '../random.ts'
import { expressionOf, shapeFor, sizeNames, variables } from './expressions.ts'

/** Whether two expressions have the same values; undefined where one of them is not finite or too large to compare. */
function agree(a: Expr, b: Expr, seed: number): boolean | undefined {
  const point = pointFor(variables, sizesFor(sizeNames, seed), randomFrom(seed, 'point'))
  const [x, y] = [valueAt(a, point), valueAt(b, point)]
  if (![...x.data, ...y.data].every((v) => Number.isFinite(v) && Math.abs(v) < 1e9)) return undefined
  return x.shape.join() === y.shape.join() && largestGap(x, y) < 1e-7
}

const isEquation = (law: Law): law is Equation => 'left' in law

describe.each([...new Set([...tidyLaws, ...canonicalLaws])].filter(isEquation).map((law) => [law.name, law] as const))('%s', (_, law) => {
  test.each([0, 1, 2])('holds at random values (%i)', (k) => {
    const leaves = inOrder([law.left, law.right]).filter((e) => e.args.length === 0)
    const point = pointFor(leaves, sizesFor(['b', 'h', 'k', 'm', 'n'], k), randomFrom(k, law.name))
    expect(largestGap(valueAt(law.left, point), valueAt(law.right, point))).toBeLessThan(1e-12)
    expect(law.apply(law.left)).not.toBeNull()
  })
})

describe.each([
  ['tidy', tidyLaws],
  ['canonical', canonicalLaws],
] as const)('%s laws', (_, laws) => {
  const seeds = Array.from({ length: 400 }, (__, seed) => seed)
  const random = (seed: number) => randomFrom(seed, 'expression')
  const expressions = seeds.map((seed) => expressionOf(random(seed), shapeFor(random(seed + 1000)), 1 + (seed % 3)))
  const traces = expressions.map((expr) => {
    const steps: Step[] = []
    return { expr, result: rewriter(laws)(expr, steps), steps }
  })
  const wrong = (pairs: readonly (readonly [what: string, before: Expr, after: Expr])[], seed: number): string[] =>
    pairs.flatMap(([what, before, after]) => (agree(before, after, seed) === false ? [what] : []))

  test('every step keeps the value', () => {
    const faulty = traces.flatMap(({ steps }, seed) =>
      wrong(
        steps.map(({ law, before, after }) => [law, before, after]),
        seed,
      ),
    )
    expect([...new Set(faulty)]).toEqual([])
  })

  test('random expressions keep their values, in any order of the laws', () => {
    const faulty = traces.flatMap(({ expr, result }, seed) => {
      const other = rewriter(shuffled(random(seed), laws))(expr)
      return wrong(
        [
          [`expression ${seed}`, expr, result],
          [`expression ${seed}, laws shuffled`, expr, other],
        ],
        seed,
      )
    })
    expect(faulty).toEqual([])
  })

  test('most values are finite, so that comparing them means something', () => {
    const compared = traces.filter(({ expr, result }, seed) => agree(expr, result, seed) !== undefined)
    expect(compared.length).toBeGreaterThan(0.9 * traces.length)
  })

  test('what is in normal form stays as it is', () => {
    for (const [seed, expr] of expressions.entries()) {
      const result = rewriter(laws)(expr)
      expect(rewriter(laws)(result) === result, `expression ${seed}`).toBe(true)
    }
  })

  test('shapes are kept', () => {
    for (const expr of expressions) expect(rewriter(laws)(expr).shape.length).toBe(expr.shape.length)
  })

  test('every law was applied to some expression', () => {
    const fired = new Set(traces.flatMap(({ steps }) => steps.map((step) => step.law)))
    expect(laws.map((law) => law.name).filter((name) => !fired.has(name))).toEqual([])
  })
})
