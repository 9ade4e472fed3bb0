/** Losses that are likelihoods: of classes under logits, log-probabilities or probabilities. */
import { fail } from '../diagnostic.ts'
import { type Dim, product as size } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, sameShape, shapeText } from '../expr/shape.ts'
import { call, word } from '../layout/layout.ts'
import { sigmoid, softplus } from './activation.ts'
import { add, divide, multiply, negate, subtract } from './arithmetic.ts'
import { number } from './attributes.ts'
import { op } from './define.ts'
import { log } from './elementary.ts'
import { oneHot } from './gather.ts'
import { fill, sizeValue } from './leaves.ts'
import { alike, compared, reduced, reduction, shared } from './loss.ts'
import { inShape, sum } from './movement.ts'
import { itself, logSoftmax, normaliser, softmax } from './softmax.ts'

const batch = (shape: Shape): Dim => size(shape.slice(0, -1))
const keepLast = (g: Expr): Expr => inShape(g, [...g.shape, 1])

/** Whether targets are numbers of classes, one for each row. */
const isNumbers = (t: Expr, z: Expr): boolean => t.shape.length < z.shape.length
const rowsOf = (t: Expr, z: Expr): Expr => (isNumbers(t, z) ? oneHot(t, { k: z.shape.at(-1)! }) : t)

function checkTargets(name: string, z: Shape, t: Shape): void {
  if (!sameShape(z, t) && !sameShape(z.slice(0, -1), t)) {
    const what = `${name} compares rows with rows of the same shape, or with one number of a class each`
    fail('shapes', { what, detail: `${shapeText(z)} and ${shapeText(t)}` })
  }
}

/** What the probabilities of a row sum to: one, unless the spec leaves that open. */
const totalOf = (target: Expr): Expr => sum(target, { axis: [target.shape.length - 1], keepdims: target.shape.length > 1 })

/** (1 − ε) t + ε/k */
const smoothed = (t: Expr, epsilon: number): Expr =>
  epsilon === 0 ? t : add([multiply([fill(1 - epsilon), t]), divide(fill(epsilon), sizeValue(t.shape.at(-1)!))])

/** Cross-entropy of logits z and probabilities, one-hot rows or numbers of classes t, over the last axis. */
export const crossEntropy = op('cross_entropy', ['z', 't'], { reduction, label_smoothing: number(0) })({
  why: 'softmax and logarithm cancel: predicted less true probabilities',
  formula: '−Σ t ⊙ log softmax(z), averaged over the rows',
  source: 'PyTorch, CrossEntropyLoss (t are probabilities, or numbers of classes); Bishop 2006, eq. (4.109); Szegedy et al. 2016, §7',
  examples: [
    'cross_entropy(z, t) | z: [n, k], t: [n, k] one_hot',
    'cross_entropy(z, t) | z: [k], t: [k] simplex',
    'cross_entropy(z, t, reduction="sum") | z: [n, k], t: [n, k]',
    'cross_entropy(z, t, reduction="none") | z: [n, k], t: [n, k]',
    'cross_entropy(z, t) | z: [n, 3], t: [n] index(3)',
    'cross_entropy(z, t, label_smoothing=0.1) | z: [n, k], t: [n, k] one_hot',
  ],
  shape([z, t], { reduction }) {
    checkTargets('cross_entropy', z, t)
    return reduction === 'none' ? z.slice(0, -1) : []
  },
  notation: (args) => call(word('cross_entropy'), args),
  expand: ([z, t], { reduction, label_smoothing }) => {
    const target = smoothed(rowsOf(t, z), label_smoothing)
    return reduced(negate(sum(multiply([target, logSoftmax(z)]), { axis: [z.shape.length - 1] })), reduction, batch(z.shape))
  },
  paths: ([z, t], g, { reduction, label_smoothing }) => {
    const target = smoothed(rowsOf(t, z), label_smoothing)
    const sent = (slope: Expr): Expr => shared(slope, reduction === 'none' ? keepLast(g) : g, reduction, batch(z.shape))
    return [
      { through: normaliser, term: sent(multiply([softmax(z), totalOf(target)])) },
      { through: itself, term: sent(negate(target)) },
    ]
  },
  vjp: ([z, t], g, { reduction, label_smoothing }) => {
    const target = smoothed(rowsOf(t, z), label_smoothing)
    const each = reduction === 'none' ? keepLast(g) : g
    const byTarget = multiply([fill(label_smoothing - 1), logSoftmax(z)])
    return [
      shared(subtract(multiply([softmax(z), totalOf(target)]), target), each, reduction, batch(z.shape)),
      isNumbers(t, z) ? null : shared(byTarget, each, reduction, batch(z.shape)),
    ]
  },
})

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

/** Binary cross-entropy of probabilities. */
export const bce = compared(
  'bce',
  {
    why: 'the difference of the probabilities, divided by the variance p(1 − p) of the prediction',
    formula: '−(t ln p + (1 − t) ln(1 − p)), averaged over all entries',
    source: 'PyTorch, BCELoss (without its clamp of the logarithms)',
    examples: ['bce(sigmoid(z), t) | z: [n], t: [n] mask', 'bce(sigmoid(z), t, reduction="sum") | z: [m, n], t: [m, n]'],
  },
  (p, t) => negate(add([multiply([t, log(p)]), multiply([subtract(fill(1), t), log(subtract(fill(1), p))])])),
  (p, t) => [divide(subtract(p, t), multiply([p, subtract(fill(1), p)])), subtract(log(subtract(fill(1), p)), log(p))],
)

/** The negative log-likelihood of classes under log-probabilities. */
export const nll = op('nll', ['y', 't'], { reduction })({
  why: 'only the log-probability of the true class sends an error',
  formula: '−Σ t ⊙ y, averaged over the rows',
  source: 'PyTorch, NLLLoss; t are the numbers of the classes, or one-hot rows',
  examples: ['nll(y, t) | y: [n, 3], t: [n] index(3)', 'nll(y, t, reduction="sum") | y: [n, k], t: [n, k] one_hot'],
  shape([y, t], { reduction }) {
    checkTargets('nll', y, t)
    return reduction === 'none' ? y.slice(0, -1) : []
  },
  notation: (args) => call(word('nll'), args),
  expand: ([y, t], { reduction }) =>
    reduced(negate(sum(multiply([rowsOf(t, y), y]), { axis: [y.shape.length - 1] })), reduction, batch(y.shape)),
  vjp: ([y, t], g, { reduction }) => {
    const each = reduction === 'none' ? keepLast(g) : g
    return [
      shared(negate(rowsOf(t, y)), each, reduction, batch(y.shape)),
      isNumbers(t, y) ? null : shared(negate(y), each, reduction, batch(y.shape)),
    ]
  },
})

/** How far the distribution t is from the one whose logarithms y are. */
export const klDiv = compared(
  'kl_div',
  {
    why: 'each log-probability gets the true probability, negative, shared among the entries',
    formula: 'Σ t (ln t − y) / N, y being log-probabilities',
    source: 'PyTorch, KLDivLoss: the mean is over all entries; divide reduction="sum" by the batch for the divergence',
    examples: ['kl_div(y, t) | y: [m, n], t: [m, n] simplex', 'kl_div(y, t, reduction="sum") | y: [n], t: [n] positive'],
  },
  (y, t) => multiply([t, subtract(log(t), y)]),
  (y, t) => [negate(t), add([subtract(log(t), y), fill(1)])],
)
