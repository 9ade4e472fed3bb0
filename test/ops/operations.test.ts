/** Every operation of the registry, by its own examples: gradients against central differences, shapes, definitions, notation. */
import katex from 'katex'
import { describe, expect, test } from 'vitest'
import { pullback } from '../../src/derive/reverse.ts'
import { sizeIn } from '../../src/expr/dim.ts'
import { definition, type Expr, inOrder, substitute } from '../../src/expr/expr.ts'
import { typeset } from '../../src/expr/typeset.ts'
import { toLatex } from '../../src/layout/latex.ts'
import { nameLayout } from '../../src/layout/names.ts'
import { toText } from '../../src/layout/text.ts'
import { operations } from '../../src/ops/index.ts'
import { fill, named, variable } from '../../src/ops/leaves.ts'
import { randomFrom } from '../../src/tensor/random.ts'
import { exampleOf } from '../examples.ts'
import { gap, largestGap, pointFor, randomLike, sizesFor, valueAt } from '../numeric.ts'

const tolerance = 1e-6
const draws = [0, 1, 2]
const internal = new Set(['embed'])

/** f's error sent back to each variable for a cotangent. */
function backs(f: Expr, g: Expr, variables: readonly Expr[]): ReadonlyMap<Expr, Expr> {
  const name = named('f', nameLayout('f'), f)
  const sent = pullback(name, g, new Set(variables))
  return new Map([...sent].map(([v, back]) => [v, substitute([back], (e) => (e === name ? f : undefined))[0]!]))
}

const hasFrozen = (f: Expr): boolean => inOrder([f]).some((e) => e.op.frozen)

/** Compares every gradient of f with differences, redrawing near kinks. */
function checkGradients(f: Expr, variables: readonly Expr[], sizeNames: readonly string[]): void {
  const g = variable('g', f.shape, nameLayout('g'))
  const found = backs(f, g, variables)
  for (const k of draws) {
    const sizes = sizesFor(sizeNames, k)
    for (const v of variables) {
      const back = found.get(v) ?? fill(0, v.shape)
      const errors = Array.from({ length: 30 }, (_, attempt) => {
        const point = pointFor(variables, sizes, randomFrom(k, attempt, f.op.name))
        const values = new Map(point.values).set(g, randomLike(f, sizes, k))
        return () => gap(f, v, back, g, { sizes, values }, k)
      })
      const error = firstOf(errors)
      expect(error, `the gradient of ${toText(typeset(f))} by ${v.op.name}`).toBeLessThan(tolerance)
    }
  }
}

/** The first error that is measured away from kinks. */
function firstOf(attempts: readonly (() => number | undefined)[]): number | undefined {
  for (const attempt of attempts) {
    const error = attempt()
    if (error !== undefined) return error
  }
  return undefined
}

describe.each([...operations.values()].map((op) => [op.name, op] as const))('%s', (_, op) => {
  test('says what it is', () => {
    for (const text of [op.why, op.formula, op.source]) expect(text.length).toBeGreaterThan(0)
    if (!internal.has(op.name)) expect(op.examples.length).toBeGreaterThan(0)
  })

  test.each(op.examples)('%s', (text) => {
    const { expr, variables, sizes: names } = exampleOf(text)
    const differentiable = variables.filter(() => !hasFrozen(expr))
    checkGradients(expr, differentiable, names)

    for (const k of draws) {
      const sizes = sizesFor(names, k)
      const point = pointFor(variables, sizes, randomFrom(k, text))
      const value = valueAt(expr, point)
      expect(value.shape).toEqual(expr.shape.map((d) => sizeIn(d, sizes)))
      const expansion = definition(expr)
      if (expansion) expect(largestGap(value, valueAt(expansion, point))).toBeLessThan(1e-12)
    }
    const layout = typeset(expr)
    expect(toText(layout).length).toBeGreaterThan(0)
    katex.renderToString(toLatex(layout), { strict: 'error', throwOnError: true })
  })

  test.each(op.examples)('%s: its own rule is what its definition gives, and has a gradient itself', (text) => {
    const { expr, variables, sizes: names } = exampleOf(text)
    if (hasFrozen(expr)) return
    const g = variable('g', expr.shape, nameLayout('g'))
    const own = backs(expr, g, variables)
    const expansion = definition(expr)
    const defined = expansion ? backs(expansion, g, variables) : own
    for (const [v, back] of own) {
      const sizes = sizesFor(names, 1)
      const values = new Map(pointFor(variables, sizes, randomFrom(7, text)).values).set(g, randomLike(expr, sizes, 3))
      if (defined.has(v))
        expect(largestGap(valueAt(back, { sizes, values }), valueAt(defined.get(v)!, { sizes, values }))).toBeLessThan(1e-9)
      checkGradients(back, [...variables, g], names)
    }
  })
})
