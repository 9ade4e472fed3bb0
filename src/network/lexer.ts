/** Cuts the text of an expression into tokens. */
import { fail, type Span } from '../diagnostic.ts'

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'mark' | 'end'
  /** The token in plain notation: ⊙ is *, − is -, ᵀ is .T. */
  readonly text: string
  readonly span: Span
}

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

/** Where a match of the pattern that starts here ends; −1 where there is none. */
export function past(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex : -1
}

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

/** All tokens of the text, the last of kind 'end'. `at` gives the place of an offset in the source. */
export function tokens(text: string, at: (start: number, end: number) => Span): Token[] {
  const result: Token[] = []
  let from = 0
  while (from < text.length) {
    const first = text[from]!
    if (first === ' ') from++
    else if (alone.includes(first)) result.push({ kind: 'mark', text: first, span: at(from, ++from) })
    else {
      const blank = past(space, text, from)
      const token = blank > 0 ? undefined : tokenAt(text, from, at)
      if (token) result.push(token)
      from = token?.end ?? blank
    }
  }
  result.push({ kind: 'end', text: 'the end', span: at(text.length, text.length) })
  return result
}

function tokenAt(text: string, from: number, at: (start: number, end: number) => Span): Token & { readonly end: number } {
  const possible = '-*/<>='.includes(text[from]!) ? plainMarks : kinds
  for (let i = 0; i < possible.length; i++) {
    const { kind, pattern } = possible[i]!
    if (kind === 'name' && text[from] === 'ᵀ') continue
    const end = past(pattern, text, from)
    if (end < 0) continue
    const match = text.slice(from, end)
    const plain = kind === 'string' ? match.slice(1, -1) : pattern === raisedT ? '.T' : kind === 'mark' ? (readings[match] ?? match) : match
    return { kind, text: plain, span: at(from, end), end }
  }
  const found = String.fromCodePoint(text.codePointAt(from)!)
  return fail('syntax', { expected: 'an expression', found: `the character ${found}` }, at(from, from + found.length))
}
