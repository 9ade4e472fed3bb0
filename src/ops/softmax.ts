/** Softmax and its logarithm. */
import type { Expr } from '../expr/expr.ts'
import { call, word } from '../layout/layout.ts'
import { reduce, broadcast as spread, zip } from '../tensor/tensor.ts'
import { add, divide, multiply, negate, subtract } from './arithmetic.ts'
import { axis } from './attributes.ts'
import { op } from './define.ts'
import { exp, log } from './elementary.ts'
import { dot } from './linear.ts'
import { sum } from './movement.ts'

/** ⟨a, b⟩ along an axis, which keeps length 1; for vectors the plain scalar product. */
const innerAlong = (a: Expr, b: Expr, axis: number): Expr =>
  a.shape.length === 1 ? dot(a, b) : sum(multiply([a, b]), { axis: [axis], keepdims: true })

/** exp(x) / Σ exp(x) along an axis. */
export const softmax = op('softmax', ['x'], { axis: axis(-1) })({
  why: 'the entries compete: each receives its error less the mean error under the probabilities, times its own probability',
  formula: 'exp(x) / Σ exp(x)',
  source: 'Bridle 1990; Goodfellow et al. 2016, §6.2.2.3',
  examples: ['softmax(x) | x: [n]', 'softmax(x) | x: [m, n]', 'softmax(x, axis=0) | x: [m, n]'],
  letter: 'P',
  shape: ([x]) => x,
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
  vjp: (_, g, { axis }, p) => [multiply([p, subtract(g, innerAlong(p, g, axis))])],
})

/** ln softmax(x). */
export const logSoftmax = op('log_softmax', ['x'], { axis: axis(-1) })({
  why: 'each entry receives its error less its probability times the sum of errors',
  formula: 'x − ln Σ exp(x)',
  source: 'PyTorch, LogSoftmax',
  examples: ['log_softmax(x) | x: [n]', 'log_softmax(x) | x: [m, n]'],
  shape: ([x]) => x,
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
  vjp: ([x], g, { axis }) => [add([g, negate(multiply([softmax(x, { axis }), sum(g, { axis: [axis], keepdims: true })]))])],
})
