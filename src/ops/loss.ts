/** Losses, with PyTorch's names and default reductions. */
import { fail } from '../diagnostic.ts'
import { type Dim, product as size } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, sameShape, shapeText } from '../expr/shape.ts'
import { call, fence, joined, type Layout, Level, row, superscript, symbol, within, word } from '../layout/layout.ts'
import { sigmoid, softplus } from './activation.ts'
import { divide, multiply, negate, subtract } from './arithmetic.ts'
import { choice } from './attributes.ts'
import { op } from './define.ts'
import { square } from './elementary.ts'
import { fill, sizeValue } from './leaves.ts'
import { inShape, sum } from './movement.ts'
import { logSoftmax, softmax } from './normalise.ts'

const reduction = choice('mean', 'sum', 'none')
type Reduction = 'mean' | 'sum' | 'none'

function alike(name: string, y: Shape, t: Shape): void {
  if (!sameShape(y, t)) fail('shapes', { what: `${name} compares equal shapes`, detail: `${shapeText(y)} and ${shapeText(t)}` })
}

/** Per-entry losses brought to one number. */
const reduced = (losses: Expr, how: Reduction, count: Dim): Expr =>
  how === 'none' ? losses : how === 'sum' ? sum(losses) : divide(sum(losses), sizeValue(count))

/** The error of each entry of a loss that was reduced this way. */
const shared = (slope: Expr, g: Expr, how: Reduction, count: Dim): Expr =>
  how === 'mean' ? divide(multiply([slope, g]), sizeValue(count)) : multiply([slope, g])

const distance = (y: Layout, t: Layout): Layout =>
  superscript(fence('‖', '‖', joined(Level.sum, symbol(' − ', ' - '), [y, within(Level.hadamard, t)])), symbol('2'))

/** ½ Σ (y − t)² over all entries. */
export const halfSse = op('half_sse', ['y', 't'])({
  why: 'the error of a squared distance is the difference itself',
  formula: '½ Σ (y − t)²',
  source: 'Bishop 2006, eq. (5.11)',
  examples: ['half_sse(y, t) | y: [n], t: [n]', 'half_sse(y, t) | y: [m, n], t: [m, n]'],
  shape([y, t]) {
    alike('half_sse', y, t)
    return []
  },
  notation: ([y, t]) => row(Level.product, [symbol('½', '\\tfrac{1}{2}'), distance(y, t)]),
  expand: ([y, t]) => multiply([fill(0.5), sum(square(subtract(y, t)))]),
  vjp: ([y, t], g) => [multiply([subtract(y, t), g]), multiply([subtract(t, y), g])],
})

/** The mean of (y − t)². */
export const mse = op('mse', ['y', 't'], { reduction })({
  why: 'twice the difference, shared among the entries',
  formula: 'Σ (y − t)² / N',
  source: 'PyTorch, MSELoss',
  examples: [
    'mse(y, t) | y: [m, n], t: [m, n]',
    'mse(y, t, reduction="sum") | y: [n], t: [n]',
    'mse(y, t, reduction="none") | y: [n], t: [n]',
  ],
  shape([y, t], { reduction }) {
    alike('mse', y, t)
    return reduction === 'none' ? y : []
  },
  notation: (args) => call(word('mse'), args),
  expand: ([y, t], { reduction }) => reduced(square(subtract(y, t)), reduction, size(y.shape)),
  vjp: ([y, t], g, { reduction }) => {
    const slope = (a: Expr, b: Expr) => shared(multiply([fill(2), subtract(a, b)]), g, reduction, size(y.shape))
    return [slope(y, t), slope(t, y)]
  },
})

const batch = (shape: Shape): Dim => size(shape.slice(0, -1))

/** Cross-entropy of logits z and probabilities (or one-hot rows) t over the last axis. */
export const crossEntropy = op('cross_entropy', ['z', 't'], { reduction })({
  why: 'softmax and logarithm cancel: predicted less true probabilities',
  formula: '−Σ t ⊙ log softmax(z), averaged over the rows',
  source: 'PyTorch, CrossEntropyLoss with probabilities; Bishop 2006, eq. (4.109)',
  examples: [
    'cross_entropy(z, t) | z: [n, k], t: [n, k] one_hot',
    'cross_entropy(z, t) | z: [k], t: [k] simplex',
    'cross_entropy(z, t, reduction="sum") | z: [n, k], t: [n, k]',
    'cross_entropy(z, t, reduction="none") | z: [n, k], t: [n, k]',
  ],
  shape([z, t], { reduction }) {
    alike('cross_entropy', z, t)
    return reduction === 'none' ? z.slice(0, -1) : []
  },
  notation: (args) => call(word('cross_entropy'), args),
  expand: ([z, t], { reduction }) =>
    reduced(negate(sum(multiply([t, logSoftmax(z)]), { axis: [z.shape.length - 1] })), reduction, batch(z.shape)),
  vjp: ([z, t], g, { reduction }) => {
    const axis = z.shape.length - 1
    const each = reduction === 'none' ? keepLast(g) : g
    const slope = subtract(multiply([softmax(z), sum(t, { axis: [axis], keepdims: true })]), t)
    return [shared(slope, each, reduction, batch(z.shape)), shared(negate(logSoftmax(z)), each, reduction, batch(z.shape))]
  },
})

const keepLast = (g: Expr): Expr => inShape(g, [...g.shape, 1])

/** Binary cross-entropy of logits, averaged over all entries. */
export const bceWithLogits = op('bce_with_logits', ['z', 't'], { reduction })({
  why: 'sigmoid and logarithm cancel: predicted less true probability',
  formula: 'softplus(z) − t ⊙ z, averaged over all entries',
  source: 'PyTorch, BCEWithLogitsLoss',
  examples: ['bce_with_logits(z, t) | z: [n, k], t: [n, k]', 'bce_with_logits(z, t, reduction="sum") | z: [n], t: [n]'],
  shape([z, t], { reduction }) {
    alike('bce_with_logits', z, t)
    return reduction === 'none' ? z : []
  },
  notation: (args) => call(word('bce_with_logits'), args),
  expand: ([z, t], { reduction }) => reduced(subtract(softplus(z), multiply([t, z])), reduction, size(z.shape)),
  vjp: ([z, t], g, { reduction }) => [
    shared(subtract(sigmoid(z), t), g, reduction, size(z.shape)),
    shared(negate(z), g, reduction, size(z.shape)),
  ],
})
