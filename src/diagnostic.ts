/** What can be wrong with an input, as data: who finds a fault gives its code and parts, the words are in `words.ts`. */
import { type Code, type Parts, words } from './words.ts'

/** A half-open range of character offsets into the source text. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A text that was read, under the name that messages show for it. */
export interface Source {
  readonly name: string
  readonly text: string
}

export interface Diagnostic {
  readonly code: Code
  readonly message: string
  readonly hint?: string | undefined
  readonly span?: Span | undefined
  /** The calls of instances that led there, the innermost first. */
  readonly trail?: readonly { readonly text: string; readonly span: Span }[]
}

/** Carries the faults of an input to whoever can show them on the source. */
export class Failure extends Error {
  /** `source` is the text that the places are in, where it is not the spec. */
  constructor(
    readonly diagnostics: readonly Diagnostic[],
    readonly source?: Source,
  ) {
    super(diagnostics.map((d) => d.message).join('\n'))
  }
}

/** Runs `work`; the places of its faults are in this text. */
export function inSource<T>(source: Source, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof Failure && !error.source ? new Failure(error.diagnostics, source) : error
  }
}

/** The diagnostic with this code; its parts are what its words are made from. */
export function diagnostic<C extends Code>(code: C, parts: Parts<C>, span?: Span): Diagnostic {
  const [message, hint] = (words[code] as (p: Parts<C>) => readonly [string, string?])(parts)
  return { code, message, hint, span: span && bare(span) }
}

/** A place alone, of what knows more than its place. */
const bare = ({ start, end }: Span): Span => ({ start, end })

/** Throws the fault with this code. An inner engine leaves the span out; the outer one that knows it adds it (`locating`). */
export function fail<C extends Code>(code: C, parts: Parts<C>, span?: Span): never {
  throw new Failure([diagnostic(code, parts, span)])
}

/** Runs `work`; faults without a place get this span. */
export function locating<T>(span: Span, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw located(error, span)
  }
}

/** The same error, its faults without a place at this one. */
export const located = (error: unknown, span: Span): unknown =>
  error instanceof Failure ? new Failure(error.diagnostics.map((d) => (d.span ? d : { ...d, span: bare(span) }))) : error

/** The same error, with a hint for faults of shapes that come without advice. */
export const hinted = (error: unknown, hint: string): unknown =>
  error instanceof Failure ? new Failure(error.diagnostics.map((d) => (d.hint || d.code !== 'shapes' ? d : { ...d, hint }))) : error

/** Runs each piece of work, gathers the faults of all of them, and returns what succeeded (`undefined` where one failed). */
export function collecting<T>(faults: Diagnostic[], work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    return gather(error, faults)
  }
}

/** Adds what some work failed with to the faults; `undefined` stands for what it did not come to. */
export function gather(error: unknown, faults: Diagnostic[]): undefined {
  if (!(error instanceof Failure)) throw error
  faults.push(...error.diagnostics)
  return undefined
}

/** The candidate nearest to a misspelt word, if one is near enough to be meant. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = (word.length < 3 ? 0 : Math.max(1, Math.floor(word.length / 3))) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= least) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < least && candidate !== word) [best, least] = [candidate, distance]
  }
  return best
}

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitute = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, substitute)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1)
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
