/** Rewrites expressions by laws until none applies: from the leaves up, each expression once. */
import { type Expr, inOrder, type Op, withArgs } from '../expr/expr.ts'
import { Table } from '../expr/table.ts'

/** An equation, read from left to right. `apply` gives the right-hand side where the left one matches, else null. */
export interface Law {
  readonly name: string
  /** The operations at the top of its left-hand side. */
  readonly on: readonly Op[] | ((op: Op) => boolean)
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

/** A rewriter with these laws. `limit` bounds the laws that may follow each other at one place: a guard against a faulty law, which leaves what it made as it is. */
export function rewriter(laws: readonly Law[], limit = 1000): Rewriter {
  const lawsFor = lawsByOp(laws)
  const normal = new Table<Expr>()
  /** The normal form, as far as it is known. */
  const known = (expr: Expr): Expr | undefined => (isName(expr) ? expr : normal.get(expr))
  const openAt = (expr: Expr): readonly Expr[] | undefined => (known(expr) === undefined ? expr.visible : undefined)

  /** Of an expression below which all is in normal form. */
  const settle = (start: Expr, trace: Step[] | undefined): void => {
    let expr = withNormalArgs(start)
    for (let count = 0; count < limit; count++) {
      const result = expr === start ? undefined : known(expr)
      if (result) {
        expr = result
        break
      }
      const step = firstOf(lawsFor(expr.op), expr)
      if (!step) break
      trace?.push(step)
      expr = rebuilt(step.after, trace)
    }
    normal.set(start, expr)
    if (expr !== start) normal.set(expr, expr)
  }

  /** What a law made has new parts: they are brought to normal form first. */
  const rebuilt = (root: Expr, trace: Step[] | undefined): Expr => {
    for (const expr of inOrder([root], openAt)) if (expr !== root) settle(expr, trace)
    return withNormalArgs(root)
  }

  const withNormalArgs = (expr: Expr): Expr => {
    for (const arg of expr.visible) {
      if (known(arg) !== arg)
        return withArgs(
          expr,
          expr.visible.map((a) => known(a)!),
        )
    }
    return expr
  }

  return (root, trace) => {
    const result = known(root)
    if (result) return result
    for (const expr of inOrder([root], openAt)) settle(expr, trace)
    return normal.get(root)!
  }
}

/** A name or variable: no law looks at it. */
const isName = ({ op }: Expr): boolean => op.atomic === true || op.fresh === true

/** The laws that could apply to an operation: first those that are on all of a kind. */
function lawsByOp(laws: readonly Law[]): (op: Op) => readonly Law[] {
  const found = new Map<Op, readonly Law[]>()
  const isOn = ({ on }: Law, op: Op): boolean => (typeof on === 'function' ? on(op) : on.includes(op))
  const ordered = [...laws.filter((law) => typeof law.on === 'function'), ...laws.filter((law) => typeof law.on !== 'function')]
  return (op) => {
    let own = found.get(op)
    if (own === undefined) found.set(op, (own = ordered.filter((law) => isOn(law, op))))
    return own
  }
}

function firstOf(laws: readonly Law[], expr: Expr): Step | undefined {
  for (const law of laws) {
    const after = law.apply(expr)
    if (after && after !== expr) return { law: law.name, before: expr, after }
  }
  return undefined
}
