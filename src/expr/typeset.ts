/** Expressions as layouts. */
import type { Layout } from '../layout/layout.ts'
import type { Expr } from './expr.ts'
import { broadcastShape, type Shape, sameShape, scalarShape } from './shape.ts'
import type { Lookup } from './table.ts'

/** What broadcasts repeat: its layout, and the one without the repetitions, with the shape that it would have. */
interface Repeating {
  readonly kind: 'repeating'
  readonly layout: Layout
  readonly bare: Layout
  readonly bareShape: Shape
}

/** Most expressions repeat nothing: a layout is all there is to say. */
type Typeset = Layout | Repeating

/** The layout of an expression. What stands in a formula twice is set twice, as it is written twice. */
export const typeset = (expr: Expr): Layout => layoutOf(both(expr))

/** The layout of an expression in which some names have other layouts than their own. */
export const typesetWith = (instead: Lookup<Layout> | undefined, expr: Expr): Layout => layoutOf(both(expr, instead))

/** The layout of a summand: what is repeated needs no more than its own shape, for another summand has the full one. */
export function typesetTerm(expr: Expr): Layout {
  const made = both(expr)
  return made.kind === 'repeating' && made.bareShape.length === 0 ? made.layout : bareOf(made)
}

/** The layout without the repetitions that broadcasts stand for. */
export const typesetBare = (expr: Expr): Layout => bareOf(both(expr))

/** The expressions that are being set, each an argument of the one before, with those arguments that are set already: depth is no limit. */
const open: { readonly exprs: Expr[]; readonly args: Typeset[][]; readonly counts: number[] } = { exprs: [], args: [], counts: [] }

/** The layout in full, and the one without repetitions where that is another one. */
function both(root: Expr, instead?: Lookup<Layout>): Typeset {
  const { exprs, args, counts } = open
  const bottom = exprs.length
  let next: Expr | undefined = root
  for (;;) {
    let made: Typeset | undefined
    if (next === undefined) {
      counts.pop()
      made = set(exprs.pop()!, args.pop()!)
    } else {
      made = instead?.get(next) ?? next.op.layout
      if (made === undefined) {
        exprs.push(next)
        args.push(new Array<Typeset>(next.visible.length))
        counts.push(0)
      }
    }
    const top = exprs.length - 1
    if (made !== undefined) {
      if (top < bottom) return made
      args[top]![counts[top]!++] = made
    }
    next = exprs[top]!.visible[counts[top]!]
  }
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
