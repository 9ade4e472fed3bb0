/** Reads the YAML that most specs are written in, line by line; what goes beyond it is left to the YAML library. */
import { past } from './lines.ts'
import type { List, Node, Pair, Scalar } from './tree.ts'

/**
 * The root of a document of block maps and lists, with plain and quoted texts and lists in brackets, each on one line.
 * Undefined for everything else, faulty documents among it: the library knows all of YAML and tells what is wrong, but needs
 * twenty times as long, which a network of thousands of layers would feel. The tests compare the two.
 */
export function readPlain(text: string): Node | undefined {
  if (/[^\n\x20-\x7e\xa1-\u2027\u202a-\ufefe]|^(?:---|\.\.\.|%)/m.test(text)) return undefined
  const lines: Lines = { text, start: 0, content: 0, indent: 0, end: 0 }
  advance(lines, 0)
  const root = lines.start < 0 || lines.indent > 0 || isItem(lines) ? undefined : map(lines, 0)
  return root && lines.start < 0 ? root : undefined
}

/** The line that is read next; `start` is −1 after the last one. Lines without content are passed over. */
interface Lines {
  readonly text: string
  start: number
  /** Where the content begins, in the text and in its line. */
  content: number
  indent: number
  end: number
}

const [newline, blank, quote, hash, apostrophe, minus, opening] = [10, 32, 34, 35, 39, 45, 91]

function advance(lines: Lines, from: number): void {
  const { text } = lines
  for (let start = from; start < text.length; ) {
    const next = text.indexOf('\n', start)
    const end = next < 0 ? text.length : next
    let content = start
    while (text.charCodeAt(content) === blank) content++
    if (content < end && text.charCodeAt(content) !== hash) {
      lines.start = start
      lines.content = content
      lines.indent = content - start
      lines.end = end
      return
    }
    start = end + 1
  }
  lines.start = -1
  lines.indent = -1
}

const isItem = ({ text, content }: Lines): boolean =>
  text.charCodeAt(content) === minus && (text.charCodeAt(content + 1) === blank || text.charCodeAt(content + 1) === newline)

/** What stands below a key: a map or a list that is indented further, or a list in the same column. */
function block(lines: Lines, column: number): Node | undefined {
  if (isItem(lines)) return lines.indent >= column ? list(lines, lines.indent) : undefined
  return lines.indent > column ? map(lines, lines.indent) : undefined
}

function list(lines: Lines, column: number): Node | undefined {
  const items: Node[] = []
  const { content: start } = lines
  while (lines.indent === column && isItem(lines)) {
    let content = lines.content + 1
    while (lines.text.charCodeAt(content) === blank) content++
    if (content >= lines.end) return undefined
    lines.indent += content - lines.content
    lines.content = content
    const item = isItem(lines) ? undefined : colonIn(lines) < 0 ? valueAt(lines, content) : map(lines, lines.indent)
    if (!item || lines.indent > column) return undefined
    items.push(item)
  }
  return { kind: 'list', start, end: items.at(-1)!.end, items, flow: false }
}

function map(lines: Lines, column: number): Node | undefined {
  const items: Pair[] = []
  const { text, content: start } = lines
  while (lines.indent === column && !isItem(lines)) {
    const colon = colonIn(lines)
    const key = colon < 0 ? undefined : keyAt(lines, colon)
    if (!key) return undefined
    let content = colon + 1
    while (text.charCodeAt(content) === blank) content++
    const isBelow = content >= lines.end || text.charCodeAt(content) === hash
    if (isBelow) advance(lines, lines.end + 1)
    const value = isBelow ? block(lines, column) : valueAt(lines, content)
    if (!value || lines.indent > column) return undefined
    items.push({ key, value })
  }
  return items.length === 0 ? undefined : { kind: 'map', start, end: items.at(-1)!.value!.end, items, flow: false }
}

/** The colon that ends a key, −1 where the line has none. Quoted keys are left to the library. */
function colonIn({ text, content, end }: Lines): number {
  const first = text.charCodeAt(content)
  if (first === quote || first === apostrophe || first === opening) return -1
  const line = text.slice(content, end)
  const inside = line.indexOf(': ')
  const colon = inside < 0 && line.endsWith(':') ? line.length - 1 : inside
  return colon < 0 ? -1 : content + colon
}

/** Plain texts begin with none of YAML's indicators; a minus must be glued to what follows. */
const plainStart = /[^\s\-?:,[\]{}#&*!|>'"%@`]|-[^\s\-?:,[\]{}#&*!|>'"%@`]/y

const keyEnd = / #| $/
const colonEnd = /: |:$/

function keyAt({ text, content }: Lines, colon: number): Scalar | undefined {
  const source = text.slice(content, colon)
  return past(plainStart, text, content) >= 0 && !keyEnd.test(source) ? plain(source, content) : undefined
}

/** The value on the rest of a line; the next line is read then. */
function valueAt(lines: Lines, content: number): Node | undefined {
  const { text, end } = lines
  const first = text.charCodeAt(content)
  const value =
    first === opening
      ? brackets(text, content, end)
      : first === apostrophe || first === quote
        ? quotation(text, content, end)
        : plainAt(text, content, end)
  if (!value || !endsAt(text, value.end, end)) return undefined
  advance(lines, end + 1)
  return value
}

/** Only blanks and a remark follow. */
function endsAt(text: string, from: number, end: number): boolean {
  let at = from
  while (text.charCodeAt(at) === blank) at++
  return at >= end || (at > from && text.charCodeAt(at) === hash)
}

function plainAt(text: string, start: number, end: number): Scalar | undefined {
  if (past(plainStart, text, start) < 0) return undefined
  const line = text.slice(start, end)
  const remark = line.indexOf(' #')
  const source = (remark < 0 ? line : line.slice(0, remark)).trimEnd()
  return colonEnd.test(source) ? undefined : plain(source, start)
}

function plain(source: string, start: number): Scalar | undefined {
  const value = valueStart.test(source) ? coreValue(source) : source
  return value === undefined
    ? undefined
    : { kind: 'scalar', start, end: start + source.length, text: source, exact: true, value, style: 'plain' }
}

const words: Readonly<Record<string, null | boolean>> = {
  '~': null,
  null: null,
  Null: null,
  NULL: null,
  true: true,
  True: true,
  TRUE: true,
  false: false,
  False: false,
  FALSE: false,
}

/** Everything else is a text. */
const valueStart = /^[-+.~\dnNtTfF]/

/** What the core schema of YAML takes a text for; undefined for its rarer numbers. */
function coreValue(source: string): Scalar['value'] | undefined {
  if (Object.hasOwn(words, source)) return words[source]
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(source)) return Number(source)
  return /^(?:0[ox]|[-+]?\.\w)/.test(source) ? undefined : source
}

/** 'it''s', or "so" without escapes. */
function quotation(text: string, start: number, end: number): Scalar | undefined {
  const isSingle = text.charCodeAt(start) === apostrophe
  const pattern = isSingle ? /'(?:[^'\n]|'')*'/y : /"[^"\\\n]*"/y
  const close = past(pattern, text, start)
  if (close < 0 || close > end) return undefined
  const inner = text.slice(start + 1, close - 1)
  const value = isSingle ? inner.replaceAll("''", "'") : inner
  return { kind: 'scalar', start, end: close, text: value, exact: false, value, style: isSingle ? 'single' : 'double' }
}

const entry = /(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|-[^\s\-?:,[\]{}#&*!|>'"%@`])[^,[\]{}:#'"\n]*/y

/** [m, [0, n-m]]: plain texts and lists of them, separated by commas. */
function brackets(text: string, start: number, end: number, depth = 0): List | undefined {
  const items: Node[] = []
  let at = start + 1
  for (;;) {
    while (text.charCodeAt(at) === blank) at++
    if (at >= end || text[at] === ']') break
    const item = text.charCodeAt(at) === opening ? depth < 9 && brackets(text, at, end, depth + 1) : entryAt(text, at)
    if (!item) return undefined
    items.push(item)
    at = item.end
    while (text.charCodeAt(at) === blank) at++
    if (text[at] === ',') at++
    else if (text[at] !== ']') return undefined
  }
  return at < end ? { kind: 'list', start, end: at + 1, items, flow: true } : undefined
}

function entryAt(text: string, start: number): Scalar | undefined {
  const end = past(entry, text, start)
  return end < 0 ? undefined : plain(text.slice(start, end).trimEnd(), start)
}
