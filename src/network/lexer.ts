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

/** Each kind of token by itself, tried in this order. Sticky: a match starts where the last one ended. */
const space = /\s+/y
const name = /[\p{L}_](?:(?!ᵀ)[\p{L}\p{N}_])*(?:\.(?!m?T(?![\p{L}\p{N}_]))[\p{L}_](?:(?!ᵀ)[\p{L}\p{N}_])*)*/uy
const plainName = /[A-Za-z_]\w*(?![.\w\u0080-\uffff])/y
const number = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y
const string = /"[^"]*"|'[^']+'(?=\s*[,)\]])/y
const raisedT = /\^\s*\{?(?:T|⊤|\\top)\}?(?![\p{L}\p{N}_])/uy
const mark = /\*\*|\/\/|->|<=|>=|==|!=|\.m?T(?![\p{L}\p{N}_])|[-+*/@()[\],:=<>'.^⊙·×−ᵀ⊤′≤≥≠→]/uy

/** Marks that no longer one begins with. */
const alone = '@+()[],'

const kinds = [
  { kind: 'name', pattern: plainName },
  { kind: 'name', pattern: name },
  { kind: 'number', pattern: number },
  { kind: 'string', pattern: string },
  { kind: 'mark', pattern: raisedT },
  { kind: 'mark', pattern: mark },
] as const

/** Marks of plain ASCII, which need no look at what letters Unicode has. */
const plainMark = /\*\*|\/\/|->|<=|>=|==|[-*/<>=]/y
const plainMarks = [{ kind: 'mark', pattern: plainMark }] as const

/** Goes on to the next token. */
export function advance(scanner: Scanner): void {
  const { text, source } = scanner
  scanner.last = scanner.end
  let from = scanner.to
  while (text[from] === ' ') from++
  const first = text[from]
  scanner.from = from
  if (first === undefined) {
    scanner.kind = 'end'
    scanner.word = 'the end'
    scanner.to = from
  } else if (alone.includes(first)) {
    scanner.kind = 'mark'
    scanner.word = first
    scanner.to = from + 1
  } else match(scanner, first)
  scanner.binding = scanner.kind === 'mark' ? (bindings.get(scanner.word) ?? Binding.none) : Binding.none
  const { start, end } = source.span
  scanner.start = source.exact ? start + scanner.from : start
  scanner.end = source.exact ? start + scanner.to : end
  if (scanner.kind === 'unknown') fail('syntax', { expected: 'an expression', found: `the character ${scanner.word}` }, here(scanner))
}

function match(scanner: Scanner, first: string): void {
  const { text, from } = scanner
  const possible = '-*/<>='.includes(first) ? plainMarks : kinds
  for (let i = 0; i < possible.length; i++) {
    const { kind, pattern } = possible[i]!
    if (kind === 'name' && first === 'ᵀ') continue
    const to = past(pattern, text, from)
    if (to < 0) continue
    const found = text.slice(from, to)
    scanner.kind = kind
    scanner.word =
      kind === 'string' ? found.slice(1, -1) : pattern === raisedT ? '.T' : kind === 'mark' ? (readings[found] ?? found) : found
    scanner.to = to
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
  }
}
