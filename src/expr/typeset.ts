/** Expressions as layouts. */
import type { Layout } from '../layout/layout.ts'
import { type Expr, fold } from './expr.ts'
import { broadcastShape, type Shape, sameShape, scalarShape } from './shape.ts'

/** A layout, and the one without the repetitions that broadcasts stand for, with the shape that it would have. */
export interface Typeset {
  readonly layout: Layout
  readonly bare: Layout
  readonly bareShape: Shape
}

export type TypesetMemo = Map<Expr, Typeset>

/**
 * The layout of an expression. What is in `memo` already (names in a `where` line) is taken from there; sharing one
 * memo sets each shared subexpression once.
 */
export function typeset(expr: Expr, memo: TypesetMemo = new Map()): Layout {
  return fold<Typeset>([expr], set, memo).get(expr)!.layout
}

function set(expr: Expr, args: readonly Typeset[]): Typeset {
  const { op, attrs, shape } = expr
  const bareArgs = args.map((a) => a.bare)
  if (op.bare) {
    const layout = op.notation(
      args.map((a) => a.layout),
      attrs,
      expr,
    )
    return { layout, bare: op.bare(bareArgs, attrs), bareShape: args[0]?.bareShape ?? scalarShape }
  }
  // NumPy broadcasts the arguments of what works entry by entry: where that gives the full shape, nothing more is written
  const bareShape = op.align ? args.reduce<Shape | undefined>((s, a) => s && broadcastShape(s, a.bareShape), scalarShape) : undefined
  const full = (): Layout =>
    op.notation(
      args.map((a) => a.layout),
      attrs,
      expr,
    )
  if (!bareShape || args.every((a) => a.bare === a.layout)) return plain(full(), shape)
  const bare = op.notation(bareArgs, attrs, expr)
  return sameShape(bareShape, shape) ? plain(bare, shape) : { layout: full(), bare, bareShape }
}

const plain = (layout: Layout, shape: Shape): Typeset => ({ layout, bare: layout, bareShape: shape })
