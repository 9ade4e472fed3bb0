/** Reads the text of an expression token by token. */

/** A text, and the token in it that was read last. */
export interface Scanner {
  readonly text: string
  /** Unknown is a character that begins no token; the end comes last. */
  kind: 'name' | 'number' | 'string' | 'mark' | 'unknown' | 'end'
  /** The token in plain notation: ⊙ is *, − is -, ᵀ is .T. */
  word: string
  /** Where it begins and ends. */
  from: number
  to: number
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

/** Goes on to the next token. */
export function scan(scanner: Scanner): void {
  const { text } = scanner
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
    scan(scanner)
  } else {
    scanner.kind = 'unknown'
    scanner.word = String.fromCodePoint(text.codePointAt(from)!)
    scanner.to = from + scanner.word.length
  }
}
