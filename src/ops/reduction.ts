/** Reductions beside sum and mean: extrema, products, norms, running sums. */
import { call, fence, type Layout, Level, row, subscript, symbol, word } from '../layout/layout.ts'
import { full, map, reduce, reshape, broadcast as spread, stridesOf, type Tensor, zip } from '../tensor/tensor.ts'
import { divide, equal, multiply, subtract } from './arithmetic.ts'
import { axes, axis, flag, keptAxes } from './attributes.ts'
import { op } from './define.ts'
import { exp, log, sqrt, square } from './elementary.ts'
import { reducedShape, reductionLayout, spreadBack, sum } from './movement.ts'

const over = { axis: axes(), keepdims: keptAxes }

/** How far each entry is from the best one along the axes: the winners have 0. */
const behind = (x: Tensor, axis: readonly number[], better: (a: number, b: number) => number, worst: number): Tensor =>
  zip(x, spread(reduce(x, axis, better, worst), x.shape), (a, b) => a - b)

const extremum = (name: string, better: (a: number, b: number) => number, worst: number) =>
  op(
    name,
    ['x'],
    over,
  )({
    joins: true,
    why: 'the error goes to the winner; winners that tie share it equally',
    formula: `${name} x over the axes`,
    source: 'NumPy, amax and amin; the subgradient that treats winners alike',
    examples: [`${name}(x) | x: [n]`, `${name}(x, axis=1) | x: [m, n]`, `${name}(x, axis=0, keepdims=True) | x: [m, n]`],
    shape: ([x], { axis, keepdims }) => reducedShape(x, axis, keepdims),
    evaluate: ([x], { axis }, shape) => reshape(reduce(x, axis, better, worst), shape),
    kinks: ([x], { axis }) => [behind(x, axis, better, worst)],
    notation: ([x], { axis }, { args: [source] }) => reductionLayout(name, x, axis, source!.shape.length),
    vjp: ([x], g, { axis }, y) => {
      const won = equal(x, spreadBack(y, x.shape, axis))
      return [divide(multiply([won, spreadBack(g, x.shape, axis)]), spreadBack(sum(won, { axis }), x.shape, axis))]
    },
  })

export const max = extremum('max', Math.max, -Infinity)
export const min = extremum('min', Math.min, Infinity)

const winner = (name: string, better: (a: number, b: number) => number, worst: number) =>
  op(
    name,
    ['x'],
    over,
  )({
    why: 'an index does not change with small changes: no error passes',
    formula: `the index of the ${name === 'argmax' ? 'largest' : 'smallest'} entry; the first of several`,
    source: 'NumPy, argmax and argmin; over all axes it is the index into the flattened array',
    examples: [`${name}(x) | x: [n]`, `${name}(x, axis=1) | x: [m, n]`],
    shape: ([x], { axis, keepdims }) => reducedShape(x, axis, keepdims),
    kinks: ([x], { axis }) => [behind(x, axis, better, worst)],
    notation: ([x], { axis }, { args: [source] }) => reductionLayout(name, x, axis, source!.shape.length),
    evaluate([x], { axis }, shape) {
      const distance = behind(x, axis, better, worst)
      const strides = stridesOf(x.shape)
      const place = map(distance, () => 0)
      distance.data.forEach((d, i) => {
        const at = axis.reduce((n, a) => n * x.shape[a]! + (Math.floor(i / strides[a]!) % x.shape[a]!), 0)
        place.data[i] = d === 0 ? at : Infinity
      })
      return reshape(reduce(place, axis, Math.min, Infinity), shape)
    },
    vjp: () => [null],
  })

export const argmax = winner('argmax', Math.max, -Infinity)
export const argmin = winner('argmin', Math.min, Infinity)

/** Π x */
export const prod = op(
  'prod',
  ['x'],
  over,
)({
  why: 'each factor gets the error times the product of the others',
  formula: 'Π x over the axes',
  source: 'product rule; NumPy, prod',
  examples: ['prod(x) | x: [n]', 'prod(x, axis=1) | x: [m, n]'],
  shape: ([x], { axis, keepdims }) => reducedShape(x, axis, keepdims),
  evaluate: ([x], { axis }, shape) =>
    reshape(
      reduce(x, axis, (a, b) => a * b, 1),
      shape,
    ),
  notation: ([x], { axis }, { args: [source] }) => reductionLayout('prod', x, axis, source!.shape.length),
  vjp: ([x], g, { axis }, y) => [divide(spreadBack(multiply([g, y]), x.shape, axis), x)],
})

/** ln Σ exp(x) */
export const logsumexp = op(
  'logsumexp',
  ['x'],
  over,
)({
  why: 'a soft maximum: each entry gets its share of the error, its softmax probability',
  formula: 'ln Σ exp(x)',
  source: 'PyTorch, logsumexp',
  examples: ['logsumexp(x) | x: [n]', 'logsumexp(x, axis=1) | x: [m, n]'],
  shape: ([x], { axis, keepdims }) => reducedShape(x, axis, keepdims),
  notation: ([x], { axis }, { args: [source] }) => reductionLayout('logsumexp', x, axis, source!.shape.length),
  evaluate([x], { axis }, shape) {
    const top = reduce(x, axis, Math.max, -Infinity)
    const total = reduce(
      zip(x, spread(top, x.shape), (v, t) => Math.exp(v - t)),
      axis,
      (a, b) => a + b,
      0,
    )
    return reshape(
      zip(top, total, (t, s) => t + Math.log(s)),
      shape,
    )
  },
  expand: ([x], { axis, keepdims }) => log(sum(exp(x), { axis, keepdims })),
  vjp: ([x], g, { axis }, y) => [multiply([exp(subtract(x, spreadBack(y, x.shape, axis))), spreadBack(g, x.shape, axis)])],
})

/** √Σ x² */
export const norm = op(
  'norm',
  ['x'],
  over,
)({
  why: 'the error is sent along the unit vector of x',
  formula: '√Σ x²',
  source: 'NumPy, linalg.norm (the Euclidean or Frobenius norm)',
  examples: ['norm(x) | x: [n]', 'norm(x, axis=1) | x: [m, n]', 'norm(x) | x: [m, n]'],
  shape: ([x], { axis, keepdims }) => reducedShape(x, axis, keepdims),
  notation: ([x], { axis }, { args: [source] }) =>
    axis.length === source!.shape.length ? fence('‖', '‖', x) : rowNorm(x, axis, source!.shape.length),
  expand: ([x], { axis, keepdims }) => sqrt(sum(square(x), { axis, keepdims })),
  vjp: ([x], g, { axis }, y) => [multiply([spreadBack(divide(g, y), x.shape, axis), x])],
})

const rowNorm = (x: Layout, axis: readonly number[], rank: number): Layout =>
  rank === 2
    ? subscript(fence('‖', '‖', x), word(axis[0] === 1 ? 'row' : 'col'))
    : call(word('norm'), [x, row(Level.relation, [symbol('axis=', '\\text{axis}='), symbol(axis.join(', '))])])

const running = (x: Tensor, axis: number, reversed: boolean): Tensor => {
  const result = full(x.shape, 0)
  const [step, size] = [stridesOf(x.shape)[axis]!, x.shape[axis]!]
  for (let i = 0; i < x.data.length; i++) {
    if (Math.floor(i / step) % size !== 0) continue
    let total = 0
    for (let k = 0; k < size; k++) {
      const at = i + step * (reversed ? size - 1 - k : k)
      result.data[at] = total += x.data[at]!
    }
  }
  return result
}

/** yᵢ = x₀ + … + xᵢ along an axis. */
export const cumsum = op('cumsum', ['x'], { axis: axis(-1), reverse: flag(false) })({
  linear: 'each',
  why: 'an entry is part of all sums from its place on: their errors add up',
  formula: 'yᵢ = Σ xⱼ over j ≤ i; with reverse over j ≥ i',
  source: 'NumPy, cumsum, along the last axis unless told',
  examples: ['cumsum(x) | x: [n]', 'cumsum(x, axis=0) | x: [m, n]', 'cumsum(x, reverse=True) | x: [m, n]'],
  evaluate: ([x], { axis, reverse }) => running(x, axis, reverse),
  notation: ([x], { reverse }) => call(word(reverse ? 'revcumsum' : 'cumsum'), [x]),
  vjp: (_, g, { axis, reverse }) => [cumsum(g, { axis, reverse: !reverse })],
})
