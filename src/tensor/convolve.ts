/** Convolution (cross-correlation, as networks mean it) and its two adjoints: one list of products, summed into either of three arrays. */
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
export const convolve = (x: Tensor, w: Tensor, y: Shape, window: Window): Tensor =>
  summed(y, (sum) =>
    eachProduct(x.shape, w.shape, y, window, (i, j, k) => {
      sum[k]! += x.data[i]! * w.data[j]!
    }),
  )

/** The adjoint by x: what convolves y back onto the given shape of x. */
export const spread = (y: Tensor, w: Tensor, x: Shape, window: Window): Tensor =>
  summed(x, (sum) =>
    eachProduct(x, w.shape, y.shape, window, (i, j, k) => {
      sum[i]! += y.data[k]! * w.data[j]!
    }),
  )

/** The adjoint by w: how x and y correlate, in the given shape of w. */
export const correlate = (x: Tensor, y: Tensor, w: Shape, window: Window): Tensor =>
  summed(w, (sum) =>
    eachProduct(x.shape, w, y.shape, window, (i, j, k) => {
      sum[j]! += x.data[i]! * y.data[k]!
    }),
  )

function summed(shape: Shape, into: (sum: Float64Array) => void): Tensor {
  const result = full(shape, 0)
  into(result.data)
  return result
}

/** Every product that a convolution sums, by flat indices into x, w and y. */
function eachProduct(x: Shape, w: Shape, y: Shape, window: Window, product: (i: number, j: number, k: number) => void): void {
  const [batch, channels, ...space] = x as [number, number, ...number[]]
  const [outputs, inputs, ...kernel] = w as [number, number, ...number[]]
  const positions = y.slice(2)
  const taps = tapsOf(space, kernel, positions, window)
  const [perX, perW, perY] = [sizeOf(space), sizeOf(kernel), sizeOf(positions)]
  const perGroup = outputs / window.groups
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outputs; o++) {
      const firstInput = Math.floor(o / perGroup) * inputs
      for (let c = 0; c < inputs; c++) {
        const [i, j, k] = [(n * channels + firstInput + c) * perX, (o * inputs + c) * perW, (n * outputs + o) * perY]
        for (let t = 0; t < taps.length; t += 3) product(i + taps[t]!, j + taps[t + 1]!, k + taps[t + 2]!)
      }
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
