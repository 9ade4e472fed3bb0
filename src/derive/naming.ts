/** Formulas in the names that a report gives to shared parts, for those that were derived before there were such names. */
import { type Expr, withArgs } from '../expr/expr.ts'
import { fold, inOrder } from '../expr/traverse.ts'

export interface Naming {
  /** A formula with names in place of its parts. */
  readonly inNames: (expr: Expr) => Expr
  /** The names that formulas mention, each after what mentions it. */
  readonly mentioned: (formulas: readonly Expr[]) => readonly Expr[]
}

/** The names that the report gives to shared parts. */
export function namesFrom(names: readonly Expr[]): Naming {
  const nameOf = new Map(names.map((name) => [name.args[0]!, name]))
  const all = new Set(names)
  const memo = new Map<Expr, Expr>()
  const replaced = (expr: Expr, args: readonly Expr[]): Expr => (expr.op.atomic ? expr : withArgs(expr, args))
  const visit = (expr: Expr, args: readonly Expr[]): Expr => {
    const own = replaced(expr, args)
    return nameOf.get(own) ?? own
  }
  return {
    inNames(expr) {
      const known = fold(expr.visible, visit, memo)
      return replaced(
        expr,
        expr.visible.map((arg) => known.get(arg)!),
      )
    },
    mentioned(formulas) {
      const found = new Set<Expr>()
      for (let open = formulas; open.length > 0; ) {
        const next = inOrder(open).filter((e) => all.has(e) && !found.has(e))
        for (const name of next) found.add(name)
        open = next.map((name) => name.args[0]!)
      }
      return [...found]
    },
  }
}
