/** Reads dumps, JSON maps from names to nested lists of numbers: straight into tensors, with the place of every fault. */
import { type Diagnostic, diagnostic, fail, nearest, type Source, type Span } from '../diagnostic.ts'
import { type Tensor, tensor } from '../tensor/tensor.ts'

/** An array of a dump. */
export interface Given {
  readonly name: string
  readonly tensor: Tensor
  /** Where its name stands. */
  readonly span: Span
}

/** The arrays of a dump by name. */
export interface Dump {
  readonly values: ReadonlyMap<string, Given>
  /** Undefined in a flat map of values. */
  readonly gradients: ReadonlyMap<string, Given> | undefined
  readonly loss: Given | undefined
  /** What is wrong with it, and the names of arrays that can't be used: no more is said of them. */
  readonly faults: readonly Diagnostic[]
  readonly broken: ReadonlySet<string>
}

type Entry = Given | Text | { readonly name: string; readonly span: Span; readonly entries: readonly Entry[] }
interface Text {
  readonly name: string
  readonly span: Span
  /** Undefined for lists that make no array, of which a fault tells. */
  readonly text: string | undefined
}

/** The arrays of `{values: {…}, gradients: {…}}`, or of a flat map of values. Throws a Failure for what is not JSON. */
export function readDump({ text }: Source): Dump {
  const faults: Diagnostic[] = []
  const reader = { text, at: 0, faults }
  const root = mapAt(reader)
  if (here(reader) !== '') unexpected(reader, 'the end of the file')
  const broken = new Set<string>()
  const isNested = root.some(({ name, ...entry }) => (name === 'values' || name === 'gradients') && 'entries' in entry)
  if (!isNested) return { values: arraysOf(root, faults, broken), gradients: undefined, loss: undefined, faults, broken }
  for (const { name, span } of root) {
    if (keys.includes(name)) continue
    const near = nearest(name, keys)
    faults.push(diagnostic('unknown-key', { key: name, where: 'the dump', ...(near ? { near } : {}), known: keys.join(', ') }, span))
  }
  const map = (key: string): ReadonlyMap<string, Given> | undefined => {
    const entry = root.find(({ name }) => name === key)
    if (!entry || 'entries' in entry) return entry && arraysOf(entry.entries, faults, broken)
    faults.push(diagnostic('expected', { where: key, expected: 'a map from names to arrays', found: kindOf(entry) }, entry.span))
    return undefined
  }
  const loss = root.find((entry): entry is Given => entry.name === 'loss' && 'tensor' in entry)
  return { values: map('values') ?? new Map(), gradients: map('gradients'), loss, faults, broken }
}

const keys = ['schema', 'loss', 'values', 'gradients']

function arraysOf(entries: readonly Entry[], faults: Diagnostic[], broken: Set<string>): ReadonlyMap<string, Given> {
  const arrays = new Map<string, Given>()
  for (const entry of entries) {
    const { name, span } = entry
    if ('tensor' in entry) arrays.set(name, entry)
    else broken.add(name)
    const found = kindOf(entry)
    if (!('tensor' in entry) && found)
      faults.push(diagnostic('expected', { where: name, expected: 'a number or nested lists of numbers', found }, span))
  }
  return arrays
}

const kindOf = (entry: Entry): string => ('entries' in entry ? 'a map' : 'text' in entry ? (entry.text ?? '') : 'numbers')

interface Reader {
  readonly text: string
  at: number
  readonly faults: Diagnostic[]
}

/** The character that comes next, blanks skipped; nothing at the end. */
function here(reader: Reader): string {
  const { text } = reader
  while (reader.at < text.length && text.charCodeAt(reader.at) <= 32) reader.at++
  return text[reader.at] ?? ''
}

/** The text that a pattern matches next, or undefined. */
function taken(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at
  const [found] = pattern.exec(reader.text) ?? []
  if (found !== undefined) reader.at += found.length
  return found
}

const quoted = /"(?:[^"\\\n]|\\.)*"/y
const nothing = /null\b/y
const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y

function unexpected(reader: Reader, expected: string): never {
  const start = reader.at
  const found = taken(reader, quoted) ?? taken(reader, /-?[\p{L}_][\p{L}\p{N}_]*/uy) ?? taken(reader, number) ?? here(reader)
  return fail('json-syntax', { expected, found: found || 'the end of the file' }, { start, end: Math.max(start + 1, reader.at) })
}

function expect(reader: Reader, character: string, expected: string): void {
  if (here(reader) !== character) unexpected(reader, expected)
  reader.at++
}

/** Maps of arrays in maps: dumps are two deep. */
function mapAt(reader: Reader, depth = 0): Entry[] {
  if (depth > 2) fail('json-syntax', { expected: 'arrays', found: 'another map' }, { start: reader.at, end: reader.at + 1 })
  expect(reader, '{', 'a map, {"name": numbers, …}')
  const entries = new Map<string, Entry>()
  if (here(reader) === '}') reader.at++
  else
    do {
      here(reader)
      const start = reader.at
      const key = taken(reader, quoted) ?? unexpected(reader, 'a name in double quotes')
      const [name, span] = [unescaped(key, start), { start, end: reader.at }]
      expect(reader, ':', ': after the name')
      if (entries.has(name)) reader.faults.push(diagnostic('duplicate-name', { name, first: 'an array of this map' }, span))
      entries.set(name, entryAt(reader, name, span, depth))
    } while (goesOn(reader, '}'))
  return [...entries.values()]
}

function unescaped(key: string, start: number): string {
  try {
    return JSON.parse(key) as string
  } catch {
    return fail('json-syntax', { expected: 'a name', found: key }, { start, end: start + key.length })
  }
}

/** Whether another item follows; else the closing bracket is taken. */
function goesOn(reader: Reader, closing: string): boolean {
  const next = here(reader)
  if (next !== ',' && next !== closing) unexpected(reader, `, or ${closing}`)
  reader.at++
  return next === ','
}

function entryAt(reader: Reader, name: string, span: Span, depth: number): Entry {
  const first = here(reader)
  if (first === '{') return { name, span, entries: mapAt(reader, depth + 1) }
  if (first === '"') return { name, span, text: taken(reader, quoted) ?? unexpected(reader, 'a closing quote') }
  if (taken(reader, nothing)) return { name, span, text: 'null' }
  const read = tensorAt(reader, name)
  return read ? { name, span, tensor: read } : { name, span, text: undefined }
}

/** Nested lists as one tensor. A list that does not fit the others, and what is not a number, is told once for each tensor. */
function tensorAt(reader: Reader, name: string): Tensor | undefined {
  const data: number[] = []
  const shape: number[] = []
  /** How many entries each open list has so far. */
  const open: number[] = []
  let rank = -1
  let ragged: Diagnostic | undefined
  let strange: { readonly index: string; readonly found: string; readonly span: Span; count: number } | undefined
  const index = (): string => `${name}${open.length > 0 ? `[${open.join(', ')}]` : ''}`
  const told = (depth: number, detail: string, start: number): void => {
    if (rank < 0) rank = depth
    if (rank !== depth) ragged ??= diagnostic('ragged', { name, detail }, { start, end: start + 1 })
  }
  do {
    const start = reader.at
    if (here(reader) === '[') {
      reader.at++
      open.push(0)
      if (open.length > deepest)
        fail('json-syntax', { expected: 'numbers', found: `more than ${deepest} lists in each other` }, { start, end: reader.at })
      if (here(reader) !== ']') continue
      told(open.length, `${index()} is an empty list`, start)
    } else {
      const at = reader.at
      const found =
        taken(reader, number) ??
        taken(reader, /-?[\p{L}_][\p{L}\p{N}_]*/uy) ??
        taken(reader, quoted) ??
        unexpected(reader, 'a number or a list')
      const value = Number(found)
      if (!Number.isFinite(value) || found[0] === '"') {
        strange ??= { index: index(), found, span: { start: at, end: reader.at }, count: 0 }
        strange.count++
      }
      told(open.length, `${index()} is ${plural(open.length)} deep, the entries before it ${rank}`, at)
      data.push(value)
      if (open.length > 0) open[open.length - 1]!++
    }
    while (open.length > 0 && !goesOn(reader, ']')) {
      const count = open.pop()!
      const level = open.length
      shape[level] ??= count
      const detail = `${index()} has ${count} entr${count === 1 ? 'y' : 'ies'}, the list before it ${shape[level]}`
      if (shape[level] !== count) ragged ??= diagnostic('ragged', { name, detail }, { start: reader.at - 1, end: reader.at })
      if (level > 0) open[level - 1]!++
    }
  } while (open.length > 0)
  if (strange)
    reader.faults.push(diagnostic('not-a-number', { index: strange.index, found: strange.found, more: strange.count - 1 }, strange.span))
  if (ragged) reader.faults.push(ragged)
  return ragged ? undefined : tensor(shape, Float64Array.from(data))
}

const plural = (lists: number): string => `${lists} list${lists === 1 ? '' : 's'}`

const deepest = 32
