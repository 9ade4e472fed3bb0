/** Readers turn nodes of a document into typed values that keep their place; each one also says its JSON Schema. */
import { collecting, type Diagnostic, diagnostic, fail, nearest, type Span } from '../diagnostic.ts'
import { isMap, isScalar, isSeq, type Node, type Pair, type Scalar, spanOf, type YAMLMap } from './yaml.ts'

/** A text and where it stands; its k-th character is at `span.start + k` if it is `exact`, else only the whole is known. */
export interface Text {
  readonly text: string
  readonly span: Span
  readonly exact: boolean
}

/** What readers share: the source, and the faults so far. */
export interface Context {
  readonly source: string
  readonly faults: Diagnostic[]
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

const kindOf = (node: Node | null): string =>
  node === null || (isScalar(node) && node.value === null)
    ? 'empty'
    : isMap(node)
      ? 'a map'
      : isSeq(node)
        ? 'a list'
        : `${JSON.stringify((node as Scalar).value)}`

export function expected(where: string, what: string, node: Node | null, hint?: string): never {
  fail('expected', { where, expected: what, found: kindOf(node), ...(hint ? { hint } : {}) }, spanOf(node))
}

/** The text of a scalar, as it is written: `1e-5` and `no` stay what they are. */
export function textOf(node: Node | null, { source }: Context): Text | undefined {
  if (!isScalar(node) || node.value === null || !node.range) return undefined
  const [start, end] = node.range
  const written = source.slice(start, end)
  if (node.type === 'PLAIN') return { text: node.source ?? String(node.value), span: { start, end }, exact: !written.includes('\n') }
  const value = String(node.value)
  const inner = written.slice(1, -1)
  const exact = (node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE') && inner === value
  return { text: value, span: exact ? { start: start + 1, end: end - 1 } : { start, end }, exact }
}

/** A comment that YAML cut off a line, although it is glued to what follows: `z = y #2`. */
function refuseCutLine(text: Text, { source }: Context): void {
  if (source[text.span.end] === '\n') return
  const lineEnd = source.indexOf('\n', text.span.end)
  const rest = source.slice(text.span.end, lineEnd < 0 ? undefined : lineEnd)
  const cut = /^\s+#(?=[^\s#!])/.exec(rest)
  if (!cut) return
  const whole = text.text + rest.trimEnd()
  fail(
    'yaml-trap',
    { what: 'YAML reads what follows " #" as a comment, so the line is cut short', mended: `'${whole.replaceAll("'", "''")}'` },
    { start: text.span.end, end: text.span.end + rest.trimEnd().length },
  )
}

export const text: Reader<Text> = {
  schema: { type: ['string', 'number', 'boolean'] },
  read(node, context, where) {
    const found = textOf(node, context)
    if (!found) {
      const pair = isMap(node) ? (node.items[0] as Pair<Scalar, Node> | undefined) : undefined
      if (node && pair && !isFlow(node)) trap(pair, context, where)
      expected(where, 'a text', node)
    }
    refuseCutLine(found, context)
    return found
  },
}

const isFlow = (node: Node): boolean => (node as { flow?: boolean }).flow === true

/** `x[0: n]` or `dL/dx: …` was read as a map: the colon needs quotes. */
function trap(pair: Pair<Scalar, Node>, { source }: Context, where: string): never {
  const { start } = spanOf(pair.key)
  const line = source.slice(start, source.indexOf('\n', start) < 0 ? undefined : source.indexOf('\n', start)).trimEnd()
  fail(
    'yaml-trap',
    { what: `${where} contains ": ", so YAML reads it as a map`, mended: `'${line.replaceAll("'", "''")}'` },
    { start, end: start + line.length },
  )
}

/** LaTeX: a control character means that double quotes ate a backslash. */
export const latex: Reader<Text> = {
  schema: { type: 'string' },
  read(node, context, where) {
    const found = text.read(node, context, where)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (/[\x00-\x1f\x7f]/.test(found.text)) {
      const written = context.source.slice(found.span.start, found.span.end)
      fail(
        'yaml-trap',
        { what: 'double quotes turn a backslash and a letter into a control character', mended: `'${written.slice(1, -1)}'` },
        found.span,
      )
    }
    return found
  },
}

export const whole = (least: number): Reader<number> => ({
  schema: { type: 'integer', minimum: least },
  read(node, _, where) {
    const value = isScalar(node) ? node.value : undefined
    return typeof value === 'number' && Number.isInteger(value) && value >= least
      ? value
      : expected(where, `a whole number from ${least}`, node)
  },
})

export const listOf = <T>(item: Reader<T>, what = 'a list'): Reader<readonly T[]> => ({
  schema: { type: 'array', items: item.schema },
  read(node, context, where) {
    if (!isSeq(node)) return expected(where, what, node, isScalar(node) ? 'A list has one item a line, each after "- ".' : undefined)
    return node.items.flatMap(
      (each) => collecting(context.faults, () => [item.read(each as Node | null, context, `an item of ${where}`)]) ?? [],
    )
  },
})

export interface Entry<T> {
  readonly key: Text
  readonly value: T
}

/** A map from names to values, in order; a name that comes twice is a fault. */
export const mapOf = <T>(value: Reader<T>, what = 'a map of names'): Reader<readonly Entry<T>[]> => ({
  schema: { type: 'object', additionalProperties: value.schema },
  read(node, context, where) {
    if (!isMap(node)) return expected(where, what, node)
    return entriesOf(node, context, where).flatMap(({ key, node: inner }) => {
      const read = collecting(context.faults, () => value.read(inner, context, key.text))
      return read === undefined ? [] : [{ key, value: read }]
    })
  },
})

interface RawEntry {
  readonly key: Text
  readonly node: Node | null
}

/** The entries of a map; faulty keys are gathered. */
export function entriesOf(map: YAMLMap, context: Context, where: string): RawEntry[] {
  const seen = new Map<string, Span>()
  return (map.items as Pair<Node, Node>[]).flatMap((pair): RawEntry[] => {
    const key = textOf(pair.key, context)
    if (!key || (isScalar(pair.key) && (pair.key.value === null || typeof pair.key.value === 'boolean'))) {
      context.faults.push(
        diagnostic(
          'expected',
          { where: `a key of ${where}`, expected: 'a name', found: kindOf(pair.key), hint: 'Quote it if it is meant as a name.' },
          spanOf(pair.key),
        ),
      )
      return []
    }
    if (seen.has(key.text)) {
      const line = context.source.slice(0, seen.get(key.text)!.start).split('\n').length
      context.faults.push(diagnostic('duplicate-name', { name: key.text, first: `defined in line ${line}` }, key.span))
      return []
    }
    if (isFlow(map) && pair.value === null) {
      fail('yaml-flow', { part: key.text }, key.span)
    }
    seen.set(key.text, key.span)
    return [{ key, node: pair.value }]
  })
}

export interface Field<T> {
  readonly reader: Reader<T>
  readonly initial: T | undefined
  readonly required: boolean
  readonly hint?: string
}

export const required = <T>(reader: Reader<T>, hint?: string): Field<T> => ({
  reader,
  initial: undefined,
  required: true,
  ...(hint ? { hint } : {}),
})
export const optional = <T>(reader: Reader<T>, initial: T): Field<T> => ({ reader, initial, required: false })

type Fields = Readonly<Record<string, Field<unknown>>>
type Record_<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never }

/** A map with known keys; others are faults. */
export const record = <F extends Fields>(fields: F, name: string): Reader<Record_<F>> => ({
  schema: {
    type: 'object',
    properties: Object.fromEntries(Object.entries(fields).map(([k, f]) => [k, f.reader.schema])),
    required: Object.keys(fields).filter((k) => fields[k]!.required),
    additionalProperties: false,
  },
  read(node, context) {
    if (!isMap(node)) return expected(name, 'a map', node)
    const values: Record<string, unknown> = {}
    const given = new Set<string>()
    for (const { key, node: inner } of entriesOf(node, context, name)) {
      const field = fields[key.text]
      if (!field) {
        const known = Object.keys(fields)
        const near = nearest(key.text, known)
        context.faults.push(
          diagnostic('unknown-key', { key: key.text, where: name, known: known.join(', '), ...(near ? { near } : {}) }, key.span),
        )
        continue
      }
      given.add(key.text)
      const isEmpty = inner === null || (isScalar(inner) && inner.value === null)
      if (isEmpty && !field.required) continue
      values[key.text] = collecting(context.faults, () => field.reader.read(inner, context, key.text))
    }
    for (const [key, field] of Object.entries(fields)) {
      if (values[key] === undefined) values[key] = field.initial
      if (field.required && !given.has(key)) {
        context.faults.push(
          diagnostic(
            'missing-key',
            { key, where: name, ...(field.hint ? { hint: field.hint } : {}) },
            { start: spanOf(node).start, end: spanOf(node).start },
          ),
        )
      }
    }
    return values as Record_<F>
  },
})
