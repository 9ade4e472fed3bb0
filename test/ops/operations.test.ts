/** Every operation of the registry, by its own examples: gradients against central differences, shapes, definitions, notation. */
import katex from 'katex'
import { describe, expect, test } from 'vitest'
import { sizeIn } from '../../src/expr/dim.ts'
import { definition, type Expr, make } from '../../src/expr/expr.ts'
import { shapeText } from '../../src/expr/shape.ts'
import { argsOf, inOrder, substitute } from '../../src/expr/traverse.ts'
import { typeset } from '../../src/expr/typeset.ts'
import { toLatex } from '../../src/layout/latex.ts'
import { nameLayout } from '../../src/layout/names.ts'
import { toText } from '../../src/layout/text.ts'
import { add, multiply, negate } from '../../src/ops/arithmetic.ts'
import { operations } from '../../src/ops/index.ts'
import { domainOf, fill, named, variable } from '../../src/ops/leaves.ts'
import { pullback } from '../../src/ops/pullback.ts'
import { randomFrom } from '../../src/tensor/random.ts'
import { allFinite, map } from '../../src/tensor/tensor.ts'
import { exampleOf, examplesOf, withMore } from '../examples.ts'
import { gap, largestGap, pointFor, randomLike, sizesFor, valueAt } from '../numeric.ts'

const tolerance = 1e-6
const draws = [0, 1, 2]
/** Kinks of the activations, and where their exponentials would overflow. */
const extremes = [-1000, -40, -6, -3, -1, 0, 1, 3, 6, 40, 1000]

/** f's error sent back to each variable for a cotangent. */
function backs(f: Expr, g: Expr, variables: readonly Expr[]): ReadonlyMap<Expr, Expr> {
  const name = named('f', nameLayout('f'), f)
  const sent = pullback(name, g, new Set(variables))
  return new Map([...sent].map(([v, back]) => [v, substitute([back], (e) => (e === name ? f : undefined))[0]!]))
}

/** What has a gradient: numbers of classes have none. */
const smooth = (variables: readonly Expr[]): Expr[] => variables.filter((v) => domainOf(v).kind !== 'index')

const hasFrozen = (f: Expr): boolean => inOrder([f], argsOf).some((e) => e.op.frozen)

/** Compares every gradient of f with differences, redrawing near kinks. */
function checkGradients(f: Expr, variables: readonly Expr[], sizeNames: readonly string[], all = variables): void {
  const g = variable('g', f.shape, nameLayout('g'))
  const found = backs(f, g, variables)
  for (const k of draws) {
    const sizes = sizesFor(sizeNames, k)
    for (const v of variables) {
      const back = found.get(v) ?? fill(0, v.shape)
      const errors = Array.from({ length: 30 }, (_, attempt) => {
        const point = pointFor([...new Set([...all, ...variables])], sizes, randomFrom(k, attempt, f.op.name))
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

test('every further example belongs to an operation', () => {
  expect(withMore.filter((name) => !operations.has(name))).toEqual([])
})

describe.each([...operations.values()].map((op) => [op.name, op] as const))('%s', (_, op) => {
  test('says what it is', () => {
    for (const text of [op.why, op.formula, op.source]) expect(text.length).toBeGreaterThan(0)
    expect(op.examples.length).toBeGreaterThan(0)
  })

  test.each(examplesOf(op))('%s', (text) => {
    const { expr, variables, sizes: names } = exampleOf(text)
    const differentiable = smooth(variables).filter(() => !hasFrozen(expr))
    checkGradients(expr, differentiable, names, variables)

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

  test.each(examplesOf(op))('%s: every error has the shape of its argument', (text) => {
    const { expr } = exampleOf(text)
    const g = variable('g', expr.shape, nameLayout('g'))
    const sent = expr.op.vjp?.(expr.args, g, expr.attrs, expr) ?? []
    for (const [i, back] of sent.entries()) if (back) expect(shapeText(back.shape)).toBe(shapeText(expr.args[i]!.shape))
    if (expr.op.vjp) expect(sent.length).toBe(expr.args.length)
  })

  test.each(examplesOf(op))('%s: is linear where it says so', (text) => {
    const { expr, variables, sizes: names } = exampleOf(text)
    const sizes = sizesFor(names, 2)
    const { values } = pointFor(variables, sizes, randomFrom(11, text))
    const slots = op.linear === 'each' ? expr.args.map((_, i) => i) : (op.linear ?? [])
    for (const slot of slots) {
      const [x, y] = ['x', 'y'].map((name) => variable(name, expr.args[slot]!.shape, nameLayout(name))) as [Expr, Expr]
      const of = (arg: Expr): Expr => make(expr.op, expr.args.with(slot, arg), expr.attrs)
      const mixed = of(add([multiply([fill(2), x]), negate(y)]))
      const apart = add([multiply([fill(2), of(x)]), negate(of(y))])
      const given = new Map([...values, [x, randomLike(x, sizes, 1)], [y, randomLike(y, sizes, 2)]])
      expect(largestGap(valueAt(mixed, { sizes, values: given }), valueAt(apart, { sizes, values: given }))).toBeLessThan(1e-9)
    }
  })

  test.each(examplesOf(op))('%s: its derivative is the same in every guise, and finite everywhere', (text) => {
    const { expr, variables, sizes: names } = exampleOf(text)
    const { slope, guises } = expr.op
    if (!slope && !guises) return
    const point = pointFor(variables, sizesFor(names, 1), randomFrom(5, text))
    const g = fill(1, expr.shape)
    const same = slope
      ? [slope(expr.args, expr.attrs), backs(expr, g, variables).get(variables[0]!)!]
      : [expr, guises!.explicit(expr.args, expr.attrs), ...(guises!.output ? [guises!.output(expr.args, expr.attrs)] : [])]
    const [first, ...others] = same.map((e) => valueAt(e, point))
    for (const other of others) expect(largestGap(first!, other)).toBeLessThan(1e-9)
    for (const extreme of extremes) {
      const values = new Map(variables.map((v) => [v, map(point.values.get(v)!, () => extreme)]))
      for (const e of same) expect(allFinite(valueAt(e, { ...point, values })), `${toText(typeset(e))} at ${extreme}`).toBe(true)
    }
  })

  test.each(examplesOf(op))('%s: a stable way of computing it does not overflow', (text) => {
    if (!op.evaluate || !op.expand) return
    const { expr, variables, sizes: names } = exampleOf(text)
    const { sizes, values } = pointFor(variables, sizesFor(names, 1), randomFrom(6, text))
    const far = new Map([...values].map(([v, value]) => [v, map(value, (x) => 1000 * x)]))
    expect(allFinite(valueAt(expr, { sizes, values: far }))).toBe(true)
  })

  test.each(examplesOf(op))('%s: its own rule is what its definition gives, and has a gradient itself', (text) => {
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
      checkGradients(back, [...smooth(variables), g], names, variables)
    }
  })
})
