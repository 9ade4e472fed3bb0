/** The forms of a gradient: which of the names ∂L/∂v stay, and which are replaced by what they stand for. */
import { areSame, type Expr, inOrder, substitute } from '../expr/expr.ts'
import { type Lookup, Table } from '../expr/table.ts'
import type { Value } from '../network/network.ts'
import type { Branches } from './branches.ts'
import { type Gradient, type Gradients, type Rules, withTerms } from './reverse.ts'

export type Form = 'local' | 'expanded' | 'jacobian'
export type Derivatives = 'symbol' | 'explicit' | 'output'

export interface Formed {
  readonly gradients: Gradients
  /** The values whose name ∂L/∂v was replaced wherever it stood: they are written into other formulas. */
  readonly inlined: ReadonlySet<Value>
}

/** The gradients in the chosen form: the same values, with other names in their terms. */
export function inForm(
  gradients: Gradients,
  { anchors, stated, recurring }: Branches,
  form: Form,
  { simplify, collect }: Pick<Rules, 'simplify' | 'collect'>,
): Formed {
  const { counts, names } = mentionsIn(gradients)
  const keepsNames = form !== 'expanded'
  const replacement = new Table<Expr>()
  const result = new Map<Value, Gradient>()
  const inlined = new Set<Value>()
  const nesting = new Table<number>()
  const opened = (expr: Expr, before: Expr, tidy: (expr: Expr) => Expr): Expr => (expr === before ? expr : tidy(expr))
  const opening = (e: Expr): Expr | undefined => replacement.get(e)
  /** Its terms and their sum at once: they share what they are made of. */
  const formed = (gradient: Gradient): Gradient => {
    const { of, adjoint, contributions, total, given } = gradient
    const isTerm = contributions.length === 1 && contributions[0]!.term === total
    if (isTerm && !names.get(total)!.some(opening)) return gradient
    const terms = [total]
    for (const { term, parts } of contributions) {
      terms.push(term)
      for (const part of parts ?? nothing) terms.push(part.term)
    }
    const results = substitute(terms, opening)
    if (areSame(results, terms)) return gradient
    const openings = new Map<Expr, Expr>()
    for (let i = 1; i < terms.length; i++) openings.set(terms[i]!, opened(results[i]!, terms[i]!, simplify))
    const change = (term: Expr): Expr => openings.get(term)!
    const own = contributions.map((c) => withTerms(c, change))
    return { of, adjoint, contributions: own, total: isTerm ? own[0]!.term : opened(results[0]!, total, collect), given }
  }
  const isKept = (value: Value): boolean => anchors.has(value) || stated.has(value)
  const depthOf = (total: Expr): number => {
    let most = 0
    for (const name of names.get(total)!) most = Math.max(most, nesting.get(name) ?? 0)
    return most + 1
  }
  for (const [value, gradient] of gradients) {
    const own = gradient.given || inlined.size === 0 ? gradient : formed(gradient)
    result.set(value, own)
    if (gradient.given || recurring.has(value)) continue
    const { total } = own
    const couldStay = keepsNames && !isName(total)
    if (couldStay && (isKept(value) || counts.get(gradient.adjoint)! > 1)) continue
    const depth = depthOf(gradient.total)
    if (couldStay && depth > deepest) continue
    inlined.add(value)
    replacement.set(gradient.adjoint, total)
    nesting.set(gradient.adjoint, depth)
  }
  return { gradients: result, inlined }
}

const nothing: readonly never[] = []

/** How many names may be opened inside each other before a formula can't be read at a glance. */
const deepest = 6

/** A formula that is nothing but a name: it is never worth another. */
export const isName = (expr: Expr): boolean => expr.visible.length === 0

interface Mentions {
  /** How many times the formulas of all gradients mention each name ∂L/∂v. */
  readonly counts: Lookup<number>
  /** The names ∂L/∂v that each formula mentions. */
  readonly names: Lookup<readonly Expr[]>
}

function mentionsIn(gradients: Gradients): Mentions {
  const counts = new Table<number>()
  const names = new Table<readonly Expr[]>()
  for (const { adjoint } of gradients.values()) counts.set(adjoint, 0)
  const count = (expr: Expr): void => {
    const n = counts.get(expr)
    if (n !== undefined) counts.set(expr, n + 1)
  }
  gradients.forEach(({ total }) => {
    if (isName(total)) count(total)
    const parts = inOrder([total])
    for (let i = 0; i < parts.length; i++) {
      const { visible } = parts[i]!
      for (let k = 0; k < visible.length; k++) if (isName(visible[k]!)) count(visible[k]!)
    }
    names.set(
      total,
      parts.filter((e) => e.op.atomic && counts.has(e)),
    )
  })
  return { counts, names }
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
