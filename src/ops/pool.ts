/** Windows that move over images: pooling, unfolding, and enlarging, beside their adjoints. */
import { fail } from '../diagnostic.ts'
import { type Dim, product, sameDim, times } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, shapeText } from '../expr/shape.ts'
import { call, type Layout, Level, row, symbol, word } from '../layout/layout.ts'
import { tapsOf } from '../tensor/convolve.ts'
import { full, sizeOf } from '../tensor/tensor.ts'
import { divide, equal, multiply } from './arithmetic.ts'
import { dims, each, eachOr, number } from './attributes.ts'
import { positions } from './convolution.ts'
import { op } from './define.ts'
import { fill, sizeValue } from './leaves.ts'
import { mean } from './moments.ts'
import { broadcast, inShape, sum, transpose } from './movement.ts'
import { max } from './reduction.ts'

const moves = { stride: each(2), padding: each(2, 0, 0), dilation: each(2, 1) }
interface Moves {
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
}

function checkImage(name: string, x: Shape): void {
  if (x.length !== 3 && x.length !== 4)
    fail('shapes', { what: `${name} takes an image [C, H, W] or a batch of them`, detail: `this has the shape ${shapeText(x)}` })
}

const placed = (x: Shape, k: readonly number[], { stride, padding, dilation }: Moves): Dim[] =>
  x.slice(-2).map((n, a) => positions(n, k[a]!, stride[a]!, padding[a]!, dilation[a]!))

/** All entries of all windows: for each position of the window an array of the window's shape. */
const windows = op('windows', ['x'], { k: each(2), ...moves, outside: number(0) })({
  why: 'an entry is in several windows: their errors add up',
  formula: 'the entries under the window, for each of its positions; outside of x is padding',
  source: 'the im2col of Chellapilla et al. 2006',
  examples: ['windows(x, 2, 1) | x: [n, h, w]', 'windows(x, [2, 3], 2, 1) | x: [2, n, h, w]'],
  shape([x], { k, outside: _, ...moves }) {
    checkImage('windows', x)
    return [...x.slice(0, -2), ...placed(x, k, moves), ...k]
  },
  evaluate([x], { outside, ...moves }, shape) {
    const y = full(shape, outside)
    eachEntry(x.shape, shape, moves, (i, j) => {
      y.data[j] = x.data[i]!
    })
    return y
  },
  notation: ([x]) => call(word('windows'), [x]),
  vjp: ([x], g, { k: _, outside: __, ...moves }) => [fold(g, { shape: x.shape, ...moves })],
})

/** The adjoint of `windows`: entries added up at their places. */
const fold = op('fold', ['x'], { shape: dims(), ...moves })({
  linear: 'each',
  why: 'each window gets back the errors of the places under it',
  formula: 'the sum of all windows, each at its place',
  source: 'PyTorch, Fold',
  examples: ['fold(x, [n, h, w], 1) | x: [n, h - 1, w - 1, 2, 2]', 'fold(x, [2, n, 2*h, 2*w], 2, 1) | x: [2, n, h, w, 3, 3]'],
  shape([x], { shape, ...moves }) {
    checkImage('fold', shape)
    const expected = [...shape.slice(0, -2), ...placed(shape, x.slice(-2) as number[], moves), ...x.slice(-2)]
    if (x.length !== expected.length || !x.every((d, a) => sameDim(d, expected[a]!)))
      fail('shapes', { what: `fold to ${shapeText(shape)} takes windows of the shape ${shapeText(expected)}`, detail: shapeText(x) })
    return shape
  },
  evaluate([x], { shape: _, ...moves }, shape) {
    const y = full(shape, 0)
    eachEntry(shape, x.shape, moves, (i, j) => {
      y.data[i]! += x.data[j]!
    })
    return y
  },
  notation: ([x]) => call(word('fold'), [x]),
  vjp: ([x], g, { shape: _, ...moves }) => [windows(g, { k: x.shape.slice(-2) as number[], ...moves })],
})

/** Pairs of a place in the image and a place in its windows. */
function eachEntry(image: readonly number[], windows: readonly number[], moves: Moves, pair: (i: number, j: number) => void): void {
  const [space, places, k] = [image.slice(-2), windows.slice(-4, -2), windows.slice(-2)]
  const taps = tapsOf(space, k, places, moves)
  const [perImage, perWindow] = [sizeOf(space), sizeOf(k)]
  for (let n = 0; n < sizeOf(image.slice(0, -2)); n++) {
    for (let t = 0; t < taps.length; t += 3) pair(n * perImage + taps[t]!, (n * sizeOf(places) + taps[t + 2]!) * perWindow + taps[t + 1]!)
  }
}

/** The windows of an image as the columns of a matrix. */
const unfold = op('unfold', ['x'], { k: each(2), dilation: each(2, 1), padding: each(2, 0, 0), stride: each(2, 1) })({
  why: 'an entry is in several windows: their errors add up',
  formula: 'column l holds the window at position l',
  source: 'PyTorch, Unfold',
  examples: ['unfold(x, 2) | x: [2, n, h, w]', 'unfold(x, [2, 1], stride=2, padding=1) | x: [n, h, w]'],
  shape([x], { k, ...moves }) {
    checkImage('unfold', x)
    return [...x.slice(0, -3), times(x.at(-3)!, product(k)), product(placed(x, k, moves))]
  },
  notation: ([x]) => call(word('unfold'), [x]),
  expand([x], { k, ...moves }) {
    const all = windows(x, { k, ...moves })
    const rank = all.shape.length
    const places = [rank - 4, rank - 3]
    const order = [...all.shape.keys()].filter((a) => !places.includes(a))
    return inShape(transpose(all, { perm: [...order, ...places] }), [
      ...x.shape.slice(0, -3),
      times(x.shape.at(-3)!, product(k)),
      product(placed(x.shape, k, moves)),
    ])
  },
})

/** A window of pooling moves by its own size, unless told. */
const pooling = { k: each(2), stride: eachOr(2, 'the size of the window'), padding: each(2, 0, 0) }
interface Pooling {
  readonly k: readonly number[]
  readonly stride: readonly number[] | null
  readonly padding: readonly number[]
}
const movesOf = ({ k, stride, padding }: Pooling): Moves => ({ stride: stride ?? k, padding, dilation: [1, 1] })

function pooled(name: string, x: Shape, attrs: Pooling): Shape {
  checkImage(name, x)
  return [...x.slice(0, -2), ...placed(x, attrs.k, movesOf(attrs))]
}

/** The two axes of a window, last of all. */
const inWindow = (all: Expr): readonly number[] => [all.shape.length - 2, all.shape.length - 1]
const perWindow = (x: Expr, all: Expr): Expr => broadcast(inShape(x, [...x.shape, 1, 1]), { shape: all.shape })
const poolLayout = (name: string, args: readonly Layout[], { k, stride, padding }: Pooling): Layout => {
  const shown = (values: readonly number[]): Layout => symbol(values[0] === values[1] ? String(values[0]) : `[${values.join(', ')}]`)
  const option = (key: string, values: readonly number[]): Layout =>
    row(Level.relation, [symbol(`${key}=`, `\\text{${key}}=`), shown(values)])
  const moved = stride?.some((s, i) => s !== k[i]) ? [option('stride', stride)] : []
  return call(word(name), [...args, shown(k), ...moved, ...(padding.some((p) => p > 0) ? [option('padding', padding)] : [])])
}

const maxPool2d = op(
  'max_pool2d',
  ['x'],
  pooling,
)({
  joins: true,
  why: 'each window sends its error to its winner; winners that tie share it equally, and an entry that wins in several windows adds up',
  formula: 'the largest entry of each window',
  source: 'PyTorch, MaxPool2d; Goodfellow et al. 2016, §9.3',
  examples: ['max_pool2d(x, 2) | x: [n, c, 2*h, 2*w]', 'max_pool2d(x, 3, stride=2, padding=1) | x: [c, 2*h, 2*w + 1]'],
  shape: ([x], attrs) => pooled('max_pool2d', x, attrs),
  notation: (args, attrs) => poolLayout('max_pool2d', args, attrs),
  expand: ([x], attrs) => {
    const all = windows(x, { k: attrs.k, ...movesOf(attrs), outside: -Infinity })
    return max(all, { axis: inWindow(all) })
  },
  vjp: ([x], g, attrs) => [maxUnpool2d(x, g, attrs)],
})

const maxUnpool2d = op(
  'max_unpool2d',
  ['x', 'g'],
  pooling,
)({
  why: 'each winner passes what comes back to the error of its window; where the winner is does not change',
  formula: 'g of each window put at the place of its winner in x, and added up; zeros elsewhere',
  source: 'the adjoint of max_pool2d; Zeiler & Fergus 2014, §2.1',
  examples: ['max_unpool2d(x, g, 2) | x: [c, 2*h, 2*w], g: [c, h, w]'],
  shape([x, g], attrs) {
    const expected = pooled('max_unpool2d', x, attrs)
    if (g.length !== expected.length || !g.every((d, a) => sameDim(d, expected[a]!)))
      fail('shapes', { what: `max_unpool2d takes the error of the pooled image, ${shapeText(expected)}`, detail: shapeText(g) })
    return x
  },
  notation: (args, attrs) => poolLayout('max_unpool2d', args, attrs),
  expand: ([x, g], attrs) => {
    const all = windows(x, { k: attrs.k, ...movesOf(attrs), outside: -Infinity })
    const won = equal(all, perWindow(max(all, { axis: inWindow(all) }), all))
    const share = divide(multiply([won, perWindow(g, all)]), perWindow(sum(won, { axis: inWindow(all) }), all))
    return fold(share, { shape: x.shape, ...movesOf(attrs) })
  },
})

const avgPool2d = op(
  'avg_pool2d',
  ['x'],
  pooling,
)({
  linear: 'each',
  why: 'each window shares its error equally among its entries; an entry in several windows adds up',
  formula: 'the mean of each window, padding counted as zeros',
  source: 'PyTorch, AvgPool2d',
  examples: ['avg_pool2d(x, 2) | x: [n, c, 2*h, 2*w]', 'avg_pool2d(x, [3, 2], stride=1, padding=1) | x: [c, h, w]'],
  shape: ([x], attrs) => pooled('avg_pool2d', x, attrs),
  notation: (args, attrs) => poolLayout('avg_pool2d', args, attrs),
  expand: ([x], attrs) => {
    const all = windows(x, { k: attrs.k, ...movesOf(attrs) })
    return mean(all, { axis: inWindow(all) })
  },
  vjp: ([x], g, attrs) => [avgUnpool2d(g, { ...attrs, shape: x.shape })],
})

const avgUnpool2d = op('avg_unpool2d', ['g'], { ...pooling, shape: dims() })({
  linear: 'each',
  why: 'the adjoint of a mean over windows is one',
  formula: 'g of each window divided by the size of the window, put at all its places and added up',
  source: 'the adjoint of avg_pool2d',
  examples: ['avg_unpool2d(g, 2, 2, 0, [c, 2*h, 2*w]) | g: [c, h, w]'],
  shape([g], { shape, ...attrs }) {
    const expected = pooled('avg_unpool2d', shape, attrs)
    if (g.length !== expected.length || !g.every((d, a) => sameDim(d, expected[a]!)))
      fail('shapes', { what: `avg_unpool2d takes the error of the pooled image, ${shapeText(expected)}`, detail: shapeText(g) })
    return shape
  },
  notation: (args, attrs) => poolLayout('avg_unpool2d', args, attrs),
  expand: ([g], { shape, ...attrs }) => {
    const all = inShape(g, [...g.shape, 1, 1])
    const repeated = broadcast(all, { shape: [...g.shape, ...attrs.k] })
    return fold(divide(repeated, sizeValue(product(attrs.k))), { shape, ...movesOf(attrs) })
  },
  vjp: (_, u, { shape: __, ...attrs }) => [avgPool2d(u, attrs)],
})

/** The mean over all positions: [C] or [N, C]. */
const globalAvgPool = op('global_avg_pool', ['x'])({
  linear: 'each',
  why: 'every position of a channel gets an equal share of its error',
  formula: 'the mean of each channel over all positions',
  source: 'Lin et al. 2014, §3.2',
  examples: ['global_avg_pool(x) | x: [n, c, h, w]', 'global_avg_pool(x) | x: [c, h, w]'],
  shape([x]) {
    checkImage('global_avg_pool', x)
    return x.slice(0, -2)
  },
  notation: (args) => call(word('global_avg_pool'), args),
  expand: ([x]) => mean(x, { axis: [x.shape.length - 2, x.shape.length - 1] }),
})

/** Every pixel k by k times (nearest neighbour). */
const upsample = op('upsample', ['x'], { k: each(2, 2) })({
  linear: 'each',
  why: 'a pixel is copied: the errors of its copies add up',
  formula: 'every pixel repeated in a block of k × k',
  source: 'PyTorch, Upsample with mode nearest; Long et al. 2015',
  examples: ['upsample(x, 2) | x: [n, c, h, w]', 'upsample(x, [3, 2]) | x: [c, h, w]'],
  shape([x], { k }) {
    checkImage('upsample', x)
    return [...x.slice(0, -2), times(x.at(-2)!, k[0]!), times(x.at(-1)!, k[1]!)]
  },
  notation: ([x], { k }) => poolLayout('upsample', [x], { k, stride: null, padding: [0, 0] }),
  expand([x], { k }) {
    const [h, w] = x.shape.slice(-2) as [Dim, Dim]
    const rest = x.shape.slice(0, -2)
    const blocks = broadcast(inShape(x, [...rest, h, 1, w, 1]), { shape: [...rest, h, k[0]!, w, k[1]!] })
    return inShape(blocks, [...rest, times(h, k[0]!), times(w, k[1]!)])
  },
  vjp: (_, g, { k }) => [multiply([fill(product(k) as number), avgPool2d(g, { k })])],
})

export const pools = [windows, fold, unfold, maxPool2d, maxUnpool2d, avgPool2d, avgUnpool2d, globalAvgPool, upsample]
