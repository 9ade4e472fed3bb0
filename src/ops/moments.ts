/** Means, variances and deviations: what normalisation measures. */
import { type Dim, minus, product as size } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import type { Shape } from '../expr/shape.ts'
import { divide, multiply, subtract } from './arithmetic.ts'
import { axes, keptAxes, whole } from './attributes.ts'
import { op } from './define.ts'
import { sqrt, square } from './elementary.ts'
import { fill, sizeValue } from './leaves.ts'
import { reducedShape, reductionLayout, spreadBack, sum } from './movement.ts'

const over = { axis: axes(), keepdims: keptAxes, ddof: whole(0) }

export const mean = op('mean', ['x'], { axis: axes(), keepdims: keptAxes })({
  why: 'every entry receives an equal share of the error',
  formula: 'Σ x / n',
  source: 'NumPy, mean',
  examples: ['mean(x) | x: [m, n]', 'mean(x, axis=0) | x: [m, n]'],
  linear: 'each',
  shape: ([x], { axis, keepdims }) => (keepdims ? x.map((d, i) => (axis.includes(i) ? 1 : d)) : x.filter((_, i) => !axis.includes(i))),
  notation: ([x], { axis }, { args: [source] }) => reductionLayout('mean', x, axis, source!.shape.length),
  expand: ([x], { axis, keepdims }) => divide(sum(x, { axis, keepdims }), sizeValue(size(axis.map((a) => x.shape[a]!)))),
})

const countOf = (x: Shape, axis: readonly number[], ddof: number): Dim => minus(size(axis.map((a) => x[a]!)), ddof)
export const centred = (x: Expr, axis: readonly number[]): Expr => subtract(x, mean(x, { axis, keepdims: true }))

/** The mean squared distance from the mean. */
export const variance = op(
  'var',
  ['x'],
  over,
)({
  why: 'an entry receives twice its distance from the mean, shared among the entries; the path through the mean adds nothing, for those distances sum to zero',
  formula: 'Σ (x − mean(x))² / (n − ddof)',
  source: 'NumPy, var, with ddof=0; Ioffe & Szegedy 2015, algorithm 1',
  examples: ['var(x) | x: [n]', 'var(x, axis=1, keepdims=True) | x: [m, n]', 'var(x, axis=0, ddof=1) | x: [m, n]'],
  shape: ([x], { axis, keepdims }) => reducedShape(x, axis, keepdims),
  notation: ([x], { axis }, { args: [source] }) => reductionLayout('var', x, axis, source!.shape.length),
  expand: ([x], { axis, keepdims, ddof }) =>
    divide(sum(square(centred(x, axis)), { axis, keepdims }), sizeValue(countOf(x.shape, axis, ddof))),
  vjp: ([x], g, { axis, ddof }) => [
    divide(multiply([fill(2), centred(x, axis), spreadBack(g, x.shape, axis)]), sizeValue(countOf(x.shape, axis, ddof))),
  ],
})

/** The square root of the variance. */
export const deviation = op(
  'std',
  ['x'],
  over,
)({
  why: 'an entry receives its distance from the mean in units of the deviation, shared among the entries',
  formula: '√var(x)',
  source: 'NumPy, std, with ddof=0',
  examples: ['std(x) | x: [n]', 'std(x, axis=1, keepdims=True) | x: [m, n]', 'std(x, axis=0, ddof=1) | x: [m, n]'],
  shape: ([x], { axis, keepdims }) => reducedShape(x, axis, keepdims),
  notation: ([x], { axis }, { args: [source] }) => reductionLayout('std', x, axis, source!.shape.length),
  expand: ([x], attrs) => sqrt(variance(x, attrs)),
  vjp: ([x], g, { axis, ddof }, y) => [
    divide(multiply([spreadBack(divide(g, y), x.shape, axis), centred(x, axis)]), sizeValue(countOf(x.shape, axis, ddof))),
  ],
})
