/** Ways through the expressions below others: loops, linear in their number, and safe at any depth. */
import { type Expr, make } from './expr.ts'
import type { Lookup, Memo } from './table.ts'

/** Below a name, too: for `inOrder`. */
export const argsOf = (expr: Expr): readonly Expr[] => expr.args

/** Counts traversals: an expression that bears the number of the present one has been seen. Cheaper than a set for each. */
let traversal = 0

/** What is being visited, each in which list, what comes next there, and what has been visited: this room is kept from one formula to the next. */
const room: { readonly open: Expr[]; readonly lists: (readonly Expr[])[]; readonly next: number[]; readonly visited: Expr[] } = {
  open: [],
  lists: [],
  next: [],
  visited: [],
}

/**
 * Every expression below the roots, arguments before users. `below` tells what stands below an expression (what is visible, if
 * nothing is said), or undefined for one that is left out with all below it; it must not traverse itself.
 */
export function inOrder(roots: readonly Expr[], below?: (expr: Expr) => readonly Expr[] | undefined): Expr[] {
  const present = ++traversal
  const { open, lists, next, visited } = room
  let count = 0
  let depth = 0
  let list = roots
  let i = 0
  while (i < list.length || depth > 0) {
    if (i === list.length) {
      visited[count++] = open[--depth]!
      list = lists[depth]!
      i = next[depth]!
      continue
    }
    const expr = list[i++]!
    if (expr.seen === present) continue
    expr.seen = present
    const own = below === undefined ? expr.visible : below(expr)
    if (own === undefined) continue
    if (own.length === 0) visited[count++] = expr
    else {
      open[depth] = expr
      lists[depth] = list
      next[depth++] = i
      list = own
      i = 0
    }
  }
  const order = visited.slice(0, count)
  if (open.length > mostKept) open.length = lists.length = next.length = 0
  if (visited.length > mostKept) visited.length = 0
  return order
}

/** A deep traversal gives its room back. */
const mostKept = 1000

/** A value for every visible expression below the roots, made from the values of its arguments. Linear, and safe at any depth. */
export function fold<T>(roots: readonly Expr[], visit: (expr: Expr, args: readonly T[]) => T, memo: Memo<T> = new Map<Expr, T>()): Memo<T> {
  const unknown = inOrder(roots, (expr) => (memo.get(expr) === undefined ? expr.visible : undefined))
  for (let i = 0; i < unknown.length; i++) {
    const { visible } = unknown[i]!
    const args = new Array<T>(visible.length)
    for (let k = 0; k < visible.length; k++) args[k] = memo.get(visible[k]!)!
    memo.set(unknown[i]!, visit(unknown[i]!, args))
  }
  return memo
}

/** The list with others in place of some; the same list where there are none. */
export function exchanged(list: readonly Expr[], others: Pick<Lookup<Expr>, 'get'>): readonly Expr[] {
  let changed: Expr[] | undefined
  for (let i = 0; i < list.length; i++) {
    const instead = others.get(list[i]!)
    if (instead !== undefined && instead !== list[i]) (changed ??= list.slice())[i] = instead
  }
  return changed ?? list
}

/** The roots with expressions in place of others (looked up before what is below them). Names are looked into where `below` says so. */
export function substitute(
  roots: readonly Expr[],
  replacement: (expr: Expr) => Expr | undefined,
  below?: (expr: Expr) => readonly Expr[],
): readonly Expr[] {
  /** What is the same as before is not noted. */
  const memo = new Map<Expr, Expr>()
  const order = inOrder(roots, (expr) => {
    const other = replacement(expr)
    if (other) memo.set(expr, other)
    if (other) return undefined
    return below ? below(expr) : expr.visible
  })
  if (memo.size === 0) return roots
  for (let i = 0; i < order.length; i++) {
    const { op, args, attrs } = order[i]!
    const others = exchanged(args, memo)
    if (others !== args) memo.set(order[i]!, make(op, others, attrs))
  }
  return exchanged(roots, memo)
}
