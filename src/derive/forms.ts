/** The forms of a gradient: which of the names ∂L/∂v stay, and which are replaced by what they stand for. */
import { type Expr, make } from '../expr/expr.ts'
import { type Members, Register, Table } from '../expr/table.ts'
import { exchanged, inOrder, substitute } from '../expr/traverse.ts'
import type { Value } from '../network/network.ts'
import type { Rewriter } from '../rewrite/engine.ts'
import type { Branches } from './branches.ts'
import { type Gradient, type Gradients, often, type Rules, withTerms } from './reverse.ts'
import { forest } from './share.ts'

export type Form = 'local' | 'expanded' | 'jacobian'
export type Derivatives = 'symbol' | 'explicit' | 'output'

export interface Formed {
  readonly gradients: Gradients
  /** The values whose name ∂L/∂v was replaced wherever it stood: they are written into other formulas. */
  readonly inlined: Members
  /** The formulas of the others share nothing. */
  readonly isForest: boolean
}

/** Whether a gradient has a line of its own. */
export const isPrinted = ({ of, given }: Gradient, inlined: Members): boolean => !given && !(of.role === 'node' && inlined.has(of))

/** Brings gradients into a form, one after the other, each after those of its consumers: the same values, with other names in their terms. */
export interface Former {
  readonly enter: (gradient: Gradient) => void
  readonly formed: () => Formed
}

export function former(
  { anchors, stated, recurring }: Branches,
  form: Form,
  { simplify, collect }: Pick<Rules, 'simplify' | 'collect'>,
): Former {
  const gradients = new Register<Value, Gradient>()
  /** What stands in place of names, and of what mentions them. */
  const instead = new Table<Expr>()
  /** How deep names are opened in the formula of a value that is written into others. */
  const nesting = new Table<number>()
  const printed = forest()
  /** What is settled of a name stays so: each name is settled before a formula with it is opened. */
  const opened = (expr: Expr, tidy: (expr: Expr) => Expr): Expr => {
    const parts = inOrder([expr])
    for (let i = 0; i < parts.length; i++) {
      const { op, visible, attrs } = parts[i]!
      const others = exchanged(visible, instead)
      if (others !== visible) instead.set(parts[i]!, make(op, others, attrs))
    }
    const result = instead.get(expr)
    return result === undefined ? expr : tidy(result)
  }
  const simplified = (term: Expr): Expr => opened(term, simplify)
  /** With what stands for names in its terms: a term mentions the error of its consumer, and no other. */
  const withOpened = ({ of, adjoint, contributions, total, given, mentions }: Gradient): Gradient => {
    const own = contributions.map((c) => (nesting.has(c.consumer) ? withTerms(c, simplified) : c))
    const isTerm = contributions.length === 1 && contributions[0]!.term === total
    return { of, adjoint, contributions: own, total: isTerm ? own[0]!.term : opened(total, collect), given, mentions }
  }
  /** Whether the name of a gradient is replaced where it is mentioned: that of a leaf is mentioned nowhere. */
  const isOpened = ({ of, total, given, mentions }: Gradient, depth: number): boolean => {
    if (given || of.role === 'param' || of.role === 'input' || recurring.has(of)) return false
    // a formula that is nothing but a name is never worth another
    if (form === 'expanded' || total.visible.length === 0) return true
    return depth < deepest && mentions < often && !anchors.has(of) && !stated.has(of)
  }

  const enter = (gradient: Gradient): void => {
    const { of, given, contributions } = gradient
    let depth = 0
    for (let i = 0; i < contributions.length; i++) depth = Math.max(depth, nesting.get(contributions[i]!.consumer) ?? 0)
    const own = given || depth === 0 ? gradient : withOpened(gradient)
    gradients.set(of, own)
    if (isOpened(own, depth)) {
      instead.set(own.adjoint, own.total)
      nesting.set(of, depth + 1)
    }
    if (isPrinted(own, nesting)) printed.add(own.total)
  }
  return { enter, formed: () => ({ gradients, inlined: nesting, isForest: printed.isForest() }) }
}

/** How many names may be opened inside each other before a formula can't be read at a glance. */
const deepest = 6

/** Rewrites pointwise derivatives, too: written out, or in terms of the function's output. */
export function withDerivatives(rewrite: Rewriter, how: Derivatives): Rewriter {
  if (how === 'symbol') return rewrite
  const inGuise = ({ op, args, attrs }: Expr): Expr | undefined => {
    if (!op.guises) return undefined
    return how === 'output' && op.guises.output ? op.guises.output(args, attrs) : op.guises.explicit(args, attrs)
  }
  return (expr, trace) => rewrite(substitute([expr], inGuise)[0]!, trace)
}
