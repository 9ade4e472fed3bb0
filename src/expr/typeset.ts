/** Expressions as layouts. */
import type { Layout } from '../layout/layout.ts'
import type { Expr } from './expr.ts'
import { broadcastShape, type Shape, sameShape, scalarShape } from './shape.ts'
import type { Memo } from './table.ts'

/** What broadcasts repeat: its layout, and the one without the repetitions, with the shape that it would have. */
interface Repeating {
  readonly kind: 'repeating'
  readonly layout: Layout
  readonly bare: Layout
  readonly bareShape: Shape
}

/** Most expressions repeat nothing: a layout is all there is to say. */
type Typeset = Layout | Repeating

export type TypesetMemo = Memo<Typeset>

/**
 * The layout of an expression. What is in `memo` already (names in a `where` line) is taken from there; sharing one
 * memo sets each shared subexpression once.
 */
export const typeset = (expr: Expr, memo: TypesetMemo = new Map()): Layout => layoutOf(both(expr, memo))

/** The layout of a summand: what is repeated needs no more than its own shape, for another summand has the full one. */
export function typesetTerm(expr: Expr, memo: TypesetMemo): Layout {
  const made = both(expr, memo)
  return made.kind === 'repeating' && made.bareShape.length === 0 ? made.layout : bareOf(made)
}

/** The layout without the repetitions that broadcasts stand for. */
export const typesetBare = (expr: Expr, memo: TypesetMemo = new Map()): Layout => bareOf(both(expr, memo))

function both(expr: Expr, memo: TypesetMemo): Typeset {
  const known = memo.get(expr) ?? expr.op.layout
  if (known !== undefined) return known
  const bottom = todo.push(expr) - 1
  let made: Typeset | undefined
  while (todo.length > bottom) {
    const next = todo[todo.length - 1]!
    const args = argsOf(next, memo)
    if (args === undefined) continue
    todo.pop()
    made = set(next, args)
    memo.set(next, made)
  }
  // the expression itself is the last
  return made!
}

/** What is still to be set, below its arguments: a stack, so that depth is no limit. */
const todo: Expr[] = []

/** The arguments as they are set; undefined if some of them have to be set before, which are put on the stack. */
function argsOf({ visible }: Expr, memo: TypesetMemo): readonly Typeset[] | undefined {
  const args = new Array<Typeset>(visible.length)
  const height = todo.length
  for (let i = 0; i < visible.length; i++) {
    const arg = visible[i]!
    const known = memo.get(arg) ?? arg.op.layout
    if (known === undefined) todo.push(arg)
    else args[i] = known
  }
  return todo.length === height ? args : undefined
}

function set(expr: Expr, args: readonly Typeset[]): Typeset {
  const { op, attrs, visible } = expr
  if (!op.bare && areLayouts(args)) return op.notation(args, attrs, expr)
  const repeating = args.map((arg, i) => inFull(arg, visible[i]!))
  return setRepeating(expr, repeating)
}

function areLayouts(args: readonly Typeset[]): args is readonly Layout[] {
  for (let i = 0; i < args.length; i++) if (args[i]!.kind === 'repeating') return false
  return true
}

const inFull = (arg: Typeset, { shape }: Expr): Repeating =>
  arg.kind === 'repeating' ? arg : { kind: 'repeating', layout: arg, bare: arg, bareShape: shape }

function setRepeating(expr: Expr, args: readonly Repeating[]): Typeset {
  const { op, attrs, shape } = expr
  const full = (): Layout => op.notation(op.align ? oneInFull(args) : args.map(layoutOf), attrs, expr)
  if (op.bare)
    return { kind: 'repeating', layout: full(), bare: op.bare(args.map(bareOf), attrs), bareShape: args[0]?.bareShape ?? scalarShape }
  if (op.core !== undefined && broadcastBefore(op.core, expr, args)) return op.notation(args.map(bareOf), attrs, expr)
  if (!op.align) return full()
  // NumPy broadcasts the arguments of what works entry by entry: where that gives the full shape, nothing more is written
  const bareShape = args.reduce<Shape | undefined>((s, a) => s && broadcastShape(s, a.bareShape), scalarShape)
  if (!bareShape) return full()
  const bare = op.notation(args.map(bareOf), attrs, expr)
  return sameShape(bareShape, shape) ? bare : { kind: 'repeating', layout: full(), bare, bareShape }
}

/** Whether the arguments without repetitions have whole cores, and their other axes broadcast to those of the result. */
function broadcastBefore(core: number, { args: exprs, shape }: Expr, args: readonly Repeating[]): boolean {
  const isWhole = args.every(
    ({ bareShape }, i) => bareShape.length >= core && sameShape(bareShape.slice(-core), exprs[i]!.shape.slice(-core)),
  )
  const leading = args.reduce<Shape | undefined>((s, { bareShape }) => s && broadcastShape(s, bareShape.slice(0, -core)), scalarShape)
  return isWhole && leading !== undefined && sameShape(leading, shape.slice(0, -core))
}

/** Of what broadcasts, one argument in full gives the shape: a size as a divisor stays a number. */
function oneInFull(args: readonly Repeating[]): readonly Layout[] {
  const varying = args.findIndex((a) => a.bareShape.length > 0)
  return args.map((a, i) => (i === Math.max(varying, 0) ? a.layout : a.bare))
}

const layoutOf = (made: Typeset): Layout => (made.kind === 'repeating' ? made.layout : made)
const bareOf = (made: Typeset): Layout => (made.kind === 'repeating' ? made.bare : made)
