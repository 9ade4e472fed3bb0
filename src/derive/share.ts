/** Names for what several printed formulas share: each shared subexpression is written once, in a `where` line. */
import type { Expr } from '../expr/expr.ts'
import { type Lookup, Table } from '../expr/table.ts'
import { inOrder, substitute } from '../expr/traverse.ts'
import { type Layout, Level, parenthesised, subscript, superscript, symbol } from '../layout/layout.ts'
import { toText } from '../layout/text.ts'
import { named, numberOf } from '../ops/leaves.ts'

/** Formulas in which shared parts are replaced by names; a name's argument is what it stands for. */
export interface Shared {
  readonly replace: (expr: Expr) => Expr
  /** The new names, each after those that it mentions. */
  readonly names: readonly Expr[]
}

/** Formulas that share nothing. */
export const nothing: Shared = { replace: (expr) => expr, names: [] }

/** What is known of the formulas beside themselves. */
export interface Context {
  /** Names as they are printed that mean something else. */
  readonly taken: ReadonlySet<string>
  /** Whether an expression carries an error (it is then called δ) or belongs to the forward pass. */
  readonly isError: (name: Expr) => boolean
  /** The names of what has one. */
  readonly known: ReadonlyMap<Expr, Expr>
  /** The formulas as they are read: names are numbered in this order. */
  readonly reading: readonly Expr[]
  /** What a name stands for that is defined where it is first mentioned. */
  readonly definitionOf: (name: Expr) => Expr | undefined
  /** In a step of a loop the names bear its index. */
  readonly step?: string | undefined
}

/** Finds what the formulas share. The context is asked for only if there is something. */
export function share(formulas: readonly Expr[], contextOf: () => Context): Shared {
  const order = inOrder(formulas)
  const uses = countUses(formulas, order)
  const isRepeated = (e: Expr): boolean => e.op.letter !== undefined || (uses.get(e)! > 1 && !isShort(e))
  const repeated = order.filter((e) => !e.op.bare && isRepeated(e))
  if (repeated.length === 0) return nothing
  const context = contextOf()
  const { isError, known } = context
  const roots = new Set(formulas)
  const carries = errorsBelow(order, isError)
  const found = repeated.filter((e) => (e.op.letter !== undefined ? !roots.has(e) : carries.has(e) || !isSmall(e)))
  if (found.length === 0) return nothing
  const shared = found.filter((e) => !known.has(e))
  const replacement = new Map<Expr, Expr>(found.flatMap((e) => (known.has(e) ? [[e, known.get(e)!] as const] : [])))
  const replace = (expr: Expr): Expr => substitute([expr], (e) => replacement.get(e))[0]!
  const layouts = numbered(asMet(new Set(shared), context), (e) => e.op.letter ?? (carries.has(e) ? 'δ' : 'τ'), context)
  const names = shared.map((expr) => {
    const layout = layouts.get(expr)!
    const name = named(toText(layout), layout, replace(expr))
    replacement.set(expr, name)
    return name
  })
  return { replace, names }
}

/** Formulas, looked at one by one as they are made: most share nothing, and need not be looked at again. */
export interface Forest {
  readonly add: (formula: Expr) => void
  /** Whether all but names is mentioned once so far, and no letter is known for it. */
  readonly isForest: () => boolean
}

export function forest(): Forest {
  const met = new Table<true>()
  const open: Expr[] = []
  let isForest = true
  return {
    add(formula) {
      for (let expr: Expr | undefined = formula; isForest && expr !== undefined; expr = open.pop()) {
        const { visible, op } = expr
        if (visible.length === 0) continue
        if (met.has(expr) || op.letter !== undefined) isForest = false
        met.set(expr, true)
        for (let i = 0; i < visible.length; i++) if (visible[i]!.visible.length > 0) open.push(visible[i]!)
      }
    },
    isForest: () => isForest,
  }
}

/** The shared expressions as a reader meets them: under each formula stands what it mentions, and what that mentions. */
function asMet(shared: ReadonlySet<Expr>, { reading, definitionOf }: Context): readonly Expr[] {
  const met = new Set<Expr>()
  const opened = new Set<Expr>()
  for (const formula of reading) {
    let open: readonly Expr[] = [formula]
    while (open.length > 0) {
      const below: Expr[] = []
      for (const expr of inOrder(open, (e) => (shared.has(e) ? [] : e.visible))) {
        const definition = shared.has(expr) ? undefined : definitionOf(expr)
        if (opened.has(expr) || !(definition ?? shared.has(expr))) continue
        opened.add(expr)
        if (shared.has(expr)) met.add(expr)
        below.push(...(definition ? [definition] : expr.visible))
      }
      open = below
    }
  }
  return [...met, ...[...shared].filter((e) => !met.has(e))]
}

/** A letter for each expression, with a number where it is not the only one of its kind or means something else. */
function numbered(exprs: readonly Expr[], letterOf: (expr: Expr) => string, { taken, step }: Context): ReadonlyMap<Expr, Layout> {
  const kinds = new Map<string, number>()
  for (const expr of exprs) kinds.set(letterOf(expr), (kinds.get(letterOf(expr)) ?? 0) + 1)
  const counts = new Map<string, number>()
  const isFree = (letter: string, count: number | undefined): boolean => !taken.has(toText(letterLayout(letter, count, undefined)))
  return new Map(
    exprs.map((expr) => {
      const letter = letterOf(expr)
      if (kinds.get(letter) === 1 && isFree(letter, undefined)) return [expr, letterLayout(letter, undefined, step)]
      let count = (counts.get(letter) ?? 0) + 1
      while (!isFree(letter, count)) count++
      counts.set(letter, count)
      return [expr, letterLayout(letter, count, step)]
    }),
  )
}

const letters: Readonly<Record<string, string>> = { δ: '\\delta', τ: '\\tau', x̂: '\\hat{x}', dP: '\\mathrm{d}P', dS: '\\mathrm{d}S' }

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
  for (let i = 0; i < order.length; i++) if (!order[i]!.op.bare) order[i]!.visible.forEach(count)
  return uses
}

/** Fit to be repeated: it mentions one name at most, and is no deeper than relu′(a) or Wᵀ. */
function isShort(expr: Expr): boolean {
  const below = expr.visible
  if (below.length === 0) return true
  const names = inOrder([expr]).filter((e) => e.visible.length === 0 && numberOf(e) === undefined)
  return names.length <= 1 && below.every((e) => e.visible.every((inner) => inner.visible.length === 0))
}

/** As short as x − μ or √(v + ε): of the forward pass, and entry by entry. */
function isSmall(expr: Expr): boolean {
  const parts = inOrder([expr]).filter((e) => !e.op.bare)
  return parts.length <= 4 && parts.every((e) => e.visible.length === 0 || e.op.align !== undefined)
}

function errorsBelow(order: readonly Expr[], isError: (name: Expr) => boolean): ReadonlySet<Expr> {
  const found = new Set<Expr>()
  for (const expr of order) if (isError(expr) || expr.visible.some((a) => found.has(a))) found.add(expr)
  return found
}
