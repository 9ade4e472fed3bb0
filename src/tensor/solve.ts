/** Systems of linear equations, by elimination with pivots. */
import { full, type Tensor } from './tensor.ts'

/** The X with A X = B, for A: [n, n] and B: [n, k]; entries are not finite where A is singular. */
export function solved(a: Tensor, b: Tensor): Tensor {
  const [n, k] = b.shape as [number, number]
  const left = Float64Array.from(a.data)
  const right = Float64Array.from(b.data)
  const swap = (data: Float64Array, width: number, i: number, j: number): void => {
    for (let c = 0; c < width; c++) [data[i * width + c], data[j * width + c]] = [data[j * width + c]!, data[i * width + c]!]
  }
  for (let column = 0; column < n; column++) {
    let pivot = column
    for (let r = column + 1; r < n; r++) if (Math.abs(left[r * n + column]!) > Math.abs(left[pivot * n + column]!)) pivot = r
    swap(left, n, column, pivot)
    swap(right, k, column, pivot)
    for (let r = 0; r < n; r++) {
      if (r === column) continue
      const factor = left[r * n + column]! / left[column * n + column]!
      for (let c = column; c < n; c++) left[r * n + c]! -= factor * left[column * n + c]!
      for (let c = 0; c < k; c++) right[r * k + c]! -= factor * right[column * k + c]!
    }
  }
  const result = full([n, k], 0)
  for (let r = 0; r < n; r++) for (let c = 0; c < k; c++) result.data[r * k + c] = right[r * k + c]! / left[r * n + r]!
  return result
}
