/** Reverse mode over one equation: what it sends back to each name that it uses. */
import { definition, type Expr, type Path } from '../expr/expr.ts'
import type { Members } from '../expr/table.ts'
import { inOrder } from '../expr/traverse.ts'
import { add } from './arithmetic.ts'

/** The error of one use of an expression, and the expression that uses it; of none if it is the whole equation. */
export interface Sent {
  readonly term: Expr
  readonly via: Expr | undefined
}

/** What an expression receives from its uses in one equation, in reading order. */
export interface Received {
  readonly of: Expr
  readonly sent: readonly Sent[]
}

/** What each name receives, the errors of all its uses added. */
export const pullback = (name: Expr, g: Expr, varies: Members): ReadonlyMap<Expr, Expr> =>
  new Map(errorsSent(name, g, varies).map(({ of, sent }) => [of, sumOfSent(sent)]))

/** What the paths inside one operation add up to. */
export const together = (paths: readonly Path[]): Expr => add(paths.map(({ term }) => term))

export const sumOfSent = (sent: readonly Sent[]): Expr => (sent.length === 1 ? sent[0]!.term : add(sent.map((s) => s.term)))

/** What the equation behind a name sends back to each name that it uses. */
export const errorsSent = (name: Expr, g: Expr, varies: Members): readonly Received[] =>
  errorsIn(name, g, varies).filter(({ of }) => isSource(of))

/**
 * What each expression of the equation behind a name receives, for the error `g` of its value: reverse mode over the unnamed
 * expressions down to the names. Nothing is sent to what does not vary.
 */
export function errorsIn(name: Expr, g: Expr, varies: Members): readonly Received[] {
  const root = name.args[0]!
  const order = inOrder([root], below)
  const errors = new Map<Expr, Sent[]>()
  for (const expr of order) if (isSource(expr) ? varies.has(expr) : below(expr).some((e) => errors.has(e))) errors.set(expr, [])
  errors.get(root)?.push({ term: g, via: undefined })

  const received: Received[] = []
  for (const expr of order.reverse()) {
    const own = errors.get(expr)
    if (!own || own.length === 0) continue
    // what is read last was sent first
    own.reverse()
    received.push({ of: expr, sent: own })
    if (isSource(expr)) continue
    const error = sumOfSent(own)
    const args = below(expr)
    const backs = expr.op.vjp ? expr.op.vjp(expr.args, error, expr.attrs, expr === root ? name : expr) : [error]
    for (let slot = args.length - 1; slot >= 0; slot--) {
      const term = backs[slot]
      if (term) errors.get(args[slot]!)?.push({ term, via: expr })
    }
  }
  return received.reverse()
}

/** Where an equation ends: at names and variables. */
export const isSource = (expr: Expr): boolean => expr.visible.length === 0

/** What an equation is made of; a composite without a rule of its own is taken apart. */
const below = (expr: Expr): readonly Expr[] => (isSource(expr) ? nothing : expr.op.vjp ? expr.args : [definition(expr)!])
const nothing: readonly Expr[] = []
