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

/** All tokens of the text, the last of kind 'end'. `at` gives the place of an offset in the source. */
export function tokens(text: string, at: (start: number, end: number) => Span): Token[] {
  const result: Token[] = []
  let from = 0
  /** What the pattern matches here, if it does. */
  const taken = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = from
    if (!pattern.test(text)) return undefined
    const match = text.slice(from, pattern.lastIndex)
    from = pattern.lastIndex
    return match
  }
  while (from < text.length) {
    if (text[from] === ' ') {
      from++
      continue
    }
    if (alone.includes(text[from]!)) {
      result.push({ kind: 'mark', text: text[from]!, span: at(from, ++from) })
      continue
    }
    if (taken(space) !== undefined) continue
    const start = from
    const token = (kind: Token['kind'], value: string): void => {
      result.push({ kind, text: value, span: at(start, from) })
    }
    let match = text[from] === 'ᵀ' ? undefined : (taken(plainName) ?? taken(name))
    if (match !== undefined) token('name', match)
    else if ((match = taken(number)) !== undefined) token('number', match)
    else if ((match = taken(string)) !== undefined) token('string', match.slice(1, -1))
    else if (taken(raisedT) !== undefined) token('mark', '.T')
    else if ((match = taken(mark)) !== undefined) token('mark', readings[match] ?? match)
    else {
      const found = String.fromCodePoint(text.codePointAt(from)!)
      fail('syntax', { expected: 'an expression', found: `the character ${found}` }, at(from, from + found.length))
    }
  }
  result.push({ kind: 'end', text: 'the end', span: at(text.length, text.length) })
  return result
}
