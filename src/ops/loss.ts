/** Losses that measure distances, with PyTorch's names and default reductions; and how a loss is reduced to one number. */
import { fail } from '../diagnostic.ts'
import { type Dim, product as size } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, sameShape, shapeText } from '../expr/shape.ts'
import { call, fence, joined, type Layout, Level, row, superscript, symbol, within, word } from '../layout/layout.ts'
import { relu } from './activation.ts'
import { clip, divide, greater, lessEqual, multiply, negate, subtract, where } from './arithmetic.ts'
import { axis, choice, numberThat } from './attributes.ts'
import { op } from './define.ts'
import { abs, sign, square } from './elementary.ts'
import { fill, sizeValue } from './leaves.ts'
import { spreadBack, sum } from './movement.ts'
import { norm } from './reduction.ts'
import { l2Normalize } from './rms.ts'

export const reduction = choice('mean', 'sum', 'none')
type Reduction = 'mean' | 'sum' | 'none'

export function alike(name: string, y: Shape, t: Shape): void {
  if (!sameShape(y, t)) fail('shapes', { what: `${name} compares equal shapes`, detail: `${shapeText(y)} and ${shapeText(t)}` })
}

/** Per-entry losses brought to one number. */
export const reduced = (losses: Expr, how: Reduction, count: Dim): Expr =>
  how === 'none' ? losses : how === 'sum' ? sum(losses) : divide(sum(losses), sizeValue(count))

/** The error of each entry of a loss that was reduced this way. */
export const shared = (slope: Expr, g: Expr, how: Reduction, count: Dim): Expr =>
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

/** A loss that compares y and t entry by entry. */
export const compared = (
  name: string,
  about: { why: string; formula: string; source: string; examples: readonly string[] },
  each: (y: Expr, t: Expr) => Expr,
  slopes: (y: Expr, t: Expr) => readonly [Expr, Expr],
) =>
  op(name, ['y', 't'], { reduction })({
    ...about,
    shape([y, t], { reduction }) {
      alike(name, y, t)
      return reduction === 'none' ? y : []
    },
    notation: (args) => call(word(name), args),
    expand: ([y, t], { reduction }) => reduced(each(y, t), reduction, size(y.shape)),
    vjp: ([y, t], g, { reduction }) => {
      const [dy, dt] = slopes(y, t)
      return [shared(dy, g, reduction, size(y.shape)), shared(dt, g, reduction, size(y.shape))]
    },
  })

/** The mean of |y − t|. */
export const l1 = compared(
  'l1',
  {
    why: 'the error is the sign of the difference, shared among the entries',
    formula: 'Σ |y − t| / N',
    source: 'PyTorch, L1Loss',
    examples: ['l1(y, t) | y: [m, n], t: [m, n]', 'l1(y, t, reduction="sum") | y: [n], t: [n]'],
  },
  (y, t) => abs(subtract(y, t)),
  (y, t) => [sign(subtract(y, t)), sign(subtract(t, y))],
)

/** The mean of max(0, 1 − t y), for t = ±1. */
export const hinge = compared(
  'hinge',
  {
    why: 'only what lies within the margin sends an error',
    formula: 'Σ max(0, 1 − t ⊙ y) / N',
    source: 'Cortes & Vapnik 1995; Goodfellow et al. 2016, §5.7.2; reductions as PyTorch',
    examples: ['hinge(y, t) | y: [n], t: [n] sign', 'hinge(y, t, reduction="none") | y: [m, n], t: [m, n]'],
  },
  (y, t) => relu(subtract(fill(1), multiply([t, y]))),
  (y, t) => {
    const within = greater(fill(1), multiply([t, y]))
    return [negate(multiply([within, t])), negate(multiply([within, y]))]
  },
)

/** Squared near zero, straight beyond delta. */
export const huber = op('huber', ['y', 't'], { reduction, delta: numberThat('a number above 0', 1, (delta) => delta > 0) })({
  why: 'the error is the difference, clipped at ±delta and shared among the entries',
  formula: '½ (y − t)² where |y − t| ≤ delta, else delta (|y − t| − ½ delta)',
  source: 'Huber 1964; PyTorch, HuberLoss',
  examples: ['huber(y, t) | y: [m, n], t: [m, n]', 'huber(y, t, delta=0.5, reduction="sum") | y: [n], t: [n]'],
  shape([y, t], { reduction }) {
    alike('huber', y, t)
    return reduction === 'none' ? y : []
  },
  notation: (args) => call(word('huber'), args),
  expand: ([y, t], { reduction, delta }) => {
    const d = subtract(y, t)
    const straight = multiply([fill(delta), subtract(abs(d), fill(delta / 2))])
    return reduced(where(lessEqual(abs(d), fill(delta)), multiply([fill(0.5), square(d)]), straight), reduction, size(y.shape))
  },
  vjp: ([y, t], g, { reduction, delta }) => {
    const slope = (a: Expr, b: Expr) => shared(clip(subtract(a, b), { lo: -delta, hi: delta }), g, reduction, size(y.shape))
    return [slope(y, t), slope(t, y)]
  },
})

/** The cosine of the angle between x and y along an axis. */
export const cosineSimilarity = op('cosine_similarity', ['x', 'y'], { axis: axis(-1) })({
  why: 'what is parallel to x changes no angle: the error is the rest of the unit vector of y, divided by ‖x‖',
  formula: '⟨x, y⟩ / (‖x‖ ‖y‖)',
  source: 'PyTorch, CosineSimilarity (without its eps)',
  examples: ['cosine_similarity(x, y) | x: [n], y: [n]', 'cosine_similarity(x, y) | x: [m, n], y: [m, n]'],
  shape([x, y], { axis }) {
    alike('cosine_similarity', x, y)
    return x.filter((_, a) => a !== axis)
  },
  notation: (args) => call(word('cosine_similarity'), args),
  expand: ([x, y], { axis }) => {
    const over = { axis: [axis] }
    return divide(sum(multiply([x, y]), over), multiply([norm(x, over), norm(y, over)]))
  },
  vjp: ([x, y], g, { axis }, similarity) => {
    const back = (reduced: Expr): Expr => spreadBack(reduced, x.shape, [axis])
    const unit = (a: Expr): Expr => l2Normalize(a, { axis })
    const turned = (a: Expr, b: Expr): Expr =>
      multiply([back(divide(g, norm(a, { axis: [axis] }))), subtract(unit(b), multiply([back(similarity), unit(a)]))])
    return [turned(x, y), turned(y, x)]
  },
})
