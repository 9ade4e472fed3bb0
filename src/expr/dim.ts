/** Sizes of axes: whole numbers, or polynomials over symbols such as 2n + 1 and n·k, in a normal form. */
import { fail } from '../diagnostic.ts'
import { joined, type Layout, Level, row, symbol, within } from '../layout/layout.ts'
import { nameLayout } from '../layout/names.ts'

/** 64, N, 2N+1, ⌊(H−k)/s⌋+1. Two dims are equal when their keys are. */
export type Dim = number | SymbolicDim

export interface SymbolicDim {
  readonly key: string
  readonly terms: readonly Term[]
}

/** coefficient · product of atoms; a constant has none. */
interface Term {
  readonly coefficient: number
  readonly atoms: readonly Atom[]
}

type Atom =
  | { readonly kind: 'symbol'; readonly key: string; readonly name: string }
  | { readonly kind: 'floor'; readonly key: string; readonly over: Dim; readonly under: Dim }

/** Values of symbols. */
export type Sizes = ReadonlyMap<string, number>

export const isSymbolic = (value: unknown): value is SymbolicDim => typeof value === 'object' && value !== null && 'terms' in value

export const keyOf = (dim: Dim): string => (typeof dim === 'number' ? String(dim) : dim.key)

export const sameDim = (a: Dim, b: Dim): boolean => a === b || (typeof a !== 'number' && typeof b !== 'number' && a.key === b.key)

export const sizeSymbol = (name: string): Dim => normal([{ coefficient: 1, atoms: [{ kind: 'symbol', key: name, name }] }])

const termsOf = (dim: Dim): readonly Term[] => (typeof dim === 'number' ? [{ coefficient: dim, atoms: [] }] : dim.terms)

const monomial = (term: Term): string => term.atoms.map((a) => a.key).join('*')

/** Collects like terms: higher degrees first, then by name; a polynomial without symbols is a number. */
function normal(terms: readonly Term[]): Dim {
  const collected = new Map<string, Term>()
  for (const term of terms) {
    const key = monomial(term)
    collected.set(key, { ...term, coefficient: (collected.get(key)?.coefficient ?? 0) + term.coefficient })
  }
  const kept = [...collected.values()].filter((t) => t.coefficient !== 0)
  if (kept.length === 0) return 0
  if (kept.length === 1 && kept[0]!.atoms.length === 0) return kept[0]!.coefficient
  kept.sort((a, b) => b.atoms.length - a.atoms.length || (monomial(a) < monomial(b) ? -1 : 1))
  return { terms: kept, key: kept.map((t) => `${t.coefficient}*${monomial(t)}`).join('+') }
}

export function plus(a: Dim, b: Dim): Dim {
  return typeof a === 'number' && typeof b === 'number' ? a + b : normal([...termsOf(a), ...termsOf(b)])
}

export function times(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b
  return normal(
    termsOf(a).flatMap((s) =>
      termsOf(b).map((t) => ({
        coefficient: s.coefficient * t.coefficient,
        atoms: [...s.atoms, ...t.atoms].sort((x, y) => (x.key < y.key ? -1 : 1)),
      })),
    ),
  )
}

export const minus = (a: Dim, b: Dim): Dim => plus(a, times(-1, b))

export const product = (dims: readonly Dim[]): Dim => dims.reduce(times, 1)

/** a / b rounded down; exact where b divides every term of a. */
export function floorDivide(a: Dim, b: Dim): Dim {
  if (b === 0) return fail('bad-dim', { what: 'a quotient by zero', found: 'it has no value' })
  if (typeof a === 'number' && typeof b === 'number') return Math.floor(a / b)
  const exact = divided(a, b)
  if (exact !== undefined) return exact
  const whole = typeof a !== 'number' && typeof b === 'number' ? multiplesOf(b, a) : 0
  if (whole !== 0) return plus(whole, floorDivide(minus(a, times(b, whole)), b))
  return normal([{ coefficient: 1, atoms: [{ kind: 'floor', key: `floor((${keyOf(a)})/(${keyOf(b)}))`, over: a, under: b }] }])
}

/** Whether a dim is at least 0 for all sizes, as far as its signs tell. */
export const isNeverNegative = (dim: Dim): boolean => termsOf(dim).every(({ coefficient }) => coefficient >= 0)

/** What goes into each term a whole number of times: n − 1 for 2n − 1 = 2(n − 1) + 1. */
const multiplesOf = (b: number, { terms }: SymbolicDim): Dim =>
  normal(terms.map(({ coefficient, atoms }) => ({ coefficient: Math.floor(coefficient / b), atoms })))

/** a / b where b is a single term that divides every term of a. */
export function divided(a: Dim, b: Dim): Dim | undefined {
  if (sameDim(a, b)) return 1
  const [divisor, ...more] = termsOf(b)
  if (!divisor || more.length > 0) return undefined
  const quotients: Term[] = []
  for (const term of termsOf(a)) {
    const atoms = [...term.atoms]
    for (const atom of divisor.atoms) {
      const at = atoms.findIndex((x) => x.key === atom.key)
      if (at < 0) return undefined
      atoms.splice(at, 1)
    }
    if (term.coefficient % divisor.coefficient !== 0) return undefined
    quotients.push({ coefficient: term.coefficient / divisor.coefficient, atoms })
  }
  return normal(quotients)
}

/** 2 n k ↦ 2, n, k; of a sum, there is the sum alone. */
export function factorsIn(dim: Dim): readonly Dim[] {
  const [term, ...more] = termsOf(dim)
  if (!term || more.length > 0) return [dim]
  const { coefficient, atoms } = term
  return [...(coefficient === 1 ? [] : [coefficient]), ...atoms.map((atom) => normal([{ coefficient: 1, atoms: [atom] }]))]
}

/** The number that a dim is for these sizes; NaN if a symbol has none. */
export function sizeIn(dim: Dim, sizes: Sizes): number {
  if (typeof dim === 'number') return dim
  let sum = 0
  for (const { coefficient, atoms } of dim.terms) {
    let term = coefficient
    for (const atom of atoms) term *= atomIn(atom, sizes)
    sum += term
  }
  return sum
}

const atomIn = (atom: Atom, sizes: Sizes): number =>
  atom.kind === 'symbol' ? (sizes.get(atom.name) ?? Number.NaN) : Math.floor(sizeIn(atom.over, sizes) / sizeIn(atom.under, sizes))

/** The dim with dims in place of some of its symbols. */
export function withSizes(dim: Dim, sizes: ReadonlyMap<string, Dim>): Dim {
  if (typeof dim === 'number') return dim
  return dim.terms.map((t) => t.atoms.map((a) => atomWith(a, sizes)).reduce(times, t.coefficient as Dim)).reduce(plus, 0)
}

const atomWith = (atom: Atom, sizes: ReadonlyMap<string, Dim>): Dim =>
  atom.kind === 'symbol'
    ? (sizes.get(atom.name) ?? sizeSymbol(atom.name))
    : floorDivide(withSizes(atom.over, sizes), withSizes(atom.under, sizes))

/** Adds the symbols that a dim mentions to `into`. */
export function collectSymbols(dim: Dim, into: Set<string>): void {
  if (typeof dim === 'number') return
  for (const atom of dim.terms.flatMap((t) => t.atoms)) {
    if (atom.kind === 'symbol') into.add(atom.name)
    else {
      collectSymbols(atom.over, into)
      collectSymbols(atom.under, into)
    }
  }
}

/** The name, if the dim is one symbol. */
export const symbolName = (dim: Dim): string | undefined => {
  if (typeof dim === 'number' || dim.terms.length !== 1) return undefined
  const [{ coefficient, atoms }] = dim.terms as [Term]
  return coefficient === 1 && atoms.length === 1 && atoms[0]!.kind === 'symbol' ? atoms[0]!.name : undefined
}

const dot = symbol('·', '\\,')
const bar = symbol('/', '/')

export function dimLayout(dim: Dim): Layout {
  if (typeof dim === 'number') return symbol(String(dim).replace('-', '−'), String(dim), dim < 0 ? Level.sum : Level.atom)
  const inOrder = [...dim.terms.filter((t) => t.coefficient > 0), ...dim.terms.filter((t) => t.coefficient < 0)]
  const parts = inOrder.flatMap((term, i) => {
    const sign = term.coefficient < 0 ? [symbol('−', '-')] : i > 0 ? [symbol('+')] : []
    return [...sign, termLayout(Math.abs(term.coefficient), term.atoms)]
  })
  return parts.length === 1 ? parts[0]! : row(Level.sum, parts)
}

function termLayout(coefficient: number, atoms: readonly Atom[]): Layout {
  if (atoms.length === 0) return symbol(String(coefficient))
  const factors = joined(Level.product, dot, atoms.map(atomLayout))
  return coefficient === 1 ? factors : row(Level.product, [symbol(String(coefficient)), factors])
}

const atomLayout = (atom: Atom): Layout =>
  atom.kind === 'symbol'
    ? nameLayout(atom.name)
    : row(Level.atom, [
        symbol('⌊', '\\lfloor '),
        within(Level.product, dimLayout(atom.over)),
        bar,
        within(Level.factor, dimLayout(atom.under)),
        symbol('⌋', '\\rfloor '),
      ])
