/** What central differences can't tell: derivatives at kinks and ties follow PyTorch, and slopes hold far from the origin. */
import { describe, expect, test } from 'vitest'
import { type Expr, make } from '../../src/expr/expr.ts'
import { nameLayout } from '../../src/layout/names.ts'
import { operations } from '../../src/ops/index.ts'
import { fill, variable } from '../../src/ops/leaves.ts'
import { tensor } from '../../src/tensor/tensor.ts'
import { exampleOf } from '../examples.ts'
import { valueAt } from '../numeric.ts'

/** A function of one vector at these numbers. */
const at = (f: (x: Expr) => Expr, numbers: readonly number[]): number[] => {
  const x = variable('x', [numbers.length], nameLayout('x'))
  return [...valueAt(f(x), { sizes: new Map(), values: new Map([[x, tensor([numbers.length], Float64Array.from(numbers))]]) }).data]
}

const pointwise = [...operations.values()].filter((op) => op.slope)

test('activations have slopes', () => expect(pointwise.length).toBeGreaterThan(10))

describe.each(pointwise.map((op) => [op.name, op] as const))('%s', (_, op) => {
  const { attrs } = exampleOf(op.examples[0]!).expr

  test('its slope is its derivative on a fine grid, far out as well', () => {
    const grid = Array.from({ length: 181 }, (__, i) => (i - 90) * 0.1 + 0.0123)
    const h = 1e-5
    const slopes = at((x) => op.slope!([x], attrs), grid)
    const [after, before] = [h, -h].map((d) =>
      at(
        (x) => make(op, [x], attrs),
        grid.map((v) => v + d),
      ),
    ) as [number[], number[]]
    for (const [i, slope] of slopes.entries()) expect(slope, `at ${grid[i]}`).toBeCloseTo((after[i]! - before[i]!) / (2 * h), 7)
  })

  test('its slope in other guises is the same at its kinks', () => {
    const points = [-6, -3, -1, 0, 1, 3, 6]
    const prime = op.slope!([fill(0)], attrs).op
    const known = at((x) => make(prime, [x], attrs), points)
    expect(at((x) => prime.guises!.explicit([x], attrs), points)).toEqual(known)
    const { output } = prime.guises!
    const others = output ? at((x) => output([x], attrs), points) : known
    for (const [i, v] of others.entries()) expect(v, `at ${points[i]}`).toBeCloseTo(known[i]!, 12)
  })
})

/** f′ at kinks, as PyTorch's autograd has it. */
const kinks: Readonly<Record<string, readonly (readonly [x: number, slope: number])[]>> = {
  relu: [[0, 0]],
  leaky_relu: [[0, 0.01]],
  elu: [[0, 1]],
  selu: [[0, 1.0507009873554805 * 1.6732632423543772]],
  hardtanh: [
    [-1, 0],
    [1, 0],
  ],
  relu6: [
    [0, 0],
    [6, 0],
  ],
  hardsigmoid: [
    [-3, 0],
    [3, 0],
  ],
  hardswish: [
    [-3, 0],
    [3, 1],
  ],
  softsign: [[0, 1]],
}

test.each(Object.entries(kinks))("%s' at its kinks", (name, cases) => {
  const op = operations.get(`${name}'`)!
  const { attrs } = exampleOf(op.examples[0]!).expr
  const found = at(
    (x) => make(op, [x], attrs),
    cases.map(([x]) => x),
  )
  for (const [i, [x, slope]] of cases.entries()) expect(found[i], `at ${x}`).toBeCloseTo(slope, 12)
})

test('every function with kinks has its convention here', () => {
  const withKinks = pointwise.filter(
    (op) => (op.kinks?.([tensor([1], Float64Array.of(1))], exampleOf(op.examples[0]!).expr.attrs) ?? []).length > 0,
  )
  expect(withKinks.map((op) => op.name).filter((name) => !(name in kinks))).toEqual([])
})

/** The errors of a function's arguments where the error of its value is one. */
const errorsAt = (example: string, numbers: Readonly<Record<string, readonly number[]>>): (number[] | null)[] => {
  const { expr, variables } = exampleOf(example)
  const values = new Map(variables.map((v) => [v, tensor([numbers[v.op.name]!.length], Float64Array.from(numbers[v.op.name]!))]))
  const sizes = new Map([['n', Object.values(numbers)[0]!.length]])
  return expr.op.vjp!(expr.args, fill(1, expr.shape), expr.attrs, expr).map((back) => back && [...valueAt(back, { sizes, values }).data])
}

describe('conventions', () => {
  test('a tie of maximum or minimum shares the error equally', () => {
    for (const [name, winner] of [
      ['maximum', [1, 0.5, 0]],
      ['minimum', [0, 0.5, 1]],
    ] as const)
      expect(errorsAt(`${name}(a, b) | a: [n], b: [n]`, { a: [2, 2, 2], b: [1, 2, 3] })).toEqual([winner, winner.map((w) => 1 - w)])
  })

  test('winners of max and min that tie share the error equally', () => {
    expect(errorsAt('max(x) | x: [n]', { x: [2, 1, 2] })).toEqual([[0.5, 0, 0.5]])
    expect(errorsAt('min(x) | x: [n]', { x: [1, 1, 1, 2] })).toEqual([[1 / 3, 1 / 3, 1 / 3, 0]])
  })

  test('clip lets the error pass at its bounds', () => {
    expect(errorsAt('clip(x, -1, 2) | x: [n]', { x: [-1.5, -1, 0, 2, 2.5] })).toEqual([[0, 1, 1, 1, 0]])
  })

  test('abs sends nothing back at zero', () => {
    expect(errorsAt('abs(x) | x: [n]', { x: [-2, 0, 3] })).toEqual([[-1, 0, 1]])
  })

  test('a whole power has its derivative at zero and below', () => {
    expect(errorsAt('x ** 2 | x: [n]', { x: [-3, 0, 3] })[0]).toEqual([-6, 0, 6])
    expect(errorsAt('x ** 1 | x: [n]', { x: [-3, 0, 3] })[0]).toEqual([1, 1, 1])
  })

  test('comparisons and stop_gradient send nothing back', () => {
    expect(errorsAt('a > b | a: [n], b: [n]', { a: [1, 2], b: [2, 1] })).toEqual([null, null])
    expect(errorsAt('stop_gradient(x) | x: [n]', { x: [1, 2] })).toEqual([null])
  })
})

test('an axis of stack is one of the result, as in NumPy', () => {
  const vector = (name: string) => variable(name, [3], nameLayout(name))
  const parts = [vector('a'), vector('b')]
  const stack = exampleOf('stack([a, b], axis=-1) | a: [n], b: [n]').expr
  expect(make(stack.op, parts, stack.attrs).shape).toEqual([3, 2])
})
