/** Softmax and its logarithm. */
import type { Expr, Path } from '../expr/expr.ts'
import { call, prose, word } from '../layout/layout.ts'
import { reduce, broadcast as spread, zip } from '../tensor/tensor.ts'
import { divide, multiply, negate, subtract } from './arithmetic.ts'
import { axis } from './attributes.ts'
import { op } from './define.ts'
import { exp, log } from './elementary.ts'
import { dot } from './linear.ts'
import { sum } from './movement.ts'
import { together } from './pullback.ts'

/** ⟨a, b⟩ along an axis, which keeps length 1; for vectors the plain scalar product. */
const innerAlong = (a: Expr, b: Expr, axis: number): Expr =>
  a.shape.length === 1 ? dot(a, b) : sum(multiply([a, b]), { axis: [axis], keepdims: true })

/** The two ways from an entry to its probability. */
export const [itself, normaliser] = [prose('the entry itself'), prose('the sum of all exponentials')] as const

/** exp(x) / Σ exp(x) along an axis. */
export const softmax = op('softmax', ['x'], { axis: axis(-1) })({
  why: 'the entries compete: each receives its error less the mean error under the probabilities, times its own probability',
  formula: 'exp(x) / Σ exp(x)',
  source: 'Bridle 1990; Goodfellow et al. 2016, §6.2.2.3',
  examples: ['softmax(x) | x: [n]', 'softmax(x) | x: [m, n]', 'softmax(x, axis=0) | x: [m, n]'],
  letter: 'P',
  notation: ([x]) => call(word('softmax'), [x]),
  evaluate([x], { axis }) {
    const shifted = zip(x, spread(reduce(x, [axis], Math.max, -Infinity), x.shape), (v, top) => Math.exp(v - top))
    return zip(
      shifted,
      spread(
        reduce(shifted, [axis], (a, b) => a + b, 0),
        x.shape,
      ),
      (e, total) => e / total,
    )
  },
  expand: ([x], { axis }) => divide(exp(x), sum(exp(x), { axis: [axis], keepdims: true })),
  paths: (_, g, { axis }, p) => [
    { through: itself, term: multiply([p, g]) },
    { through: normaliser, term: negate(multiply([p, innerAlong(p, g, axis)])) },
  ],
  vjp: (_, g, { axis }, p) => [multiply([p, subtract(g, innerAlong(p, g, axis))])],
})

/** g − p Σ g, term by term. */
const logPaths = ([x]: readonly [Expr], g: Expr, { axis }: { readonly axis: number }): readonly Path[] => [
  { through: itself, term: g },
  { through: normaliser, term: negate(multiply([softmax(x, { axis }), sum(g, { axis: [axis], keepdims: true })])) },
]

/** ln softmax(x). */
export const logSoftmax = op('log_softmax', ['x'], { axis: axis(-1) })({
  why: 'each entry receives its error less its probability times the sum of errors',
  formula: 'x − ln Σ exp(x)',
  source: 'PyTorch, LogSoftmax',
  examples: ['log_softmax(x) | x: [n]', 'log_softmax(x) | x: [m, n]'],
  notation: ([x]) => call(word('log_softmax'), [x]),
  evaluate([x], { axis }) {
    const top = spread(reduce(x, [axis], Math.max, -Infinity), x.shape)
    const total = spread(
      reduce(
        zip(x, top, (v, t) => Math.exp(v - t)),
        [axis],
        (a, b) => a + b,
        0,
      ),
      x.shape,
    )
    return zip(
      zip(x, top, (v, t) => v - t),
      total,
      (v, s) => v - Math.log(s),
    )
  },
  expand: ([x], { axis }) => subtract(x, log(sum(exp(x), { axis: [axis], keepdims: true }))),
  paths: logPaths,
  vjp: ([x], g, attrs) => [together(logPaths([x], g, attrs))],
})
