/** Reverse mode over one equation: what it sends back to each name that it uses. */
import { definition, type Expr, inOrder } from '../expr/expr.ts'
import type { Members } from '../expr/table.ts'
import { add } from './arithmetic.ts'

/**
 * What the equation behind a name sends back to each name that it uses, for the error `g` of its value: reverse mode over
 * the unnamed expressions between them. Nothing is sent to what does not vary.
 */
export function pullback(name: Expr, g: Expr, varies: Members): ReadonlyMap<Expr, Expr> {
  const root = name.args[0]!
  const order = inOrder([root], below)
  const varying = new Set<Expr>()
  for (const expr of order) if (isSource(expr) ? varies.has(expr) : below(expr).some((e) => varying.has(e))) varying.add(expr)

  const errors = new Map<Expr, Expr[]>([[root, [g]]])
  const sent: [Expr, Expr][] = []
  for (const expr of order.reverse()) {
    const terms = errors.get(expr)
    if (!terms || !varying.has(expr)) continue
    const error = terms.length === 1 ? terms[0]! : add(terms.reverse())
    if (isSource(expr)) sent.push([expr, error])
    else {
      const backs = expr.op.vjp ? expr.op.vjp(expr.args, error, expr.attrs, expr === root ? name : expr) : [error]
      below(expr).forEach((arg, slot) => {
        const back = backs[slot]
        if (!back || !varying.has(arg)) return
        const list = errors.get(arg)
        if (list) list.push(back)
        else errors.set(arg, [back])
      })
    }
  }
  return new Map(sent.reverse())
}

/** Where an equation ends: at names and variables. */
export const isSource = (expr: Expr): boolean => expr.op.atomic === true || expr.args.length === 0

/** What an equation is made of; a composite without a rule of its own is taken apart. */
const below = (expr: Expr): readonly Expr[] => (isSource(expr) ? [] : expr.op.vjp ? expr.args : [definition(expr)!])
