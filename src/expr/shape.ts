/** Shapes: lists of dims, NumPy's broadcasting, and how shapes read in a message. */

import { fail } from '../diagnostic.ts'
import { toText } from '../layout/text.ts'
import { type Dim, dimLayout, minus, type Sizes, sameDim, sizeIn } from './dim.ts'

export type Shape = readonly Dim[]

export const scalarShape: Shape = []

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!sameDim(a[i]!, b[i]!)) return false
  return true
}

export function dimText(dim: Dim): string {
  if (typeof dim === 'number') return toText(dimLayout(dim))
  let text = dimTexts.get(dim)
  if (text === undefined) dimTexts.set(dim, (text = toText(dimLayout(dim))))
  return text
}
const dimTexts = new WeakMap<object, string>()

/** [n, k] */
export function shapeText(shape: Shape): string {
  let text = '['
  for (let i = 0; i < shape.length; i++) text += (i === 0 ? '' : ', ') + dimText(shape[i]!)
  return `${text}]`
}

/** An array of a gigabyte. */
const mostEntries = 2 ** 27

/** A shape with numbers for its symbols. Throws a Failure for arrays that are too large to be computed with. */
export function concreteShape(shape: Shape, sizes: Sizes): number[] {
  const concrete = new Array<number>(shape.length)
  let entries = 1
  for (let i = 0; i < shape.length; i++) entries *= concrete[i] = sizeIn(shape[i]!, sizes)
  return entries <= mostEntries ? concrete : fail('array-too-large', { shape: concrete.join(', '), most: mostEntries })
}

/** The shape that two shapes broadcast to (NumPy: aligned at the last axis, 1 stretches), or undefined. */
export function broadcastShape(a: Shape, b: Shape): Shape | undefined {
  if (sameShape(a, b)) return a
  const rank = Math.max(a.length, b.length)
  const result: Dim[] = []
  for (let i = 0; i < rank; i++) {
    const left = a[a.length - rank + i] ?? 1
    const right = b[b.length - rank + i] ?? 1
    if (!sameDim(left, right) && left !== 1 && right !== 1) return undefined
    result.push(left === 1 ? right : left)
  }
  return result
}

/** The axes of `to` along which `from` is repeated when it is broadcast to it. */
export const stretchedAxes = (from: Shape, to: Shape): number[] =>
  to.flatMap((dim, axis) => {
    const own = from[axis - (to.length - from.length)]
    return own === undefined || (own === 1 && dim !== 1) ? [axis] : []
  })

/** An axis counted from the front, from one that may be counted from the back (−1 is the last). */
export function axisOf(axis: number, rank: number): number | undefined {
  const front = axis < 0 ? axis + rank : axis
  return Number.isInteger(front) && front >= 0 && front < rank ? front : undefined
}

/** A position along an axis counted from the front; negative numbers count from the end (NumPy). */
export const positionOf = (at: Dim, dim: Dim): Dim => (typeof at === 'number' && at < 0 ? minus(dim, -at) : at)
