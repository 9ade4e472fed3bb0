/** Products of matrices and vectors: one rule for each pair of ranks, as a textbook writes them. */
import { fail } from '../diagnostic.ts'
import { sameDim } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { broadcastShape, dimText, type Shape, sameShape, shapeText } from '../expr/shape.ts'
import { type Layout, Level, row, symbol, transposed, within } from '../layout/layout.ts'
import * as kernel from '../tensor/tensor.ts'
import { multiply } from './arithmetic.ts'
import { op } from './define.ts'
import { broadcast, T } from './movement.ts'

const space = symbol(' ')
const juxtaposed = (a: Layout, b: Layout): Layout => row(Level.product, [within(Level.product, a), space, within(Level.factor, b)])
/** A product is associative, so parentheses are needed only around what binds less; on the right they show the order of evaluation. */
const applied = (a: Layout, b: Layout): Layout => row(Level.product, [within(Level.product, a), space, within(Level.product, b)])

function innerDims(a: Shape, b: Shape): void {
  const left = a[a.length - 1]!
  const right = b[Math.max(0, b.length - 2)]!
  if (sameDim(left, right)) return
  const hint = b.length === 1 && a.length === 2 && sameDim(a[0]!, right) ? 'The transpose would fit: .T' : undefined
  fail('shapes', {
    what: 'shapes do not multiply',
    detail: `${shapeText(a)} @ ${shapeText(b)} needs equal inner sizes, but has ${dimText(left)} and ${dimText(right)}`,
    hint,
  })
}

/** A B for matrices, or stacks of them with the same leading axes. */
export const matmul = op('matmul', ['A', 'B'])({
  core: 2,
  linear: 'each',
  why: 'each factor gets the error through the transpose of the other',
  formula: 'Cᵢⱼ = Σₖ Aᵢₖ Bₖⱼ',
  source: 'Giles 2008, §2.2.1',
  examples: ['A @ B | A: [m, k], B: [k, n]', 'A @ B | A: [2, m, k], B: [2, k, n]'],
  shape([a, b]) {
    innerDims(a, b)
    return [...a.slice(0, -1), b.at(-1)!]
  },
  evaluate: ([a, b]) => kernel.matmul(a, b),
  notation: ([a, b]) => juxtaposed(a, b),
  vjp: ([A, B], g) => [matmul(g, T(B)), matmul(T(A), g)],
})

/** A x */
export const matvec = op('matvec', ['A', 'x'])({
  linear: 'each',
  why: 'the error goes back through the transpose; the matrix gets error times input',
  formula: 'yᵢ = Σₖ Aᵢₖ xₖ',
  source: 'Giles 2008, §2.2.1',
  examples: ['A @ x | A: [m, n], x: [n]'],
  shape([a, x]) {
    innerDims(a, x)
    return [a[0]!]
  },
  evaluate: ([a, x], _, shape) => kernel.tensor(shape, kernel.products(a.data, x.data, shape[0]!, shape[0]!, x.data.length, 1)),
  notation: ([a, x]) => applied(a, x),
  vjp: ([A, x], g) => [outer(g, x), matvec(T(A), g)],
})

/** xᵀ A, a vector */
export const vecmat = op('vecmat', ['x', 'A'])({
  linear: 'each',
  why: 'the error goes back through the transpose; the matrix gets input times error',
  formula: 'yⱼ = Σₖ xₖ Aₖⱼ',
  source: 'Giles 2008, §2.2.1',
  examples: ['x @ A | x: [m], A: [m, n]'],
  shape([x, a]) {
    innerDims(x, a)
    return [a[1]!]
  },
  evaluate: ([x, a], _, shape) => kernel.tensor(shape, kernel.products(x.data, a.data, shape[0]!, 1, x.data.length, shape[0]!)),
  notation: ([x, a]) => applied(transposed(a), x),
  vjp: ([x, A], g) => [matvec(A, g), outer(x, g)],
})

/** aᵀ b */
export const dot = op('dot', ['a', 'b'])({
  linear: 'each',
  why: 'each vector gets the other one, times the error',
  formula: 'Σₖ aₖ bₖ',
  source: 'product rule',
  examples: ['dot(a, b) | a: [n], b: [n]', 'a @ b | a: [n], b: [n]'],
  shape([a, b]) {
    if (a.length !== 1 || b.length !== 1) fail('shapes', { what: 'dot takes two vectors', detail: `${shapeText(a)} and ${shapeText(b)}` })
    innerDims(a, b)
    return []
  },
  evaluate: ([a, b]) => kernel.scalar(kernel.inner(a, b)),
  notation: ([a, b]) => juxtaposed(transposed(a), b),
  vjp: ([a, b], g) => [multiply([g, b]), multiply([g, a])],
})

/** a bᵀ */
export const outer = op('outer', ['a', 'b'])({
  linear: 'each',
  why: 'each vector gets the error contracted with the other one',
  formula: 'Cᵢⱼ = aᵢ bⱼ',
  source: 'product rule',
  examples: ['outer(a, b) | a: [m], b: [n]'],
  shape([a, b]) {
    if (a.length !== 1 || b.length !== 1) fail('shapes', { what: 'outer takes two vectors', detail: `${shapeText(a)} and ${shapeText(b)}` })
    return [a[0]!, b[0]!]
  },
  evaluate: ([a, b], _, shape) =>
    kernel.tensor(shape, kernel.products(a.data, b.data, a.data.length * b.data.length, shape[0]!, 1, shape[1]!)),
  notation: ([a, b]) => juxtaposed(a, transposed(b)),
  vjp: ([a, b], g) => [matvec(g, b), matvec(T(g), a)],
})

/** The product that `@` means for these ranks (NumPy, matmul). */
export function product(a: Expr, b: Expr): Expr {
  const r = a.shape.length
  const s = b.shape.length
  if (r === 0 || s === 0) {
    fail('shapes', {
      what: '@ needs vectors or matrices',
      detail: `${shapeText(a.shape)} @ ${shapeText(b.shape)}`,
      hint: 'Scalars are multiplied with *.',
    })
  }
  if (r === 1 && s === 1) return dot(a, b)
  if (r === 1 && s === 2) return vecmat(a, b)
  if (r === 2 && s === 1) return matvec(a, b)
  if (r === 1 || s === 1) {
    fail('shapes', {
      what: '@ of a stack of matrices and a vector is not supported',
      detail: `${shapeText(a.shape)} @ ${shapeText(b.shape)}`,
      hint: 'Give the vector a second axis: x[:, None].',
    })
  }
  const lead = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  if (!lead) fail('shapes', { what: 'leading axes do not broadcast', detail: `${shapeText(a.shape)} @ ${shapeText(b.shape)}` })
  return matmul(stretched(a, lead), stretched(b, lead))
}

function stretched(a: Expr, lead: Shape): Expr {
  const shape = [...lead, ...a.shape.slice(-2)]
  return sameShape(shape, a.shape) ? a : broadcast(a, { shape })
}
