/** Dense float64 arrays in row-major order, and the few kernels that the operations are evaluated with. */

export interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

export function sizeOf(shape: readonly number[]): number {
  let size = 1
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis]!
  return size
}

export const tensor = (shape: readonly number[], data: Float64Array): Tensor => ({ shape, data })

export const full = (shape: readonly number[], value: number): Tensor => tensor(shape, new Float64Array(sizeOf(shape)).fill(value))

export const scalar = (value: number): Tensor => tensor([], Float64Array.of(value))

/** f of every entry. */
export function map(a: Tensor, f: (x: number) => number): Tensor {
  const data = new Float64Array(a.data.length)
  for (let i = 0; i < data.length; i++) data[i] = f(a.data[i]!)
  return tensor(a.shape, data)
}

/** f of the entries of two tensors of the same shape, pair by pair. */
export function zip(a: Tensor, b: Tensor, f: (x: number, y: number) => number): Tensor {
  const data = new Float64Array(a.data.length)
  for (let i = 0; i < data.length; i++) data[i] = f(a.data[i]!, b.data[i]!)
  return tensor(a.shape, data)
}

export const reshape = (a: Tensor, shape: readonly number[]): Tensor => tensor(shape, a.data)

/** How far apart neighbours along each axis stand in the data. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  for (let axis = shape.length - 1, step = 1; axis >= 0; axis--) {
    strides[axis] = step
    step *= shape[axis]!
  }
  return strides
}

/** For every index of `shape` in order, the offset Σ index·stride: the one loop behind transposes, slices and broadcasts. */
function offsets(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  const result = new Int32Array(sizeOf(shape))
  if (result.length === 0) return result
  result[0] = start
  // axis by axis, backwards, so that each offset is read before it is written over
  for (let axis = 0, count = 1; axis < shape.length; count *= shape[axis++]!) {
    const [size, stride] = [shape[axis]!, strides[axis]!]
    for (let i = count - 1; i >= 0; i--) for (let k = size - 1; k >= 0; k--) result[i * size + k] = result[i]! + k * stride
  }
  return result
}

function gather(a: Tensor, shape: readonly number[], from: Int32Array): Tensor {
  const data = new Float64Array(from.length)
  for (let i = 0; i < data.length; i++) data[i] = a.data[from[i]!]!
  return tensor(shape, data)
}

/** The axes in a new order: axis i of the result is axis order[i] of `a`. */
export function permute(a: Tensor, order: readonly number[]): Tensor {
  const strides = stridesOf(a.shape)
  const shape = order.map((axis) => a.shape[axis]!)
  return gather(
    a,
    shape,
    offsets(
      shape,
      order.map((axis) => strides[axis]!),
    ),
  )
}

/** Repeats `a` along new leading axes and along axes of length 1 (NumPy's rule). */
export function broadcast(a: Tensor, shape: readonly number[]): Tensor {
  const lead = shape.length - a.shape.length
  const own = stridesOf(a.shape)
  const strides = shape.map((_, axis) => (axis < lead || a.shape[axis - lead] === 1 ? 0 : own[axis - lead]!))
  return gather(a, shape, offsets(shape, strides))
}

/** Folds `f` over the given axes, which keep length 1. */
export function reduce(a: Tensor, axes: readonly number[], f: (acc: number, x: number) => number, initial: number): Tensor {
  const shape = a.shape.map((d, axis) => (axes.includes(axis) ? 1 : d))
  const result = full(shape, initial)
  const own = stridesOf(shape)
  const to = offsets(
    a.shape,
    a.shape.map((_, axis) => (axes.includes(axis) ? 0 : own[axis]!)),
  )
  for (let i = 0; i < to.length; i++) result.data[to[i]!] = f(result.data[to[i]!]!, a.data[i]!)
  return result
}

/** Where a slice of `shape` stands: along each axis `size` entries from `start`, `step` apart. */
function sliceOffsets(shape: readonly number[], start: readonly number[], sizes: readonly number[], step: readonly number[]): Int32Array {
  const strides = stridesOf(shape)
  const first = start.reduce((sum, from, axis) => sum + from * strides[axis]!, 0)
  return offsets(
    sizes,
    strides.map((stride, axis) => stride * step[axis]!),
    first,
  )
}

export const slice = (a: Tensor, start: readonly number[], sizes: readonly number[], step: readonly number[]): Tensor =>
  gather(a, sizes, sliceOffsets(a.shape, start, sizes, step))

/** The adjoint of `slice`: a tensor of zeros with `a` in the slice's place. */
export function unslice(a: Tensor, shape: readonly number[], start: readonly number[], step: readonly number[]): Tensor {
  const result = full(shape, 0)
  const to = sliceOffsets(shape, start, a.shape, step)
  for (let i = 0; i < to.length; i++) result.data[to[i]!] = a.data[i]!
  return result
}

export function concat(parts: readonly Tensor[], axis: number, shape: readonly number[]): Tensor {
  const result = full(shape, 0)
  const step = shape.map(() => 1)
  let from = 0
  for (const part of parts) {
    const to = sliceOffsets(
      shape,
      shape.map((_, i) => (i === axis ? from : 0)),
      part.shape,
      step,
    )
    for (let i = 0; i < to.length; i++) result.data[to[i]!] = part.data[i]!
    from += part.shape[axis]!
  }
  return result
}

/** A[…, m, k] B[…, k, n] with equal leading axes. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const rank = a.shape.length
  const [m, k, n] = [a.shape[rank - 2]!, a.shape[rank - 1]!, b.shape[rank - 1]!]
  const shape = a.shape.with(-1, n)
  return tensor(shape, products(a.data, b.data, sizeOf(shape), m, k, n))
}

/** The `size` entries of the products of matrices [m, k] with matrices [k, n], stacked one after the other. */
export function products(a: Float64Array, b: Float64Array, size: number, m: number, k: number, n: number): Float64Array {
  const data = new Float64Array(size)
  for (let row = 0; row * n < size; row++) {
    const top = Math.floor(row / m) * k
    for (let l = 0; l < k; l++) {
      const factor = a[row * k + l]!
      for (let j = 0; j < n; j++) data[row * n + j]! += factor * b[(top + l) * n + j]!
    }
  }
  return data
}

/** Σ aᵢ bᵢ over all entries. */
export function inner(a: Tensor, b: Tensor): number {
  let sum = 0
  for (let i = 0; i < a.data.length; i++) sum += a.data[i]! * b.data[i]!
  return sum
}

export const norm = (a: Tensor): number => Math.sqrt(inner(a, a))

/** max |aᵢ|, zero for no entries. */
export const largest = (a: Tensor): number => a.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0)

/** max |aᵢ − bᵢ| of two tensors of the same shape. */
export const distance = (a: Tensor, b: Tensor): number => largest(zip(a, b, (x, y) => x - y))

export const allFinite = (a: Tensor): boolean => a.data.every(Number.isFinite)
