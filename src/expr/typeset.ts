/** Expressions as layouts. */
import type { Layout } from '../layout/layout.ts'
import { type Expr, fold } from './expr.ts'
import { broadcastShape, type Shape, sameShape, scalarShape } from './shape.ts'
import type { Memo } from './table.ts'

/** A layout, and the one without the repetitions that broadcasts stand for, with the shape that it would have. */
export interface Typeset {
  readonly layout: Layout
  readonly bare: Layout
  readonly bareShape: Shape
}

export type TypesetMemo = Memo<Typeset>

/**
 * The layout of an expression. What is in `memo` already (names in a `where` line) is taken from there; sharing one
 * memo sets each shared subexpression once.
 */
export const typeset = (expr: Expr, memo: TypesetMemo = new Map()): Layout => both(expr, memo).layout

/** The layout of a summand: what is repeated needs no more than its own shape, for another summand has the full one. */
export function typesetTerm(expr: Expr, memo: TypesetMemo): Layout {
  const { layout, bare, bareShape } = both(expr, memo)
  return bareShape.length > 0 ? bare : layout
}

/** The layout without the repetitions that broadcasts stand for. */
export const typesetBare = (expr: Expr, memo: TypesetMemo): Layout => both(expr, memo).bare

function both(expr: Expr, memo: TypesetMemo): Typeset {
  const known = memo.get(expr)
  if (known) return known
  if (expr.visible.length > 0) return fold<Typeset>([expr], set, memo).get(expr)!
  const made = set(expr, nothing)
  memo.set(expr, made)
  return made
}

function set(expr: Expr, args: readonly Typeset[]): Typeset {
  const { op, attrs, shape } = expr
  if (args.length === 0 && !op.bare) return plain(op.notation(nothing, attrs, expr), shape)
  const full = (): Layout => op.notation(op.align ? oneInFull(args) : args.map(layoutOf), attrs, expr)
  if (op.bare) return { layout: full(), bare: op.bare(args.map(bareOf), attrs), bareShape: args[0]?.bareShape ?? scalarShape }
  if (op.core !== undefined && broadcastBefore(op.core, expr, args)) return plain(op.notation(args.map(bareOf), attrs, expr), shape)
  if (!op.align || args.every((a) => a.bare === a.layout)) return plain(full(), shape)
  // NumPy broadcasts the arguments of what works entry by entry: where that gives the full shape, nothing more is written
  const bareShape = args.reduce<Shape | undefined>((s, a) => s && broadcastShape(s, a.bareShape), scalarShape)
  if (!bareShape) return plain(full(), shape)
  const bare = op.notation(args.map(bareOf), attrs, expr)
  return sameShape(bareShape, shape) ? plain(bare, shape) : { layout: full(), bare, bareShape }
}

/** Whether the arguments without repetitions have whole cores, and their other axes broadcast to those of the result. */
function broadcastBefore(core: number, { args: exprs, shape }: Expr, args: readonly Typeset[]): boolean {
  const isWhole = args.every(
    ({ bareShape }, i) => bareShape.length >= core && sameShape(bareShape.slice(-core), exprs[i]!.shape.slice(-core)),
  )
  const leading = args.reduce<Shape | undefined>((s, { bareShape }) => s && broadcastShape(s, bareShape.slice(0, -core)), scalarShape)
  return isWhole && leading !== undefined && sameShape(leading, shape.slice(0, -core))
}

/** Of what broadcasts, one argument in full gives the shape: a size as a divisor stays a number. */
function oneInFull(args: readonly Typeset[]): readonly Layout[] {
  const varying = args.findIndex((a) => a.bareShape.length > 0)
  return args.map((a, i) => (i === Math.max(varying, 0) ? a.layout : a.bare))
}

const nothing: readonly never[] = []
const layoutOf = (typeset: Typeset): Layout => typeset.layout
const bareOf = (typeset: Typeset): Layout => typeset.bare
const plain = (layout: Layout, shape: Shape): Typeset => ({ layout, bare: layout, bareShape: shape })
