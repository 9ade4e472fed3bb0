/** Reads the text of an expression token by token. */
import { fail, type Span } from '../diagnostic.ts'
import type { Text } from './document.ts'
import { past } from './lines.ts'

/** What a mark is to the operand before it: it joins it with the next one, the more tightly the greater the number, or belongs to it. */
export const Binding = { call: -2, postfix: -1, none: 0, comparison: 1, sum: 2, product: 3 } as const
type Binding = (typeof Binding)[keyof typeof Binding]

const operators: readonly (readonly [Binding, readonly string[]])[] = [
  [Binding.call, ['(', "'"]],
  [Binding.postfix, ['**', '.T', '.mT', '[', '.']],
  [Binding.comparison, ['<', '<=', '>', '>=', '==', '!=']],
  [Binding.sum, ['+', '-']],
  [Binding.product, ['*', '/', '//', '@']],
]
const bindings: ReadonlyMap<string, Binding> = new Map(operators.flatMap(([binding, own]) => own.map((mark) => [mark, binding] as const)))

/** A text, and the token in it that comes next; the last one is the end, which nothing takes. */
export interface Scanner {
  readonly source: Text
  readonly text: string
  readonly tokens: Tokens
  /** Unknown is a character that begins no token; the end comes last. */
  kind: 'name' | 'number' | 'string' | 'mark' | 'unknown' | 'end'
  /** The token in plain notation: ⊙ is *, − is -, ᵀ is .T. */
  word: string
  binding: Binding
  /** Where it begins and ends. */
  from: number
  to: number
  /** Where it stands in the source, and where the one before it ends. */
  start: number
  end: number
  last: number
}

/** The place of the token that comes next. */
export const here = ({ start, end }: Scanner): Span => ({ start, end })

/** Marks of pasted mathematics, and what they are read as. */
const readings: Readonly<Record<string, string>> = {
  '⊙': '*',
  '·': '*',
  '⋅': '*',
  '×': '*',
  '−': '-',
  ᵀ: '.T',
  '⊤': '.T',
  '′': "'",
  '≤': '<=',
  '≥': '>=',
  '≠': '!=',
  '^': '**',
  '→': '->',
}

type Kinds = readonly { readonly kind: 'name' | 'number' | 'string' | 'mark'; readonly pattern: RegExp }[]

/** How the tokens of a text are found: each kind by itself, tried in this order, or where a mark begins. */
export interface Tokens {
  readonly any: Kinds
  readonly marks: Kinds
}

const raisedT = '\\^\\s*\\{?(?:T|⊤|\\\\top)\\}?'
const pasted = Object.keys(readings).join('')
/** Before a name or a parenthesis it is read as d. */
const partial = '∂'

/** Tokens where names begin with such a letter and go on like that. Sticky: a match starts where the last one ended. */
function tokensWith(letter: string, inside: string, flags: string): Tokens {
  const apart = `(?!${inside})`
  const pattern = (source: string): RegExp => new RegExp(source, flags)
  const word = `${letter}(?:${inside})*`
  const marks = [
    {
      kind: 'mark',
      pattern: pattern(String.raw`${raisedT}${apart}|\*\*|\/\/|->|<=|>=|==|!=|\.m?T${apart}|[-+*\/@()[\],:=<>'.${pasted}]`),
    },
  ] as const
  const any: Kinds = [
    { kind: 'name', pattern: pattern(String.raw`${partial}(?=\s*\()|${partial}?${word}(?:\.(?!m?T${apart})${word})*`) },
    { kind: 'number', pattern: pattern(String.raw`(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`) },
    { kind: 'string', pattern: pattern(String.raw`"[^"]*"|'[^']+'(?=\s*[,)\]])`) },
    ...marks,
  ]
  return { any, marks }
}

const latin = tokensWith('[A-Za-z_]', String.raw`\w`, 'y')
let ofAnyScript: Tokens | undefined
const ascii = /^[ -~]*$/

/** V8 needs milliseconds to look up which letters Unicode has: only for texts that have others than Latin ones. */
export const tokensOf = (text: string): Tokens =>
  ascii.test(text) ? latin : (ofAnyScript ??= tokensWith('(?!ᵀ)[\\p{L}_]', '(?!ᵀ)[\\p{L}\\p{N}_]', 'uy'))

const space = /\s+/y

/** Marks that no longer one begins with. */
const alone: ReadonlyMap<string, Binding> = new Map([...'@+()[],'].map((mark) => [mark, bindings.get(mark) ?? Binding.none]))
/** What no token but a mark begins with. */
const ofMarks = '-*/<>='

/** ∂L is dL. */
const nameOf = (found: string): string => (found[0] === partial ? `d${found.slice(1)}` : found)

/** A mark in plain notation; what is raised to T, too, is a transpose. */
const readingOf = (mark: string): string => (mark.length > 1 && mark[0] === '^' ? '.T' : (readings[mark] ?? mark))

/** Goes on to the next token. */
export function advance(scanner: Scanner): void {
  const { text, source } = scanner
  scanner.last = scanner.end
  let from = scanner.to
  while (text[from] === ' ') from++
  const first = text[from] ?? ''
  const binding = alone.get(first)
  scanner.from = from
  if (binding !== undefined) {
    scanner.kind = 'mark'
    scanner.word = first
    scanner.to = from + 1
    scanner.binding = binding
  } else if (first !== '') match(scanner, first)
  else {
    scanner.kind = 'end'
    scanner.word = 'the end'
    scanner.to = from
    scanner.binding = Binding.none
  }
  const { start, end, exact } = source
  scanner.start = exact ? start + scanner.from : start
  scanner.end = exact ? start + scanner.to : end
  if (scanner.kind === 'unknown') fail('syntax', { expected: 'an expression', found: `the character ${scanner.word}` }, here(scanner))
}

function match(scanner: Scanner, first: string): void {
  const { text, from, tokens } = scanner
  const possible = ofMarks.includes(first) ? tokens.marks : tokens.any
  for (let i = 0; i < possible.length; i++) {
    const { kind, pattern } = possible[i]!
    const to = past(pattern, text, from)
    if (to < 0) continue
    const found = text.slice(from, to)
    scanner.kind = kind
    scanner.word = kind === 'string' ? found.slice(1, -1) : kind === 'mark' ? readingOf(found) : kind === 'name' ? nameOf(found) : found
    scanner.to = to
    scanner.binding = kind === 'mark' ? (bindings.get(scanner.word) ?? Binding.none) : Binding.none
    return
  }
  const blank = past(space, text, from)
  if (blank > 0) {
    scanner.to = blank
    advance(scanner)
  } else {
    scanner.kind = 'unknown'
    scanner.word = String.fromCodePoint(text.codePointAt(from)!)
    scanner.to = from + scanner.word.length
    scanner.binding = Binding.none
  }
}
