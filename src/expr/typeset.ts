/** Expressions as layouts. */
import type { Layout } from '../layout/layout.ts'
import { type Expr, fold } from './expr.ts'
import { broadcastShape, type Shape, sameShape, scalarShape } from './shape.ts'

/** A layout, and the one without the repetition that a broadcast stands for. */
export interface Typeset {
  readonly layout: Layout
  readonly bare: Layout
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
  const written = expr.op.align && speaksForItself(expr) ? args.map((a) => a.bare) : args.map((a) => a.layout)
  const layout = expr.op.notation(written, expr.attrs, expr)
  const bare = expr.op.bare?.(
    args.map((a) => a.bare),
    expr.attrs,
  )
  return { layout, bare: bare ?? layout }
}

/** Whether NumPy's broadcasting of the bare arguments gives the full shape, so that it need not be written. */
function speaksForItself(expr: Expr): boolean {
  let shape: Shape | undefined = scalarShape
  for (const arg of expr.args) {
    const bare = arg.op.bare ? (arg.args[0]?.shape ?? scalarShape) : arg.shape
    shape = shape && broadcastShape(shape, bare)
  }
  return shape !== undefined && sameShape(shape, expr.shape)
}
