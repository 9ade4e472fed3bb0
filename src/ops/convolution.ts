/** Convolutions, transposed convolutions and the correlation of input and error: each one's gradients are the other two. */
import { fail } from '../diagnostic.ts'
import { type Dim, divided, floorDivide, minus, plus, sameDim, times } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { dimText, type Shape, shapeText } from '../expr/shape.ts'
import { call, type Layout, Level, row, symbol, word } from '../layout/layout.ts'
import * as kernel from '../tensor/convolve.ts'
import * as array from '../tensor/tensor.ts'
import { each, size, sizes } from './attributes.ts'
import { op } from './define.ts'
import { sum } from './movement.ts'

interface Moves {
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: Dim
}

/** ⌊(n + 2·padding − dilation·(k − 1) − 1) / stride⌋ + 1 positions of a window of k entries along an axis of n. */
export function positions(n: Dim, k: Dim, stride: number, padding: number, dilation: number): Dim {
  const spare = minus(plus(n, 2 * padding), plus(times(dilation, minus(k, 1)), 1))
  if (typeof spare === 'number' && spare < 0) {
    const padded = padding > 0 ? ` with ${padding} zeros on either side` : ''
    const reach = plus(times(dilation, minus(k, 1)), 1)
    fail('shapes', {
      what: 'the window does not fit',
      detail: `it spans ${dimText(reach)} entries, and the axis has ${dimText(n)}${padded}`,
    })
  }
  return plus(floorDivide(spare, stride), 1)
}

/** (n − 1)·stride − 2·padding + dilation·(k − 1) + 1: the shortest axis on which a window has n positions. */
const reached = (n: Dim, k: Dim, stride: number, padding: number, dilation: number): Dim =>
  plus(minus(times(stride, minus(n, 1)), 2 * padding), plus(times(dilation, minus(k, 1)), 1))

/** The family for images with so many spatial axes. */
function convolutions(rank: 1 | 2 | 3) {
  const moves = { stride: each(rank, 1), padding: each(rank, 0, 0), dilation: each(rank, 1), groups: size(1) }
  const names = { conv: `conv${rank}d`, transposed: `conv_transpose${rank}d`, weightGrad: `conv${rank}d_weight_grad` }
  const space = ['h', 'w', 'd'].slice(0, rank)
  const image = (...axes: string[]): string => `[${[...axes, ...space].join(', ')}]`
  const kernels = (out: string, into: string, k: number): string => `[${[out, into, ...space.map(() => k)].join(', ')}]`

  /** Axis of the channels: [C, …] or [N, C, …]. */
  const channelAxis = (x: Shape): number => x.length - rank - 1
  const channelsOf = (x: Shape): Dim => x[channelAxis(x)]!

  function check(name: string, x: Shape, W: Shape, channels: (W: Shape) => Dim, groups: Dim): void {
    const isImage = x.length === rank + 1 || x.length === rank + 2
    if (!isImage || W.length !== rank + 2 || !sameDim(channelsOf(x), channels(W))) {
      const single = `[C, ${space.map((s) => s.toUpperCase()).join(', ')}]`
      const what = `${name} takes an image ${single}, or a batch of them, and kernels for its channels`
      fail('shapes', { what, detail: `${shapeText(x)} and ${shapeText(W)}` })
    }
    if (divided(W[0]!, groups) === undefined)
      fail('shapes', { what: 'groups share the kernels evenly', detail: `${dimText(W[0]!)} kernels and ${dimText(groups)} groups` })
  }

  function checkBias(b: Shape | undefined, channels: Dim): void {
    if (b && (b.length !== 1 || !sameDim(b[0]!, channels)))
      fail('shapes', { what: 'there is one bias for each channel', detail: `${shapeText(b)} and ${dimText(channels)} channels` })
  }

  const withSpace = (x: Shape, channels: Dim, length: (n: Dim, axis: number) => Dim): Shape => [
    ...x.slice(0, channelAxis(x)),
    channels,
    ...x.slice(-rank).map(length),
  ]

  /** What a strided convolution leaves over at the end of each axis of its input. */
  const leftOver = (x: Shape, W: Shape, y: Shape, { stride, padding, dilation }: Moves): Dim[] =>
    x.slice(-rank).map((n, a) => minus(n, reached(y.at(a - rank)!, W[a + 2]!, stride[a]!, padding[a]!, dilation[a]!)))

  /** The error of a bias: summed over the batch and all positions. */
  const biasError = (g: Expr): Expr => sum(g, { axis: g.shape.flatMap((_, a) => (a === channelAxis(g.shape) ? [] : [a])) })

  const batched = (shape: readonly number[]): readonly number[] => (shape.length === rank + 1 ? [1, ...shape] : shape)
  const asBatch = (x: array.Tensor): array.Tensor => array.reshape(x, batched(x.shape))
  const biased = (y: array.Tensor, b: array.Tensor | undefined, shape: readonly number[]): array.Tensor => {
    if (!b) return array.reshape(y, shape)
    const perChannel = array.reshape(b, [b.data.length, ...space.map(() => 1)])
    return array.reshape(
      array.zip(y, array.broadcast(perChannel, y.shape), (v, bias) => v + bias),
      shape,
    )
  }

  const conv = op(
    names.conv,
    ['x', 'W', 'b?'],
    moves,
  )({
    why: 'the input gets a full correlation of the error with the kernels turned by 180° and in- and output channels swapped (a transposed convolution); the kernels get how input and error correlate',
    formula: 'y[o] = Σ x[c] ⋆ W[o, c] + b[o]',
    source: `PyTorch, Conv${rank}d; Dumoulin & Visin 2016, ch. 4; Goodfellow et al. 2016, eqs. (9.11)–(9.13)`,
    examples: [
      `${names.conv}(x, W) | x: ${image('n', 'c')}, W: ${kernels('k', 'c', 2)}`,
      `${names.conv}(x, W, b, stride=2, padding=1) | x: ${image('c')}, W: ${kernels('k', 'c', 3)}, b: [k]`,
    ],
    shape([x, W, b], { stride, padding, dilation, groups }) {
      check(names.conv, x, W, (w) => times(w[1]!, groups), groups)
      checkBias(b, W[0]!)
      return withSpace(x, W[0]!, (n, a) => positions(n, W[a + 2]!, stride[a]!, padding[a]!, dilation[a]!))
    },
    evaluate: ([x, W, b], moves, shape) => biased(kernel.convolve(asBatch(x), W, batched(shape), windowOf(moves)), b, shape),
    notation: ([x, W, b], moves) => call(word(names.conv), [x, W, ...(b ? [b] : []), ...settings(moves)]),
    vjp: ([x, W], g, moves) => [
      transposed(g, W, undefined, { ...moves, output_padding: leftOver(x.shape, W.shape, g.shape, moves) }),
      weightGrad(x, g, { ...moves, kernel_size: W.shape.slice(2) }),
      biasError(g),
    ],
  })

  const transposed = op(names.transposed, ['x', 'W', 'b?'], { ...moves, output_padding: sizes(rank, 0) })({
    why: 'the adjoint of a convolution: the input gets the error convolved with the same kernels',
    formula: 'each entry of x adds a copy of its kernels, scaled by it',
    source: `PyTorch, ConvTranspose${rank}d; Dumoulin & Visin 2016, ch. 4`,
    examples: [
      `${names.transposed}(x, W) | x: ${image('n', 'k')}, W: ${kernels('k', 'c', 2)}`,
      `${names.transposed}(x, W, b, stride=2, padding=1, output_padding=1) | x: ${image('k')}, W: ${kernels('k', 'c', 3)}, b: [c]`,
    ],
    shape([x, W, b], { stride, padding, dilation, groups, output_padding }) {
      check(names.transposed, x, W, (w) => w[0]!, groups)
      checkBias(b, times(W[1]!, groups))
      return withSpace(x, times(W[1]!, groups), (n, a) =>
        plus(reached(n, W[a + 2]!, stride[a]!, padding[a]!, dilation[a]!), output_padding[a]!),
      )
    },
    evaluate: ([x, W, b], moves, shape) => biased(kernel.spread(asBatch(x), W, batched(shape), windowOf(moves)), b, shape),
    notation: ([x, W, b], moves) => call(word(names.transposed), [x, W, ...(b ? [b] : []), ...settings(moves)]),
    vjp: ([x, W], g, { output_padding: _, ...moves }) => [
      conv(g, W, undefined, moves),
      weightGrad(g, x, { ...moves, kernel_size: W.shape.slice(2) }),
      biasError(g),
    ],
  })

  const weightGrad = op(names.weightGrad, ['x', 'g'], { kernel_size: sizes(rank), ...moves })({
    linear: 'each',
    why: 'a correlation of two images: each gets the error applied to the other one as kernels',
    formula: 'W[o, c] = Σ x[c] ⋆ g[o], summed over the batch',
    source: `the adjoint of ${names.conv}; Goodfellow et al. 2016, eq. (9.11)`,
    examples: [
      `${names.weightGrad}(x, g, 2) | x: [n, c, ${space.map((s) => `${s} + 1`).join(', ')}], g: ${image('n', 'k')}`,
      `${names.weightGrad}(x, g, 3, stride=2, padding=1) | x: [c, ${space.map((s) => `2*${s}`).join(', ')}], g: ${image('k')}`,
    ],
    shape([x, g], { kernel_size, stride, padding, dilation, groups }) {
      const into = x.length > rank ? divided(channelsOf(x), groups) : undefined
      const fits =
        x.length === g.length &&
        kernel_size.every((k, a) => {
          const n = positions(x.at(a - rank)!, k, stride[a]!, padding[a]!, dilation[a]!)
          return sameDim(n, g.at(a - rank)!)
        })
      if (into === undefined || !fits)
        fail('shapes', {
          what: `${names.weightGrad} takes an image and the error of its convolution`,
          detail: `${shapeText(x)} and ${shapeText(g)}`,
        })
      return [channelsOf(g), into, ...kernel_size]
    },
    evaluate: ([x, g], moves, shape) => kernel.correlate(asBatch(x), asBatch(g), shape, windowOf(moves)),
    notation: ([x, g], moves) => call(word(names.weightGrad), [x, g, ...settings(moves)]),
    vjp: ([x, g], V, { kernel_size: _, ...moves }) => [
      transposed(g, V, undefined, { ...moves, output_padding: leftOver(x.shape, V.shape, g.shape, moves) }),
      conv(x, V, undefined, moves),
    ],
  })
  return [conv, transposed, weightGrad] as const
}

const windowOf = ({ groups, ...moves }: Moves): kernel.Window => ({ ...moves, groups: groups as number })

/** The settings that are not the usual ones, as a call shows them. */
function settings({ stride, padding, dilation, groups }: Moves): Layout[] {
  const shown = (name: string, values: readonly Dim[], usual: number): Layout[] => {
    if (values.every((v) => v === usual)) return []
    const [first] = values
    const text = values.every((v) => v === first) ? dimText(first!) : `[${values.map(dimText).join(', ')}]`
    return [row(Level.relation, [symbol(`${name}=`, `\\text{${name}}=`), symbol(text)])]
  }
  return [
    ...shown('stride', stride, 1),
    ...shown('padding', padding, 0),
    ...shown('dilation', dilation, 1),
    ...shown('groups', [groups], 1),
  ]
}

export const convolution = [...convolutions(1), ...convolutions(2), ...convolutions(3)]
