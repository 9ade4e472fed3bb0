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

const pattern =
  /(?<space>\s+)|(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<name>[\p{L}_](?:(?!ᵀ)[\p{L}\p{N}_])*(?:\.(?!m?T(?![\p{L}\p{N}_]))[\p{L}_](?:(?!ᵀ)[\p{L}\p{N}_])*)*)|(?<string>"[^"]*"|'[^']+'(?=\s*[,)\]]))|(?<transposed>\^\s*\{?(?:T|⊤|\\top)\}?(?![\p{L}\p{N}_]))|(?<mark>\*\*|\/\/|->|<=|>=|==|!=|\.m?T(?![\p{L}\p{N}_])|[-+*/@()[\],:=<>'.^⊙·×−ᵀ⊤′≤≥≠→])/uy

/** All tokens of the text, the last of kind 'end'. `at` gives the place of an offset in the source. */
export function tokens(text: string, at: (start: number, end: number) => Span): Token[] {
  const result: Token[] = []
  let from = 0
  while (from < text.length) {
    pattern.lastIndex = from
    const match = pattern.exec(text)
    if (!match) {
      const found = String.fromCodePoint(text.codePointAt(from)!)
      fail('syntax', { expected: 'an expression', found: `the character ${found}` }, at(from, from + found.length))
    }
    const groups = match.groups!
    const span = () => at(match.index, match.index + match[0].length)
    if (groups.name?.startsWith('ᵀ')) result.push({ kind: 'mark', text: '.T', span: span() })
    else if (groups.name !== undefined) result.push({ kind: 'name', text: groups.name, span: span() })
    else if (groups.number !== undefined) result.push({ kind: 'number', text: groups.number, span: span() })
    else if (groups.string !== undefined) result.push({ kind: 'string', text: groups.string.slice(1, -1), span: span() })
    else if (groups.transposed !== undefined) result.push({ kind: 'mark', text: '.T', span: span() })
    else if (groups.mark !== undefined) result.push({ kind: 'mark', text: readings[groups.mark] ?? groups.mark, span: span() })
    from = pattern.lastIndex
  }
  result.push({ kind: 'end', text: 'the end', span: at(text.length, text.length) })
  return result
}
