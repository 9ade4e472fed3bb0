/** Readers turn nodes of a document into typed values that keep their place; each one also says its JSON Schema. */
import { collecting, type Diagnostic, diagnostic, Failure, fail, gather, nearest, type Span } from '../diagnostic.ts'
import { endOfLine, past, quoted, restOfLine } from './lines.ts'
import { type Dictionary, isList, isMap, isScalar, type List, type Node, type Scalar, spanOf, type Text } from './tree.ts'

/** What readers share: the source, and the faults so far. */
export interface Context {
  readonly source: string
  readonly faults: Diagnostic[]
  readonly lineOf: (offset: number) => number
}

export interface Reader<T> {
  readonly schema: object
  /** Throws a Failure; readers of collections gather those of their items. */
  read(node: Node | null, context: Context, where: string): T
}

/** A reader of the same values under a description for editors. */
export const described = <T>(description: string, reader: Reader<T>): Reader<T> => ({
  ...reader,
  schema: { ...reader.schema, description },
})

/** A reader whose value is made into another one. */
export const mapped = <T, U>(reader: Reader<T>, make: (value: T) => U): Reader<U> => ({
  schema: reader.schema,
  read: (node, context, where) => make(reader.read(node, context, where)),
})

export const isEmpty = (node: Node | null): boolean => node === null || (isScalar(node) && node.value === null)

const kindOf = (node: Node | null): string =>
  isEmpty(node) ? 'empty' : isMap(node) ? 'a map' : isList(node) ? 'a list' : JSON.stringify((node as Scalar).value)

export function expected(where: string, what: string, node: Node | null, hint?: string): never {
  fail('expected', { where, expected: what, found: kindOf(node), ...(hint ? { hint } : {}) }, spanOf(node))
}

/** The text of a scalar, as it is written: `1e-5` and `no` stay what they are. */
export function textOf(node: Scalar, { source }: Context): Text | undefined {
  if (node.value === null) return undefined
  const { text, start, end, style } = node
  const isInside = style !== 'plain' && style !== 'block' && source.slice(start + 1, end - 1) === text
  return isInside ? { start: start + 1, end: end - 1, text, exact: true } : node
}

const cut = /(?:[ \t]|[ \t]+(?=#\d))#[^\s#!]/y

/** A comment that YAML cut off a plain text, although it is glued to what follows: `z = y #2`. With more space before it, it is a remark. */
function refuseCutLine(node: Scalar, { source }: Context): void {
  if (node.style !== 'plain') return
  const { start, end: after } = node
  // the place of an empty text is the remark itself
  const end = start === after && source[after] === '#' ? after - 1 : after
  if ((source[end] !== ' ' && source[end] !== '\t') || past(cut, source, end) < 0) return
  const until = endOfLine(source, end)
  fail(
    'yaml-trap',
    {
      what: 'YAML reads what follows " #" as a comment, so the line is cut short',
      mended: quoted(source.slice(Math.min(start, end), until)),
    },
    { start: end, end: until },
  )
}

export const text: Reader<Text> = {
  schema: { type: ['string', 'number', 'boolean'] },
  read(node, context, where) {
    if (isScalar(node)) {
      refuseCutLine(node, context)
      const found = textOf(node, context)
      if (found) return found
    }
    if (isMap(node) && !node.flow && node.items.length > 0) refuseMap(node, context, where)
    if (isList(node) && !node.flow) refuseList(node, context, where)
    return expected(where, 'a text', node)
  },
}

/** `x[0: n]` or `dL/dx: …` was read as a map: the colon needs quotes. */
function refuseMap(node: Dictionary, context: Context, where: string): never {
  const span = restOfLine(context.source, spanOf(node.items[0]!.key).start)
  const mended = quoted(context.source.slice(span.start, span.end))
  fail('yaml-trap', { what: `${where} contains ": ", so YAML reads it as a map`, mended }, span)
}

/** `- - sum(x)` was read as a list in a list: the minus needs quotes. A list on a line of its own is one. */
function refuseList(node: List, context: Context, where: string): void {
  const { start } = node
  const before = context.source.slice(context.source.lastIndexOf('\n', start - 1) + 1, start)
  if (before.trim() === '') return
  const span = restOfLine(context.source, start)
  const mended = quoted(context.source.slice(span.start, span.end))
  fail('yaml-trap', { what: `${where} starts with "- ", so YAML reads it as a list`, mended }, span)
}

/** LaTeX: a control character means that double quotes ate a backslash. Lines of a block end with one that is meant. */
export const latex: Reader<Text> = {
  schema: { type: 'string' },
  read(node, context, where) {
    const found = text.read(node, context, where)
    const isBlock = isScalar(node) && node.style === 'block'
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (isBlock ? !/[\x00-\x09\x0b-\x1f\x7f]/.test(found.text) : !/[\x00-\x1f\x7f]/.test(found.text)) return found
    if (isScalar(node) && node.style === 'double') {
      const { start, end } = spanOf(node)
      const what = 'double quotes turn a backslash and a letter into a control character'
      fail('yaml-trap', { what, mended: quoted(context.source.slice(start + 1, end - 1)) }, { start, end })
    }
    return expected(where, 'LaTeX without tabs, line ends and other control characters', node)
  },
}

export const whole = (least: number): Reader<number> => ({
  schema: { type: 'integer', minimum: least },
  read(node, _, where) {
    const value = isScalar(node) ? node.value : undefined
    return Number.isSafeInteger(value) && (value as number) >= least
      ? (value as number)
      : expected(where, `a whole number from ${least}`, node)
  },
})

/** One of some words, or a call of a word: `index(k)`. */
export const oneOf = (words: readonly string[], call: { readonly name: string; readonly argument: string }): Reader<Text> => ({
  schema: { anyOf: [{ enum: words }, { type: 'string', pattern: `^${call.name}\\(.+\\)$` }] },
  read(node, context, where) {
    const found = text.read(node, context, where)
    const word = found.text
    if (words.includes(word) || (word.startsWith(`${call.name}(`) && word.endsWith(')') && word.length > call.name.length + 2)) return found
    const example = `${call.name}(${call.argument})`
    const near = word === call.name ? example : nearest(word, [...words, example])
    const parts = { where: `${where}:`, expected: `one of ${[...words, example].join(', ')}`, found: word }
    return fail('expected', near ? { ...parts, hint: `Did you mean ${near}?` } : parts, found)
  },
})

export type Numbers = number | readonly Numbers[]

export const numbers: Reader<Numbers> = {
  schema: { type: ['number', 'array'] },
  read(node, context, where) {
    if (isList(node)) return node.items.map((item) => numbers.read(item, context, where))
    const value = isScalar(node) ? node.value : undefined
    return typeof value === 'number' ? value : expected(where, 'a number or nested lists of numbers', node)
  },
}

export const listOf = <T>(item: Reader<T>, what = 'a list'): Reader<readonly T[]> => ({
  schema: { type: 'array', items: item.schema },
  read(node, context, where) {
    if (!isList(node)) return expected(where, what, node, isScalar(node) ? 'A list has one item a line, each after "- ".' : undefined)
    if (node.flow) refuseSplit(node, context)
    const { items } = node
    // of exact length: there are many, and they are short
    const values = new Array<T>(items.length)
    const place = `an item of ${where}`
    let count = 0
    for (let i = 0; i < items.length; i++) {
      try {
        values[count] = item.read(items[i]!, context, place)
        count++
      } catch (error) {
        gather(error, context.faults)
      }
    }
    if (count < items.length) values.length = count
    return values
  },
})

/** How many more brackets a text opens than it closes. */
const opened = (written: string): number => (written.match(/[([{]/g)?.length ?? 0) - (written.match(/[)\]}]/g)?.length ?? 0)

const bracket = /[([{]/

/** `[y = f(a, b)]` was split at the comma within the parentheses. */
function refuseSplit({ items, start: open, end: close }: List, { source }: Context): void {
  if (!bracket.test(source.slice(open + 1, close - 1))) return
  const isPlain = (node: Node | null): boolean => isScalar(node) && node.style === 'plain' && node.value !== null
  const spans = items.map((node) => (isPlain(node) ? spanOf(node) : undefined))
  for (const [i, span] of spans.entries()) {
    if (!span) continue
    let open = opened(source.slice(span.start, span.end))
    if (open <= 0) continue
    let last = i
    while (open > 0 && spans[last + 1]) open += opened(source.slice(spans[++last]!.start, spans[last]!.end))
    if (last === i) continue
    const split = { start: span.start, end: spans[last]!.end }
    fail(
      'yaml-trap',
      { what: 'in brackets YAML splits at commas, also within parentheses', mended: quoted(source.slice(split.start, split.end)) },
      split,
    )
  }
}

/** A map from names to values, in order; a name that comes twice is a fault. Each entry becomes what `make` makes of it. */
export const mapOf = <T, U>(value: Reader<T>, make: (name: Text, value: T) => U, what = 'a map of names'): Reader<readonly U[]> => ({
  schema: { type: 'object', additionalProperties: value.schema },
  read(node, context, where) {
    if (!isMap(node)) return expected(where, what, node, isGlued(node) ? 'A key ends with a colon and a space.' : undefined)
    const made: U[] = []
    const entries = entriesOf(node, context, where)
    for (let i = 0; i < entries.length; i++) {
      const { key, node: inner } = entries[i]!
      try {
        made.push(make(key, value.read(inner, context, key.text)))
      } catch (error) {
        gather(error, context.faults)
      }
    }
    return made
  },
})

const isGlued = (node: Node | null): boolean => isScalar(node) && /^[^\s:]+:\S/.test(String(node.value))

interface RawEntry {
  readonly key: Text
  readonly node: Node | null
}

/** The entries of a map; faulty keys are gathered. */
export function entriesOf(map: Dictionary, context: Context, where: string): RawEntry[] {
  const seen = new Map<string, Span>()
  const entries: RawEntry[] = []
  for (const pair of map.items) {
    const key = keyOf(pair.key, context)
    if (!key) {
      const { start, end } = spanOf(pair.key)
      const found = isScalar(pair.key) ? context.source.slice(start, end) || 'empty' : kindOf(pair.key)
      const parts = { where: `a key of ${where}`, expected: 'a name', found, hint: 'Quote it if it is meant as a name.' }
      context.faults.push(diagnostic('expected', parts, { start, end }))
      continue
    }
    const first = seen.get(key.text)
    if (first) {
      const parts = { name: key.text, first: `defined in line ${context.lineOf(first.start)}` }
      context.faults.push(diagnostic('duplicate-name', parts, key))
      continue
    }
    if (map.flow && pair.value === null) fail('yaml-flow', { part: key.text }, key)
    seen.set(key.text, key)
    entries.push({ key, node: pair.value })
  }
  return entries
}

/** The text of a key, unless it is a word that YAML has another use for: `null` and `true` are values, `y` and `no` are names. */
function keyOf(node: Node | null, context: Context): Text | undefined {
  if (!isScalar(node) || (node.style === 'plain' && truth.test(node.text))) return undefined
  return textOf(node, context)
}

const truth = /^(true|false)$/i

export interface Field<T> {
  readonly reader: Reader<T>
  readonly initial: T | undefined
  readonly required: boolean
  readonly hint?: string | undefined
}

export const required = <T>(reader: Reader<T>, hint?: string): Field<T> => ({ reader, initial: undefined, required: true, hint })
export const optional = <T>(reader: Reader<T>, initial: T): Field<T> => ({ reader, initial, required: false })
export const maybe = <T>(reader: Reader<T>): Field<T | undefined> => ({ reader, initial: undefined, required: false })

type Fields = Readonly<Record<string, Field<unknown>>>
type ValuesOf<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never }

/** A map with known keys; others are faults. */
export const record = <F extends Fields>(fields: F, name: string): Reader<ValuesOf<F>> => ({
  schema: {
    type: 'object',
    properties: Object.fromEntries(Object.entries(fields).map(([k, f]) => [k, f.reader.schema])),
    required: Object.keys(fields).filter((k) => fields[k]!.required),
    additionalProperties: false,
  },
  read(node, context) {
    if (!isMap(node)) return expected(name, 'a map', node, isGlued(node) ? 'A key ends with a colon and a space.' : undefined)
    const values: Record<string, unknown> = Object.fromEntries(Object.entries(fields).map(([key, { initial }]) => [key, initial]))
    const entries = entriesOf(node, context, name)
    for (const { key, node: inner } of entries) {
      if (!Object.hasOwn(fields, key.text)) {
        context.faults.push(unknownKey(key, name, Object.keys(fields)))
        continue
      }
      const { reader, required } = fields[key.text]!
      const read = (): unknown => {
        if (required || !isEmpty(inner)) return reader.read(inner, context, key.text)
        return isScalar(inner) ? refuseCutLine(inner, context) : undefined
      }
      values[key.text] = collecting(context.faults, read) ?? values[key.text]
    }
    const { start } = spanOf(node)
    for (const [key, { required, hint }] of Object.entries(fields)) {
      if (!required || entries.some((entry) => entry.key.text === key)) continue
      context.faults.push(diagnostic('missing-key', { key, where: name, ...(hint ? { hint } : {}) }, { start, end: start }))
    }
    // what is wrong with it is among the faults
    if (Object.entries(fields).some(([key, { required }]) => required && values[key] === undefined)) throw new Failure([])
    return values as ValuesOf<F>
  },
})

const unknownKey = (key: Text, where: string, known: readonly string[]): Diagnostic => {
  const near = nearest(key.text, known)
  return diagnostic('unknown-key', { key: key.text, where, known: known.join(', '), ...(near ? { near } : {}) }, key)
}
