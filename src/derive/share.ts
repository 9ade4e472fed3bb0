/** Names for what several printed formulas share: each shared subexpression is written once, in a `where` line. */
import { type Expr, inOrder, substitute, visibleArgs } from '../expr/expr.ts'
import { type Lookup, Table } from '../expr/table.ts'
import { type Layout, Level, parenthesised, subscript, superscript, symbol } from '../layout/layout.ts'
import { named, numberOf } from '../ops/leaves.ts'

/** Formulas in which shared parts are replaced by names; a name's argument is what it stands for. */
export interface Shared {
  readonly replace: (expr: Expr) => Expr
  /** The new names, in the order in which the formulas mention them. */
  readonly names: readonly Expr[]
}

/** Formulas that share nothing. */
export const nothing: Shared = { replace: (expr) => expr, names: [] }

/**
 * Finds what the formulas share. `taken` tells which names are in use; `isError` tells whether an expression carries an
 * error (it is then called δ) or belongs to the forward pass; `known` gives the names of what has one. In a step of a loop
 * the names bear its index.
 */
export function share(
  formulas: readonly Expr[],
  taken: ReadonlySet<string>,
  isError: (name: Expr) => boolean,
  known: ReadonlyMap<Expr, Expr>,
  step?: string,
): Shared {
  const order = inOrder(formulas, visibleArgs)
  const uses = countUses(formulas, order)
  const roots = new Set(formulas)
  const carries = errorsBelow(order, isError)
  const isWorthIt = (e: Expr): boolean =>
    e.op.letter !== undefined ? !roots.has(e) : uses.get(e)! > 1 && !isShort(e) && (carries.has(e) || !isSmall(e))
  const found = order.filter((e) => !e.op.bare && isWorthIt(e))
  if (found.length === 0) return nothing
  const shared = found.filter((e) => !known.has(e))
  const replacement = new Map<Expr, Expr>(found.flatMap((e) => (known.has(e) ? [[e, known.get(e)!] as const] : [])))
  const replace = (expr: Expr): Expr => substitute([expr], (e) => replacement.get(e))[0]!
  const kinds = shared.map((e) => e.op.letter ?? (carries.has(e) ? 'δ' : 'τ'))
  const counts = new Map<string, number>()
  const names = shared.map((expr, i) => {
    const letter = kinds[i]!
    const alone = kinds.filter((k) => k === letter).length === 1 && !taken.has(letter)
    let count = counts.get(letter) ?? 0
    do count++
    while (!alone && taken.has(`${letter}${count}`))
    counts.set(letter, count)
    const name = named(alone ? letter : `${letter}${count}`, letterLayout(letter, alone ? undefined : count, step), replace(expr))
    replacement.set(expr, name)
    return name
  })
  return { replace, names }
}

const letters: Readonly<Record<string, string>> = { δ: '\\delta', τ: '\\tau', x̂: '\\hat{x}' }

const letterLayout = (letter: string, count: number | undefined, step: string | undefined): Layout => {
  const base = symbol(letter, letters[letter] ?? letter)
  const numbered: Layout = count === undefined ? base : { ...subscript(base, symbol(String(count))), level: Level.atom }
  return step === undefined ? numbered : { ...superscript(numbered, parenthesised(symbol(step))), level: Level.atom }
}

/** How many places mention each expression; a repetition that does not print passes its uses on. */
function countUses(formulas: readonly Expr[], order: readonly Expr[]): Lookup<number> {
  const uses = new Table<number>()
  const count = (mentioned: Expr): void => {
    let expr = mentioned
    while (expr.op.bare && expr.args.length === 1) expr = expr.args[0]!
    uses.set(expr, (uses.get(expr) ?? 0) + 1)
  }
  formulas.forEach(count)
  for (const expr of order) if (!expr.op.bare) for (const arg of visibleArgs(expr)) count(arg)
  return uses
}

/** Fit to be repeated: it mentions one name at most, and is no deeper than relu′(a) or Wᵀ. */
function isShort(expr: Expr): boolean {
  const below = visibleArgs(expr)
  if (below.length === 0) return true
  const names = inOrder([expr], visibleArgs).filter((e) => visibleArgs(e).length === 0 && numberOf(e) === undefined)
  return names.length <= 1 && below.every((e) => visibleArgs(e).every((inner) => visibleArgs(inner).length === 0))
}

/** As short as x − μ or √(v + ε): of the forward pass, and entry by entry. */
function isSmall(expr: Expr): boolean {
  const parts = inOrder([expr], visibleArgs).filter((e) => !e.op.bare)
  return parts.length <= 4 && parts.every((e) => visibleArgs(e).length === 0 || e.op.align !== undefined)
}

function errorsBelow(order: readonly Expr[], isError: (name: Expr) => boolean): ReadonlySet<Expr> {
  const found = new Set<Expr>()
  for (const expr of order) if (isError(expr) || visibleArgs(expr).some((a) => found.has(a))) found.add(expr)
  return found
}
