/** Rows picked by their numbers, beside the adjoint that adds them up: take ↔ scatter. */
import { fail } from '../diagnostic.ts'
import { type Shape, shapeText } from '../expr/shape.ts'
import { call, index, type Layout, subscript, word } from '../layout/layout.ts'
import { full, type Tensor } from '../tensor/tensor.ts'
import { size } from './attributes.ts'
import { op } from './define.ts'

const rowSize = (shape: readonly number[]): number => shape.slice(1).reduce((n, d) => n * d, 1)

/** Numbers of rows are whole and below their count: real numbers are only drawn where the spec does not say what they are. */
function requireRows(ids: Tensor, count: number): void {
  const strange = ids.data.find((id) => !(Number.isInteger(id) && id >= 0 && id < count))
  if (strange !== undefined) fail('not-a-row', { found: String(strange), count })
}

function rows(x: Tensor, ids: Tensor, shape: readonly number[]): Tensor {
  requireRows(ids, x.shape[0]!)
  const width = rowSize(x.shape)
  const result = full(shape, 0)
  ids.data.forEach((id, i) => {
    result.data.set(x.data.subarray(id * width, (id + 1) * width), i * width)
  })
  return result
}

function picked(x: Shape, ids: Shape): Shape {
  if (x.length === 0) fail('shapes', { what: 'rows are taken from something that has some', detail: `this has the shape ${shapeText(x)}` })
  return [...ids, ...x.slice(1)]
}

const picking = (name: string, source: string, examples: readonly string[]) =>
  op(name, ['x', 'ids'])({
    linear: [0],
    joins: true,
    why: 'a row gets the errors of all places where it was taken; rows that were not taken get none',
    formula: 'yᵢ = x[idsᵢ]',
    source,
    examples,
    shape: ([x, ids]) => picked(x, ids),
    evaluate: ([x, ids], _, shape) => rows(x, ids, shape),
    notation: ([x, ids]) => index(x, [ids]),
    vjp: ([x, ids], g) => [scatter(g, ids, { size: x.shape[0]! }), null],
  })

/** The rows of x with these numbers. */
export const take = picking('take', 'NumPy, take along axis 0', ['take(x, ids) | x: [4, n], ids: [3] index(4)'])

/** The rows of an embedding table. */
export const embedding = picking('embedding', 'PyTorch, Embedding; Bengio et al. 2003', [
  'embedding(E, ids) | E: [5, d], ids: [n] index(5)',
  'embedding(E, ids) | E: [5, d], ids: [2, n] index(5)',
])

/** The adjoint of `take`: rows added into zeros at their numbers. */
export const scatter = op('scatter', ['x', 'ids'], { size: size() })({
  linear: [0],
  why: 'each row gets back the error of the place that it was added to',
  formula: 'yⱼ = Σ xᵢ over the i with idsᵢ = j',
  source: 'the adjoint of take; PyTorch, index_add',
  examples: ['scatter(x, ids, 4) | x: [3, n], ids: [3] index(4)', 'scatter(x, ids, 4) | x: [2, 3, n], ids: [2, 3] index(4)'],
  shape([x, ids], { size }) {
    if (ids.length > x.length)
      fail('shapes', { what: 'scatter takes a row for each number', detail: `${shapeText(x)} and ${shapeText(ids)}` })
    return [size, ...x.slice(ids.length)]
  },
  evaluate([x, ids], _, shape) {
    requireRows(ids, shape[0]!)
    const width = rowSize(shape)
    const result = full(shape, 0)
    ids.data.forEach((id, i) => {
      for (let k = 0; k < width; k++) result.data[id * width + k]! += x.data[i * width + k]!
    })
    return result
  },
  notation: ([x, ids]): Layout => call(subscript(word('scatter'), ids), [x]),
  vjp: ([, ids], g) => [take(g, ids), null],
})

/** A row of zeros with a one at the place that each number says. */
export const oneHot = op('one_hot', ['ids'], { k: size() })({
  why: 'numbers of classes receive no error',
  formula: 'yᵢⱼ = 1 where j = idsᵢ, else 0',
  source: 'PyTorch, one_hot',
  examples: ['one_hot(ids, 3) | ids: [n] index(3)'],
  shape: ([ids], { k }) => [...ids, k],
  evaluate([ids], _, shape) {
    const width = shape.at(-1)!
    requireRows(ids, width)
    const result = full(shape, 0)
    ids.data.forEach((id, i) => {
      result.data[i * width + id] = 1
    })
    return result
  },
  notation: ([ids]) => call(word('onehot'), [ids]),
  vjp: () => [null],
})
