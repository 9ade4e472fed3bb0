/** Rewrites expressions by laws until none applies: from the leaves up, each expression once. */
import { type Expr, inOrder, type Op, visibleArgs, withArgs } from '../expr/expr.ts'
import { Table } from '../expr/table.ts'

/** An equation, read from left to right. `apply` gives the right-hand side where the left one matches, else null. */
export interface Law {
  readonly name: string
  /** The operations at the top of its left-hand side. */
  readonly on: readonly Op[]
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

/** Looks below an expression; a form that erases names looks into them too. */
type Below = (expr: Expr) => readonly Expr[]

/** A rewriter with these laws. `limit` bounds the laws that may follow each other at one place: a guard against a faulty law, which leaves what it made as it is. */
export function rewriter(laws: readonly Law[], below: Below = visibleArgs, limit = 1000): Rewriter {
  const byOp = new Map<Op, Law[]>()
  for (const law of laws) for (const op of law.on) byOp.set(op, [...(byOp.get(op) ?? []), law])
  const general = byOp.get(anyOp) ?? []
  const normal = new Table<Expr>()

  /** What is not in normal form yet, as far as is known. */
  const openAt = (expr: Expr): readonly Expr[] | undefined => (normal.get(expr) === undefined ? below(expr) : undefined)

  const settle = (start: Expr, trace: Step[] | undefined): Expr => {
    let expr = start
    for (let count = 0; count < limit; count++) {
      const known = normal.get(expr)
      if (known) return known
      const step = applied(expr, byOp.get(expr.op) ?? nothingToTry, general)
      if (!step) return expr
      trace?.push(step)
      expr = rebuilt(step.after, trace)
    }
    return expr
  }

  /** What a law made has new parts: they are brought to normal form first. */
  const rebuilt = (root: Expr, trace: Step[] | undefined): Expr => {
    for (const expr of inOrder([root], openAt)) {
      if (expr !== root) remember(expr, settle(withNormalArgs(expr), trace))
    }
    return withNormalArgs(root)
  }

  const withNormalArgs = (expr: Expr): Expr => {
    const args = below(expr)
    for (const arg of args) {
      if (normal.get(arg) !== arg)
        return withArgs(
          expr,
          args.map((a) => normal.get(a)!),
        )
    }
    return expr
  }

  const remember = (expr: Expr, result: Expr): void => {
    normal.set(expr, result)
    if (result !== expr) normal.set(result, result)
  }

  return (root, trace) => {
    const known = normal.get(root)
    if (known) return known
    for (const expr of inOrder([root], openAt)) remember(expr, settle(withNormalArgs(expr), trace))
    return normal.get(root)!
  }
}

/** Stands in `on` for every operation. */
export const anyOp: Op = { name: 'any', why: '', shape: () => [], notation: () => ({ kind: 'symbol', text: '', latex: '', level: 6 }) }

function applied(expr: Expr, own: readonly Law[], general: readonly Law[]): Step | undefined {
  return firstOf(general, expr) ?? firstOf(own, expr)
}

function firstOf(laws: readonly Law[], expr: Expr): Step | undefined {
  for (const law of laws) {
    const after = law.apply(expr)
    if (after && after !== expr) return { law: law.name, before: expr, after }
  }
  return undefined
}

const nothingToTry: readonly Law[] = []
