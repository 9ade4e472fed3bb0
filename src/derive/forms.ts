/** The forms of a gradient: which of the names ∂L/∂v stay, and which are replaced by what they stand for. */
import { type Expr, inOrder, substitute } from '../expr/expr.ts'
import { type Lookup, type Members, Register, Table } from '../expr/table.ts'
import type { Value } from '../network/network.ts'
import type { Rewriter } from '../rewrite/engine.ts'
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
  const isKept = (value: Value): boolean => anchors.has(value) || stated.has(value)
  const counts = mentionsIn(gradients, isKept)
  const replacement = new Table<Expr>()
  const opening = (e: Expr): Expr | undefined => replacement.get(e)
  const opened = (expr: Expr, tidy: (expr: Expr) => Expr): Expr => {
    const [result] = substitute([expr], opening)
    return result === expr ? expr : tidy(result!)
  }
  /** How deep names are opened in the formula of a value that is written into others. */
  const nesting = new Table<number>()
  const simplified = (term: Expr): Expr => opened(term, simplify)
  /** With what stands for names in its terms: a term mentions the error of its consumer, and no other. */
  const formed = ({ of, adjoint, contributions, total, given }: Gradient): Gradient => {
    const own = contributions.map((c) => (nesting.has(c.consumer) ? withTerms(c, simplified) : c))
    const isTerm = contributions.length === 1 && contributions[0]!.term === total
    return { of, adjoint, contributions: own, total: isTerm ? own[0]!.term : opened(total, collect), given }
  }
  const result = new Register<Value, Gradient>()
  gradients.forEach((gradient) => {
    const { of, given, adjoint, contributions } = gradient
    let depth = 0
    for (let i = 0; i < contributions.length; i++) depth = Math.max(depth, nesting.get(contributions[i]!.consumer) ?? 0)
    const own = given || depth === 0 ? gradient : formed(gradient)
    result.set(of, own)
    if (given || recurring.has(of)) return
    // a formula that is nothing but a name is never worth another
    const couldStay = keepsNames && own.total.visible.length > 0
    if (couldStay && (depth >= deepest || counts.get(of) === often)) return
    replacement.set(adjoint, own.total)
    nesting.set(of, depth + 1)
  })
  return { gradients: result, inlined: nesting }
}

/** How many names may be opened inside each other before a formula can't be read at a glance. */
const deepest = 6

const often = 2

/** How many times each name ∂L/∂v of a formula is mentioned: never, once or often. What is kept in any case counts as mentioned often. */
function mentionsIn(gradients: Gradients, isKept: (value: Value) => boolean): Lookup<number> {
  const counts = new Table<number>()
  gradients.forEach(({ of, contributions, total }) => {
    if (isKept(of)) counts.set(of, often)
    else if (total.visible.length > 0) counts.set(of, 0)
    for (let i = 0; i < contributions.length; i++) {
      const { consumer, term } = contributions[i]!
      const count = counts.get(consumer)
      if (count === undefined || count === often) continue
      counts.set(consumer, Math.min(count + timesIn(term, gradients.get(consumer)!.adjoint), often))
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

/** Rewrites pointwise derivatives, too: written out, or in terms of the function's output. */
export function withDerivatives(rewrite: Rewriter, how: Derivatives): Rewriter {
  if (how === 'symbol') return rewrite
  const inGuise = ({ op, args, attrs }: Expr): Expr | undefined => {
    if (!op.guises) return undefined
    return how === 'output' && op.guises.output ? op.guises.output(args, attrs) : op.guises.explicit(args, attrs)
  }
  return (expr, trace) => rewrite(substitute([expr], inGuise)[0]!, trace)
}
