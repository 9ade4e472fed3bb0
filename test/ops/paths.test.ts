/** Paths inside operations: each is what its quantity alone sends back, and together they are the error. */
import { describe, expect, test } from 'vitest'
import type { Expr } from '../../src/expr/expr.ts'
import { shapeText } from '../../src/expr/shape.ts'
import { nameLayout } from '../../src/layout/names.ts'
import { toText } from '../../src/layout/text.ts'
import { operations } from '../../src/ops/index.ts'
import { named, variable } from '../../src/ops/leaves.ts'
import { pullback, together } from '../../src/ops/pullback.ts'
import { randomFrom } from '../../src/tensor/random.ts'
import { exampleOf, examplesOf } from '../examples.ts'
import { largestGap, pointFor, randomLike, sizesFor, valueAt } from '../numeric.ts'

const split = [...operations.values()].filter((op) => op.paths)

const errorOf = ({ shape }: Expr): Expr => variable('g', shape, nameLayout('g'))
const pathsOf = ({ op, args, attrs }: Expr, g: Expr, y: Expr) => op.paths!(args, g, attrs, y)

describe.each(split.flatMap((op) => examplesOf(op)))('%s', (text) => {
  const { expr, variables, sizes: names } = exampleOf(text)
  const g = errorOf(expr)
  const paths = pathsOf(expr, g, expr)

  test('says through what each path goes', () => {
    expect(paths.length).toBeGreaterThan(1)
    expect(new Set(paths.map((p) => toText(p.through))).size).toBe(paths.length)
    for (const { term } of paths) expect(shapeText(term.shape)).toBe(shapeText(expr.args[0]!.shape))
  })

  test.each([1, 2, 3])('its paths add up to its error (draw %i)', (k) => {
    const sizes = sizesFor(names, k)
    const values = new Map(pointFor(variables, sizes, randomFrom(k, text)).values).set(g, randomLike(expr, sizes, k))
    const [error] = expr.op.vjp!(expr.args, g, expr.attrs, expr)
    expect(largestGap(valueAt(together(paths), { sizes, values }), valueAt(error!, { sizes, values }))).toBeLessThan(1e-12)
  })
})

/** Operations, and what they are where each path has a variable of its own, in the order of the paths. */
const apart = [
  ['batch_norm(x) | x: [n, c]', '(a - mean(b, axis=0)) / sqrt(var(c, axis=0) + 0.00001) | a: [n, c], b: [n, c], c: [n, c]'],
  ['layer_norm(x) | x: [n]', '(a - mean(b)) / sqrt(var(c) + 0.00001) | a: [n], b: [n], c: [n]'],
  ['instance_norm(x) | x: [1, m, n]', '(a - mean(b)) / sqrt(var(c) + 0.00001) | a: [1, m, n], b: [1, m, n], c: [1, m, n]'],
  ['group_norm(x, 1) | x: [2, m, n]', '(a - mean(b)) / sqrt(var(c) + 0.00001) | a: [2, m, n], b: [2, m, n], c: [2, m, n]'],
  ['rms_norm(x) | x: [n]', 'a / sqrt(mean(b**2) + 0.00001) | a: [n], b: [n]'],
  ['l2_normalize(x) | x: [n]', 'a / norm(b) | a: [n], b: [n]'],
  ['softmax(x) | x: [n]', 'exp(a) / sum(exp(b)) | a: [n], b: [n]'],
  ['log_softmax(x) | x: [n]', 'a - log(sum(exp(b))) | a: [n], b: [n]'],
  ['cross_entropy(z, 2*z) | z: [n]', '-sum(2*c*(b - log(sum(exp(a))))) | a: [n], b: [n], c: [n]'],
] as const

test('there is a line for each of them', () => {
  expect(split.map((op) => op.name).filter((name) => !apart.some(([call]) => call.startsWith(`${name}(`)))).toEqual([])
})

test.each(apart)('%s: each path is the derivative by its own variable', (call, written) => {
  const whole = exampleOf(call)
  const { expr, variables } = exampleOf(written)
  const g = errorOf(expr)
  const sent = pullback(named('f', nameLayout('f'), expr), g, new Set(variables))
  const sizes = sizesFor(whole.sizes, 1)
  const point = pointFor(whole.variables, sizes, randomFrom(1, call))
  const x = point.values.get(whole.variables[0]!)!
  const values = new Map([...point.values, ...variables.map((v) => [v, x] as const), [g, randomLike(expr, sizes, 4)] as const])
  for (const [i, { term }] of pathsOf(whole.expr, g, whole.expr).entries())
    expect(largestGap(valueAt(term, { sizes, values }), valueAt(sent.get(variables[i]!)!, { sizes, values }))).toBeLessThan(1e-9)
})
