/** Rewrites expressions by laws until none applies: from the leaves up, each expression once. */
import { type Expr, type Op, withArgs } from '../expr/expr.ts'
import { type Lookup, type Memo, Table } from '../expr/table.ts'
import { exchanged, inOrder } from '../expr/traverse.ts'

/** An equation, read from left to right. `apply` gives the right-hand side where the left one matches, else null. */
export interface Law {
  readonly name: string
  /** The operations at the top of its left-hand side. */
  readonly on: readonly Op[] | ((op: Op) => boolean)
  /** Operations, one of which stands among the arguments on its left-hand side: where none does, it is not asked. */
  readonly over?: readonly Op[]
  apply(expr: Expr): Expr | null
}

/** One application of a law, for `--steps`. */
export interface Step {
  readonly law: string
  readonly before: Expr
  readonly after: Expr
}

/** Rewrites to the normal form of its laws; remembers what it has seen, so that shared parts cost once. */
export type Rewriter = (expr: Expr, trace?: Step[]) => Expr

/**
 * A rewriter with these laws. The normal forms that it finds are noted in `normal`; `finer` are those that a rewriter with more
 * laws has found: to what stays as it is by all of its laws, none of these applies.
 */
export function rewriter(laws: readonly Law[], normal: Memo<Expr> = new Table<Expr>(), finer?: Lookup<Expr>): Rewriter {
  const lawsFor = candidates(laws)
  /** The normal form, as far as it is known. At a name or variable no law looks. */
  const known = (expr: Expr): Expr | undefined => {
    if (expr.op.atomic === true || expr.op.fresh === true) return expr
    return normal.get(expr) ?? (finer?.get(expr) === expr ? expr : undefined)
  }
  const openAt = (expr: Expr): readonly Expr[] | undefined => (known(expr) === undefined ? expr.visible : undefined)

  const settle = (start: Expr, trace: Step[] | undefined): Expr => {
    let expr = withNormalArgs(start, trace)
    for (let count = 0; count < mostSteps; count++) {
      const result = expr === start ? undefined : known(expr)
      if (result) {
        expr = result
        break
      }
      const step = firstOf(lawsFor(expr), expr)
      if (!step) break
      trace?.push(step)
      expr = withNormalArgs(step.after, trace)
    }
    normal.set(start, expr)
    if (expr !== start) normal.set(expr, expr)
    return expr
  }

  /** The same operation on arguments in normal form. */
  const withNormalArgs = (expr: Expr, trace: Step[] | undefined): Expr => {
    const { visible } = expr
    for (let i = 0; i < visible.length; i++) if (known(visible[i]!) !== visible[i]) return rebuilt(expr, trace)
    return expr
  }

  const rebuilt = (expr: Expr, trace: Step[] | undefined): Expr => {
    for (const part of inOrder(expr.visible, openAt)) settle(part, trace)
    return withArgs(expr, exchanged(expr.visible, { get: known }))
  }

  return (root, trace) => known(root) ?? settle(root, trace)
}

/** So many laws may follow each other at one place: a guard against a faulty law, which leaves what it made as it is. */
const mostSteps = 1000

/** The laws that could apply to an expression: first those that are on all of a kind. */
function candidates(laws: readonly Law[]): (expr: Expr) => readonly Law[] {
  const found = new Map<Op, Candidates>()
  const isOn = ({ on }: Law, op: Op): boolean => (typeof on === 'function' ? on(op) : on.includes(op))
  const ordered = [...laws.filter((law) => typeof law.on === 'function'), ...laws.filter((law) => typeof law.on !== 'function')]
  const candidatesFor = (op: Op): Candidates => {
    const all = ordered.filter((law) => isOn(law, op))
    return { all, undemanding: all.filter((law) => needs(law).length === 0), telling: new Set(all.flatMap(needs)) }
  }
  return ({ op, args }) => {
    let own = found.get(op)
    if (own === undefined) found.set(op, (own = candidatesFor(op)))
    for (let i = 0; i < args.length; i++) if (own.telling.has(args[i]!.op)) return own.all.filter((law) => isMet(law, args))
    return own.undemanding
  }
}

const needs = ({ over = [] }: Law): readonly Op[] => over

const isMet = (law: Law, args: readonly Expr[]): boolean => needs(law).length === 0 || args.some(({ op }) => needs(law).includes(op))

/** The laws on one operation. */
interface Candidates {
  readonly all: readonly Law[]
  /** Those that need nothing of the arguments … */
  readonly undemanding: readonly Law[]
  /** … and what the others need. */
  readonly telling: ReadonlySet<Op>
}

function firstOf(laws: readonly Law[], expr: Expr): Step | undefined {
  for (let i = 0; i < laws.length; i++) {
    const law = laws[i]!
    const after = law.apply(expr)
    if (after && after !== expr) return { law: law.name, before: expr, after }
  }
  return undefined
}
