/** Rearrangements of entries: axes that come and go, reversed, rolled and repeated ones, triangles. */
import { fail } from '../diagnostic.ts'
import { type Dim, dimLayout, minus, product, times } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, shapeText } from '../expr/shape.ts'
import { call, symbol, word } from '../layout/layout.ts'
import { full, stridesOf } from '../tensor/tensor.ts'
import { axis, size, whole } from './attributes.ts'
import { op } from './define.ts'
import { broadcast, concat, inShape, slice } from './movement.ts'

/** All entries in one axis. */
export const flatten = op('flatten', ['x'])({
  linear: 'each',
  why: 'the error is put back into the old shape',
  formula: 'the entries of x in one axis, row by row',
  source: 'PyTorch, flatten',
  examples: ['flatten(x) | x: [m, n]', 'flatten(x) | x: [2, m, n]'],
  shape: ([x]) => [product(x)],
  notation: ([x]) => call(word('vec'), [x]),
  expand: ([x]) => inShape(x, [product(x.shape)]),
})

/** Without an axis of length 1. */
export const squeeze = op('squeeze', ['x'], { axis: axis(-1) })({
  linear: 'each',
  why: 'an axis of length 1 comes back',
  formula: 'x without the axis',
  source: 'NumPy, squeeze, of the last axis unless told',
  examples: ['squeeze(x) | x: [m, 1]', 'squeeze(x, axis=0) | x: [1, n]'],
  shape([x], { axis }) {
    if (x[axis] !== 1)
      fail('shapes', { what: 'squeeze takes away an axis of length 1', detail: `axis ${axis} of ${shapeText(x)} is longer` })
    return x.filter((_, i) => i !== axis)
  },
  notation: ([x]) => x,
  expand: ([x], { axis }) =>
    inShape(
      x,
      x.shape.filter((_, i) => i !== axis),
    ),
})

const opened = (x: Shape, at: number): Shape => [...x.slice(0, at), 1, ...x.slice(at)]
/** Axes of the result count: −1 is behind the last one. */
const placeOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank + 1 : axis)

/** With a new axis of length 1. */
export const unsqueeze = op('unsqueeze', ['x'], { axis: whole() })({
  linear: 'each',
  why: 'the axis of length 1 vanishes again',
  formula: 'x with a new axis',
  source: 'PyTorch, unsqueeze',
  examples: ['unsqueeze(x, 0) | x: [n]', 'unsqueeze(x, -1) | x: [m, n]'],
  shape([x], { axis }) {
    const at = placeOf(axis, x.length)
    if (at < 0 || at > x.length)
      fail('shapes', { what: `there is no place ${axis} for a new axis`, detail: `in the shape ${shapeText(x)}` })
    return opened(x, at)
  },
  notation: ([x]) => x,
  expand: ([x], { axis }) => inShape(x, opened(x.shape, placeOf(axis, x.shape.length))),
})

/** Reversed along an axis. */
export const flip = op('flip', ['x'], { axis: axis(-1) })({
  linear: 'each',
  why: 'the error is turned round again',
  formula: 'the entries along the axis in reverse order',
  source: 'NumPy, flip, of the last axis unless told',
  examples: ['flip(x) | x: [n]', 'flip(x, axis=0) | x: [m, n]'],
  evaluate([x], { axis }) {
    const [step, length] = [stridesOf(x.shape)[axis]!, x.shape[axis]!]
    const result = full(x.shape, 0)
    x.data.forEach((v, i) => {
      const at = Math.floor(i / step) % length
      result.data[i + step * (length - 1 - 2 * at)] = v
    })
    return result
  },
  notation: ([x]) => call(word('flip'), [x]),
  vjp: (_, g, { axis }) => [flip(g, { axis })],
})

const part = (x: Expr, axis: number, from: Dim, count: Dim): Expr =>
  slice(x, {
    start: x.shape.map((_, i) => (i === axis ? from : 0)),
    size: x.shape.map((d, i) => (i === axis ? count : d)),
    step: x.shape.map(() => 1),
    drop: [],
  })

/** Shifted along an axis; what leaves at one end comes in at the other. */
export const roll = op('roll', ['x'], { shift: whole(), axis: axis(-1) })({
  linear: 'each',
  why: 'the error is rolled back',
  formula: 'yᵢ = xᵢ₋ₛ, around the ends',
  source: 'NumPy, roll, of the last axis unless told',
  examples: ['roll(x, 1) | x: [n]', 'roll(x, -1, axis=0) | x: [m, n]'],
  notation: ([x], { shift }) => call(word('roll'), [x, symbol(String(shift))]),
  expand: ([x], { shift, axis }) => {
    const length = x.shape[axis]!
    const cut = shift >= 0 ? minus(length, shift) : -shift
    return concat([part(x, axis, cut, minus(length, cut)), part(x, axis, 0, cut)], { axis })
  },
  vjp: (_, g, { shift, axis }) => [roll(g, { shift: -shift, axis })],
})

/** Each entry k times, one after the other. */
export const repeat = op('repeat', ['x'], { k: size(), axis: axis(-1) })({
  linear: 'each',
  why: 'the copies send their errors back, and they add up',
  formula: 'each entry k times along the axis',
  source: 'NumPy, repeat, along the last axis unless told',
  examples: ['repeat(x, 3) | x: [n]', 'repeat(x, 2, axis=0) | x: [m, n]'],
  shape: ([x], { k, axis }) => x.map((d, i) => (i === axis ? times(d, k) : d)),
  notation: ([x], { k }) => call(word('repeat'), [x, dimLayout(k)]),
  expand: ([x], { k, axis }) => {
    const apart = inShape(x, opened(x.shape, axis + 1))
    const copies = broadcast(apart, { shape: apart.shape.map((d, i) => (i === axis + 1 ? k : d)) })
    return inShape(
      copies,
      x.shape.map((d, i) => (i === axis ? times(d, k) : d)),
    )
  },
})

/** The lower triangle of the last two axes; the rest is zero. */
export const tril = op('tril', ['x'], { k: whole(0) })({
  linear: 'each',
  why: 'only the triangle was kept: only there the error passes',
  formula: 'xᵢⱼ where j ≤ i + k, else 0',
  source: 'NumPy, tril',
  examples: ['tril(x) | x: [n, n]', 'tril(x, k=-1) | x: [2, m, n]'],
  shape([x]) {
    if (x.length < 2) fail('shapes', { what: 'tril takes matrices', detail: `this has the shape ${shapeText(x)}` })
    return x
  },
  evaluate([x], { k }) {
    const columns = x.shape.at(-1)!
    const rows = x.shape.at(-2)!
    const keeps = (i: number): boolean => (i % columns) - (Math.floor(i / columns) % rows) <= k
    return { shape: x.shape, data: x.data.map((v, i) => (keeps(i) ? v : 0)) }
  },
  notation: ([x]) => call(word('tril'), [x]),
  vjp: (_, g, { k }) => [tril(g, { k })],
})
