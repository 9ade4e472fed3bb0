/** NumPy's basic indexing, x[0], x[0:n, :], x[::2], x[:, None], as slices and reshapes. */
import { fail, type Span } from '../diagnostic.ts'
import { type Dim, floorDivide, isNeverNegative, minus, plus, sameDim } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { dimText, positionOf, shapeText } from '../expr/shape.ts'
import { inShape, slice } from '../ops/movement.ts'
import type { Ast, Mark } from './ast.ts'

interface Range {
  readonly start: Dim
  readonly size: Dim
  readonly step: number
  readonly drop: boolean
}

/** The part of `x` that the marks pick; `size` reads a bound. */
export function indexed(x: Expr, marks: readonly Mark[], size: (ast: Ast) => Dim, span: Span): Expr {
  const picking = marks.filter((m) => m.kind !== 'new')
  if (picking.length > x.shape.length) {
    fail('shapes', { what: 'too many indices', detail: `${picking.length} for the shape ${shapeText(x.shape)}` }, span)
  }
  const ranges = x.shape.map((dim, axis) => rangeOf(picking[axis], dim, size, span))
  const whole = ranges.every((r, i) => !r.drop && r.start === 0 && r.step === 1 && sameDim(r.size, x.shape[i]!))
  const picked = whole
    ? x
    : slice(x, {
        start: ranges.map((r) => r.start),
        size: ranges.map((r) => r.size),
        step: ranges.map((r) => r.step),
        drop: ranges.flatMap((r, axis) => (r.drop ? [axis] : [])),
      })
  return marks.some((m) => m.kind === 'new') ? inShape(picked, shapeWithNew(marks, ranges)) : picked
}

function rangeOf(mark: Mark | undefined, dim: Dim, size: (ast: Ast) => Dim, span: Span): Range {
  if (mark === undefined || mark.kind === 'new') return { start: 0, size: dim, step: 1, drop: false }
  if (mark.kind === 'at') {
    const start = positionOf(size(mark.value), dim)
    if ((typeof start === 'number' && start < 0) || isNeverNegative(minus(start, dim))) {
      fail('shapes', { what: 'the index is out of range', detail: `the axis has ${dimText(dim)} entries` }, mark.value)
    }
    return { start, size: 1, step: 1, drop: true }
  }
  const step = mark.step ? size(mark.step) : 1
  if (typeof step !== 'number' || step < 1)
    fail('shapes', { what: 'the step of a slice must be a positive number', detail: 'to reverse an axis use flip' }, span)
  const bound = (ast: Ast | undefined, open: Dim): Dim => (ast ? clamped(positionOf(size(ast), dim), dim) : open)
  const start = bound(mark.from, 0)
  const length = minus(bound(mark.to, dim), start)
  const count = step === 1 ? length : floorDivide(plus(length, step - 1), step)
  if (typeof count === 'number' && count < 0)
    fail('shapes', { what: 'the slice is empty', detail: `it ends before it starts (${dimText(count)} entries)` }, span)
  return { start, size: count, step, drop: false }
}

/** Numbers are kept inside the axis, as NumPy does; what is symbolic is taken at its word and checked on every draw. */
const clamped = (at: Dim, dim: Dim): Dim => (typeof at === 'number' && typeof dim === 'number' ? Math.min(Math.max(at, 0), dim) : at)

function shapeWithNew(marks: readonly Mark[], ranges: readonly Range[]): Dim[] {
  let axis = 0
  const dims = marks.flatMap((mark): Dim[] => {
    if (mark.kind === 'new') return [1]
    const range = ranges[axis++]!
    return range.drop ? [] : [range.size]
  })
  return [...dims, ...ranges.slice(axis).map((r) => r.size)]
}
