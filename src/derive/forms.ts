/** The forms of a gradient: which of the names ∂L/∂v stay, and which are replaced by what they stand for. */
import { areSame, type Expr, inOrder, substitute } from '../expr/expr.ts'
import { type Lookup, type Members, Register, Table } from '../expr/table.ts'
import type { Value } from '../network/network.ts'
import type { Branches } from './branches.ts'
import { type Gradient, type Gradients, type Rules, withTerms } from './reverse.ts'

export type Form = 'local' | 'expanded' | 'jacobian'
export type Derivatives = 'symbol' | 'explicit' | 'output'

export interface Formed {
  readonly gradients: Gradients
  /** The values whose name ∂L/∂v was replaced wherever it stood: they are written into other formulas. */
  readonly inlined: Members
}

/** The gradients in the chosen form: the same values, with other names in their terms. */
export function inForm(
  gradients: Gradients,
  { anchors, stated, recurring }: Branches,
  form: Form,
  { simplify, collect }: Pick<Rules, 'simplify' | 'collect'>,
): Formed {
  const keepsNames = form !== 'expanded'
  const couldStay = (total: Expr): boolean => keepsNames && !isName(total)
  const isKept = (value: Value): boolean => anchors.has(value) || stated.has(value)
  const counts = mentionsIn(gradients, ({ of, total }) => couldStay(total) && !isKept(of))
  const replacement = new Table<Expr>()
  const opening = (e: Expr): Expr | undefined => replacement.get(e)
  const result = new Register<Value, Gradient>()
  const inlined = new Table<true>()
  /** How deep names are opened in the formula of a value that is written into others. */
  const nesting = new Table<number>()
  const opened = (expr: Expr, before: Expr, tidy: (expr: Expr) => Expr): Expr => (expr === before ? expr : tidy(expr))
  /** Its terms and their sum at once: they share what they are made of. A term mentions the error of its consumer, and no other. */
  const formed = (gradient: Gradient): Gradient => {
    const { of, adjoint, contributions, total, given } = gradient
    if (!contributions.some(({ consumer }) => inlined.has(consumer))) return gradient
    const isTerm = contributions.length === 1 && contributions[0]!.term === total
    const terms = [total]
    for (const { term, parts } of contributions) {
      if (!isTerm) terms.push(term)
      for (const part of parts ?? nothing) terms.push(part.term)
    }
    const results = substitute(terms, opening)
    if (areSame(results, terms)) return gradient
    const openings = new Map<Expr, Expr>()
    for (let i = isTerm ? 0 : 1; i < terms.length; i++) openings.set(terms[i]!, opened(results[i]!, terms[i]!, simplify))
    const change = (term: Expr): Expr => openings.get(term)!
    const own = contributions.map((c) => withTerms(c, change))
    return { of, adjoint, contributions: own, total: isTerm ? own[0]!.term : opened(results[0]!, total, collect), given }
  }
  for (const gradient of gradients.values()) {
    const { of, given, adjoint, contributions } = gradient
    const own = given ? gradient : formed(gradient)
    result.set(of, own)
    if (given || recurring.has(of)) continue
    const stays = couldStay(own.total)
    if (stays && (isKept(of) || counts.get(of)! > 1)) continue
    let depth = 1
    for (const { consumer } of contributions) depth = Math.max(depth, 1 + (nesting.get(consumer) ?? 0))
    if (stays && depth > deepest) continue
    inlined.set(of, true)
    replacement.set(adjoint, own.total)
    nesting.set(of, depth)
  }
  return { gradients: result, inlined }
}

const nothing: readonly never[] = []

/** How many names may be opened inside each other before a formula can't be read at a glance. */
const deepest = 6

/** A formula that is nothing but a name: it is never worth another. */
export const isName = (expr: Expr): boolean => expr.visible.length === 0

/** How many times the terms of all gradients mention the names ∂L/∂v that are asked for. */
function mentionsIn(gradients: Gradients, isAsked: (gradient: Gradient) => boolean): Lookup<number> {
  const counts = new Table<number>()
  gradients.forEach(({ contributions }) => {
    for (const { consumer, term } of contributions) {
      // what is sent from outside of the network has no error to mention
      const g = gradients.get(consumer)
      if (g && isAsked(g)) counts.set(consumer, (counts.get(consumer) ?? 0) + timesIn(term, g.adjoint))
    }
  })
  return counts
}

function timesIn(formula: Expr, name: Expr): number {
  if (formula === name) return 1
  let count = 0
  const parts = inOrder([formula])
  for (let i = 0; i < parts.length; i++) {
    const { visible } = parts[i]!
    for (let k = 0; k < visible.length; k++) if (visible[k] === name) count++
  }
  return count
}

/** Pointwise derivatives written out, or in terms of the function's output. */
export function withDerivatives(expr: Expr, how: Derivatives): Expr {
  if (how === 'symbol') return expr
  return substitute([expr], (e) => {
    const guises = e.op.guises
    if (!guises) return undefined
    return how === 'output' && guises.output ? guises.output(e.args, e.attrs) : guises.explicit(e.args, e.attrs)
  })[0]!
}
