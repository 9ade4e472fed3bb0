/** Convolution (cross-correlation, as networks mean it) and its two adjoints: one list of products, summed into one of three arrays. */
import { full, sizeOf, stridesOf, type Tensor } from './tensor.ts'

/** How a window moves, along each spatial axis. */
export interface Window {
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number
}

type Shape = readonly number[]

/** y[n, o] = Σ x[n, c] ⋆ w[o, c] for x: [N, C, …], w: [O, C/groups, …], y: [N, O, …]; y has the given shape. */
export function convolve(x: Tensor, w: Tensor, y: Shape, window: Window): Tensor {
  const result = full(y, 0)
  eachMeeting(x.shape, w.shape, y, window, (i, j, k, taps) => addProducts(result.data, k, taps.y, x.data, i, taps.x, w.data, j, taps.w))
  return result
}

/** The adjoint by x: what convolves y back onto the given shape of x. */
export function spread(y: Tensor, w: Tensor, x: Shape, window: Window): Tensor {
  const result = full(x, 0)
  eachMeeting(x, w.shape, y.shape, window, (i, j, k, taps) => addProducts(result.data, i, taps.x, y.data, k, taps.y, w.data, j, taps.w))
  return result
}

/** The adjoint by w: how x and y correlate, in the given shape of w. */
export function correlate(x: Tensor, y: Tensor, w: Shape, window: Window): Tensor {
  const result = full(w, 0)
  eachMeeting(x.shape, w, y.shape, window, (i, j, k, taps) => addProducts(result.data, j, taps.w, x.data, i, taps.x, y.data, k, taps.y))
  return result
}

/** sum[at + to[t]] += a[i + inA[t]] · b[j + inB[t]] for every t: the loop that all the time goes into. */
function addProducts(
  sum: Float64Array,
  at: number,
  to: Int32Array,
  a: Float64Array,
  i: number,
  inA: Int32Array,
  b: Float64Array,
  j: number,
  inB: Int32Array,
): void {
  for (let t = 0; t < to.length; t++) sum[at + to[t]!]! += a[i + inA[t]!]! * b[j + inB[t]!]!
}

/** Which entries of a channel of x, of its kernel and of a channel of y meet, side by side. */
interface Taps {
  readonly x: Int32Array
  readonly w: Int32Array
  readonly y: Int32Array
}

/** Every channel of x with every kernel that it meets and the channel of y that they make, by where each starts. */
function eachMeeting(x: Shape, w: Shape, y: Shape, window: Window, meet: (i: number, j: number, k: number, taps: Taps) => void): void {
  const [batch, channels, ...space] = x as [number, number, ...number[]]
  const [outputs, inputs, ...kernel] = w as [number, number, ...number[]]
  const positions = y.slice(2)
  const triples = tapsOf(space, kernel, positions, window)
  const [inX, inW, inY] = [0, 1, 2].map((part) => Int32Array.from({ length: triples.length / 3 }, (_, t) => triples[3 * t + part]!))
  const taps: Taps = { x: inX!, w: inW!, y: inY! }
  const [perX, perW, perY] = [sizeOf(space), sizeOf(kernel), sizeOf(positions)]
  const perGroup = outputs / window.groups
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outputs; o++) {
      const firstInput = Math.floor(o / perGroup) * inputs
      for (let c = 0; c < inputs; c++) meet((n * channels + firstInput + c) * perX, (o * inputs + c) * perW, (n * outputs + o) * perY, taps)
    }
  }
}

/** Triples (place in x, place in the kernel, position): which entries meet when the kernel stands at a position. Padding meets nothing. */
export function tapsOf(space: Shape, kernel: Shape, positions: Shape, { stride, padding, dilation }: Omit<Window, 'groups'>): number[] {
  const [inX, inKernel, inY] = [stridesOf(space), stridesOf(kernel), stridesOf(positions)]
  let taps = [0, 0, 0]
  space.forEach((size, axis) => {
    const longer: number[] = []
    for (let t = 0; t < taps.length; t += 3) {
      for (let p = 0; p < positions[axis]!; p++) {
        for (let k = 0; k < kernel[axis]!; k++) {
          const at = p * stride[axis]! + k * dilation[axis]! - padding[axis]!
          if (at < 0 || at >= size) continue
          longer.push(taps[t]! + at * inX[axis]!, taps[t + 1]! + k * inKernel[axis]!, taps[t + 2]! + p * inY[axis]!)
        }
      }
    }
    taps = longer
  })
  return taps
}
