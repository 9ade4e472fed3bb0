/** Operations that move entries without changing them, beside their adjoints: broadcast ↔ sum, slice ↔ embed, concat ↔ slices. */
import { fail } from '../diagnostic.ts'
import { type Dim, dimLayout, divided, minus, plus, product, sameDim, times } from '../expr/dim.ts'
import { type Attrs, type Expr, make } from '../expr/expr.ts'
import { broadcastShape, dimText, type Shape, sameShape, shapeText, stretchedAxes } from '../expr/shape.ts'
import { bracketed, call, fence, index, joined, type Layout, Level, row, symbol, transposed, within, word } from '../layout/layout.ts'
import * as kernel from '../tensor/tensor.ts'
import { axes, axis, dims, keptAxes, newAxis, order, pads } from './attributes.ts'
import { op } from './define.ts'
import { extent, fill, numberOf, ones, sizeValue } from './leaves.ts'

const space = symbol(' ')

/** What an operation hands on that only moves entries. */
export const allArguments = ({ args }: Expr): readonly Expr[] => args

/** Repeats a value along new or stretched axes: a fan-out, one use for every copy. */
export const broadcast = op('broadcast_to', ['x'], { shape: dims() })({
  linear: 'each',
  why: 'every copy sends its error back: they are summed over the broadcast axes',
  formula: 'x repeated along the new axes',
  source: 'NumPy, broadcast_to',
  passes: allArguments,
  examples: ['broadcast_to(x, [m, n]) | x: [n]', 'broadcast_to(x, [m, n]) | x: [m, 1]', 'broadcast_to(x, [2, n]) | x: []'],
  shape([x], { shape }) {
    const fits = broadcastShape(x, shape)
    if (!fits || !sameShape(fits, shape))
      fail('shapes', { what: 'shapes do not broadcast', detail: `${shapeText(x)} can't be repeated to ${shapeText(shape)}` })
    return shape
  },
  evaluate: ([x], _, shape) => kernel.broadcast(x, shape),
  bare: ([x]) => x,
  notation([x], { shape }, { args: [source] }) {
    const from = source!.shape
    const factor = within(Level.factor, x)
    if (from.every((d) => d === 1)) return row(Level.product, [factor, space, ones])
    if (shape.length === 2 && from.length === 2 && from[1] === 1) return row(Level.product, [factor, space, transposed(ones)])
    if (shape.length === 2 && from.length === 1) return row(Level.product, [ones, space, transposed(factor)])
    return call(word('broadcast'), [x, bracketed(shape.map(dimLayout))])
  },
  vjp: ([x], g, { shape }) => [
    inShape(sum(g, { axis: stretchedAxes(x.shape, shape), keepdims: x.shape.length === shape.length }), x.shape),
  ],
})

/** Brings arguments to their common shape; numbers are filled into it. */
export function aligned(args: readonly Expr[]): readonly Expr[] {
  let shape = args[0]!.shape
  let areAlike = true
  for (let i = 1; i < args.length; i++) {
    const own = args[i]!.shape
    if (sameShape(own, shape)) continue
    const common = broadcastShape(shape, own)
    if (!common) fail('shapes', { what: 'shapes do not broadcast', detail: `${shapeText(shape)} and ${shapeText(own)}` })
    shape = common
    areAlike = false
  }
  return areAlike ? args : args.map((arg) => stretched(arg, shape))
}

function stretched(arg: Expr, shape: Shape): Expr {
  if (sameShape(arg.shape, shape)) return arg
  const value = numberOf(arg)
  if (value !== undefined) return fill(value, shape)
  return arg.op === extent ? sizeValue((arg.attrs.dim as readonly Dim[])[0]!, shape) : broadcast(arg, { shape })
}

export const reducedShape = (shape: Shape, over: readonly number[], keep: boolean): Shape =>
  keep ? shape.map((d, i) => (over.includes(i) ? 1 : d)) : shape.filter((_, i) => !over.includes(i))

/** rowsum, colsum, or the name with its axes. */
export function reductionLayout(name: string, x: Layout, over: readonly number[], rank: number): Layout {
  if (over.length === rank) return call(word(name), [x])
  if (rank === 2) return call(word(`${over[0] === 1 ? 'row' : 'col'}${name}`), [x])
  const named = over.length === 1 ? symbol(String(over[0])) : bracketed(over.map((a) => symbol(String(a))))
  return call(word(name), [x, row(Level.relation, [symbol('axis=', '\\text{axis}='), named])])
}

/** A sum over axes. */
export const sum = op('sum', ['x'], { axis: axes(), keepdims: keptAxes })({
  linear: 'each',
  why: 'every summand receives the error of its sum',
  formula: 'Σ x over the axes',
  source: 'NumPy, sum',
  examples: [
    'sum(x) | x: [n]',
    'sum(x, axis=1) | x: [m, n]',
    'sum(x, axis=0, keepdims=True) | x: [m, n]',
    'sum(x, axis=[0, 2]) | x: [2, m, n]',
  ],
  shape: ([x], { axis, keepdims }) => reducedShape(x, axis, keepdims),
  evaluate: ([x], { axis }, shape) =>
    kernel.reshape(
      kernel.reduce(x, axis, (a, b) => a + b, 0),
      shape,
    ),
  notation: ([x], { axis }, { args: [source] }) => reductionLayout('sum', x, axis, source!.shape.length),
  vjp: ([x], g, { axis }) => [broadcast(inShape(g, reducedShape(x.shape, axis, true)), { shape: x.shape })],
})

/** The same entries in another shape. */
export const reshape = op('reshape', ['x'], { shape: dims() })({
  linear: 'each',
  why: 'the error is put back into the old shape',
  formula: 'the entries of x in row-major order',
  source: 'NumPy, reshape',
  passes: allArguments,
  examples: ['reshape(x, [n, 2]) | x: [2*n]', 'reshape(x, [-1]) | x: [m, n]'],
  shape([x], { shape }) {
    const total = product(x)
    const open = shape.indexOf(-1)
    const rest = product(shape.filter((_, i) => i !== open))
    const missing = open < 0 ? undefined : divided(total, rest)
    const result = open < 0 ? shape : shape.map((d, i) => (i === open ? missing! : d))
    if (open >= 0 ? missing === undefined : !sameDim(total, rest)) {
      fail('shapes', {
        what: 'reshape must keep the number of entries',
        detail: `${shapeText(x)} has ${dimText(total)}, ${shapeText(shape)} has ${dimText(rest)}`,
      })
    }
    return result
  },
  evaluate: ([x], _, shape) => kernel.reshape(x, shape),
  // axes of length 1 come and go as NumPy's broadcasting does it: silently
  notation([x], { shape }, { args: [source] }) {
    const proper = (s: Shape) => s.filter((d) => d !== 1)
    return sameShape(proper(shape), proper(source!.shape)) ? x : call(word('reshape'), [x, bracketed(shape.map(dimLayout))])
  },
  vjp: ([x], g) => [inShape(g, x.shape)],
})

/** x in another shape; x itself if it has that shape. */
export const inShape = (x: Expr, shape: Shape): Expr => (sameShape(x.shape, shape) ? x : reshape(x, { shape }))

/** What was reduced along axes, repeated along them. */
export const spreadBack = (reduced: Expr, shape: Shape, over: readonly number[]): Expr =>
  broadcast(inShape(reduced, reducedShape(shape, over, true)), { shape })

/** The axes in another order; Aᵀ for matrices. */
export const transpose = op('transpose', ['x'], { perm: order() })({
  linear: 'each',
  why: 'the error is transposed back',
  formula: 'axis i of the result is axis perm[i] of x',
  source: 'NumPy, transpose',
  examples: ['x.T | x: [m, n]', 'transpose(x, [2, 0, 1]) | x: [2, m, n]'],
  shape: ([x], { perm }) => perm.map((a) => x[a]!),
  evaluate: ([x], { perm }) => kernel.permute(x, perm),
  notation: ([x], { perm }) =>
    swapsLastTwo(perm) ? transposed(x) : call(word('transpose'), [x, bracketed(perm.map((a) => symbol(String(a))))]),
  vjp: (_, g, { perm }) => [transpose(g, { perm: perm.map((__, i) => perm.indexOf(i)) })],
})

export function swapsLastTwo(perm: readonly number[]): boolean {
  const last = perm.length - 1
  if (last < 1 || perm[last] !== last - 1 || perm[last - 1] !== last) return false
  for (let i = 0; i < last - 1; i++) if (perm[i] !== i) return false
  return true
}

const swapped: Attrs = { perm: [1, 0] }

/** The transpose of the last two axes; a vector is its own transpose (NumPy). Of matrices there are many: they share what is said of the axes. */
export const T = (x: Expr): Expr => {
  const rank = x.shape.length
  if (rank === 2) return make(transpose, [x], swapped)
  return rank < 2 ? x : transpose(x, { perm: x.shape.map((_, i) => (i === rank - 1 ? i - 1 : i === rank - 2 ? i + 1 : i)) })
}

/** Along each axis `size` entries from `start`, `step` apart; the axes in `drop` have one entry and vanish. */
export const slice = op('slice', ['x'], { start: dims(), size: dims(), step: dims(), drop: dims() })({
  linear: 'each',
  why: 'the slice sends its error back to its place; the rest of x receives none',
  formula: 'x[start : start + size·step : step]',
  source: 'NumPy, basic indexing',
  examples: ['x[1:n] | x: [n]', 'x[:, 1] | x: [m, n]', 'x[0:2*n:2] | x: [2*n]'],
  shape: (_, { size, drop }) => size.filter((__, i) => !drop.includes(i)),
  evaluate: ([x], { start, size, step }, shape) =>
    kernel.reshape(kernel.slice(x, start as number[], size as number[], step as number[]), shape),
  notation: ([x], { start, size, step, drop }, { args: [source] }) =>
    index(x, withoutTail(start.map((from, i) => rangeLayout(from, size[i]!, step[i] as number, drop.includes(i), source!.shape[i]!)))),
  vjp: ([x], g, { start, step, drop }) => [embed(g, { shape: x.shape, start, step, drop })],
})

const colon = symbol(':', '{:}')

function rangeLayout(from: Dim, size: Dim, step: number, drop: boolean, whole: Dim): Layout {
  if (drop) return dimLayout(from)
  if (from === 0 && step === 1 && sameDim(size, whole)) return colon
  const to = plus(from, times(step, size))
  return row(Level.relation, [dimLayout(from), colon, dimLayout(to), ...(step === 1 ? [] : [colon, dimLayout(step)])])
}

function withoutTail(marks: readonly Layout[]): readonly Layout[] {
  const last = marks.findLastIndex((m) => m !== colon)
  return marks.slice(0, Math.max(1, last + 1))
}

/** The adjoint of `slice`: zeros in the given shape with x in the slice's place. */
export const embed = op('embed', ['x'], { shape: dims(), start: dims(), step: dims(), drop: dims() })({
  linear: 'each',
  why: 'the error is read off where x was put; what falls on the zeros is lost',
  formula: 'zeros with x at start, start + step, …',
  source: 'the adjoint of basic indexing',
  passes: allArguments,
  examples: ['embed(x, [n + 3], [1], [1], []) | x: [n]', 'embed(x, [2*n, 3], [0, 1], [2, 1], [1]) | x: [n]'],
  shape: (_, { shape }) => shape,
  evaluate([x], { start, step, drop }, shape) {
    const kept = x.shape.slice()
    const whole = shape.map((_, i) => (drop.includes(i) ? 1 : kept.shift()!))
    return kernel.unslice(kernel.reshape(x, whole), shape, start as number[], step as number[])
  },
  notation([x], { shape, start, step, drop }, { args: [source] }) {
    if (drop.length > 0 || step.some((s) => s !== 1)) return call(word('embed'), [x, bracketed(start.map(dimLayout))])
    const pair = start.map((from, i) => bracketed([dimLayout(from), dimLayout(minus(minus(shape[i]!, from), source!.shape[i]!))]))
    return call(word('pad'), [x, bracketed(pair)])
  },
  vjp: ([x], g, { shape, start, step, drop }) => {
    const kept = x.shape.slice()
    return [slice(g, { start, step, drop, size: shape.map((_, i) => (drop.includes(i) ? 1 : kept.shift()!)) })]
  },
})

/** Zeros before and after, along every axis. */
export const pad = op('pad', ['x'], { pads: pads() })({
  linear: 'each',
  why: 'the padding has no input: the error is clipped to the shape of x',
  formula: 'x with zeros around it',
  source: 'NumPy, pad (mode constant)',
  examples: ['pad(x, [[0, k]]) | x: [n]', 'pad(x, [[1, 2], [0, 1]]) | x: [m, n]'],
  shape: ([x], { pads }) => x.map((d, i) => plus(d, plus(pads[i]![0]!, pads[i]![1]!))),
  notation: ([x], { pads }) => {
    const pairs = pads.map((p) => bracketed(p.map(dimLayout)))
    return call(word('pad'), [x, bracketed(pairs)])
  },
  expand: ([x], { pads }) =>
    embed(x, {
      shape: x.shape.map((d, i) => plus(d, plus(pads[i]![0]!, pads[i]![1]!))),
      start: pads.map((p) => p[0]!),
      step: pads.map(() => 1),
      drop: [],
    }),
})

/** Tensors one after the other along an axis. */
export const concat = op('concat', ['...parts'], { axis: axis(0) })({
  why: 'each part gets back its own slice of the error',
  formula: '[a; b; …]',
  source: 'NumPy, concatenate',
  passes: allArguments,
  examples: ['concat([a, b]) | a: [m], b: [n]', 'concat([a, b, a], axis=1) | a: [m, 2], b: [m, n]'],
  shape(parts, { axis }) {
    const [first] = parts
    for (const part of parts) {
      if (part.length !== first!.length || part.some((d, i) => i !== axis && !sameDim(d, first![i]!))) {
        fail('shapes', {
          what: 'shapes do not concatenate',
          detail: `${shapeText(first!)} and ${shapeText(part)} may differ along axis ${axis} only`,
        })
      }
    }
    return first!.map((d, i) => (i === axis ? parts.map((p) => p[axis]!).reduce(plus) : d))
  },
  evaluate: (parts, { axis }, shape) => kernel.concat(parts, axis, shape),
  notation: (parts, { axis }, { shape }) =>
    shape.length <= 2
      ? fence('[', ']', joined(Level.relation, axis === 0 ? symbol('; ') : symbol(', '), parts))
      : call(word('concat'), [bracketed(parts), row(Level.relation, [symbol('axis=', '\\text{axis}='), symbol(String(axis))])]),
  vjp(parts, g, { axis }) {
    let from: Dim = 0
    return parts.map((part) => {
      const start = part.shape.map((_, i) => (i === axis ? from : 0))
      from = plus(from, part.shape[axis]!)
      return slice(g, { start, size: part.shape, step: part.shape.map(() => 1), drop: [] })
    })
  },
})

/** Tensors of one shape along a new axis. */
export const stack = op('stack', ['...parts'], { axis: newAxis(0) })({
  why: 'each part gets back its own layer of the error',
  formula: 'concat of the parts with a new axis',
  source: 'NumPy, stack',
  examples: ['stack([a, b]) | a: [n], b: [n]'],
  shape(parts, { axis }) {
    for (const part of parts) {
      if (!sameShape(part, parts[0]!))
        fail('shapes', { what: 'shapes do not stack', detail: `${shapeText(parts[0]!)} and ${shapeText(part)}` })
    }
    return [...parts[0]!.slice(0, axis), parts.length, ...parts[0]!.slice(axis)]
  },
  notation: (parts) => call(word('stack'), parts),
  vjp: (parts, g, { axis }) =>
    parts.map((_, i) =>
      slice(g, {
        start: g.shape.map((__, a) => (a === axis ? i : 0)),
        size: g.shape.map((d, a) => (a === axis ? 1 : d)),
        step: g.shape.map(() => 1),
        drop: [axis],
      }),
    ),
  expand: (parts, { axis }) =>
    concat(
      parts.map((p) => inShape(p, [...p.shape.slice(0, axis), 1, ...p.shape.slice(axis)])),
      { axis },
    ),
})
