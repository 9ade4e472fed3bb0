/** The tree of a document: texts, lists and maps that know their place, however they were read. */
import type { Span } from '../diagnostic.ts'

export type Node = Scalar | List | Dictionary

export interface Scalar {
  readonly kind: 'scalar'
  readonly span: Span
  /** As its reader is meant to see it: without quotes and escapes. */
  readonly text: string
  /** What YAML takes it for: a text, a number, true, false or nothing. */
  readonly value: string | number | boolean | null
  readonly style: 'plain' | 'single' | 'double' | 'block'
}

export interface List {
  readonly kind: 'list'
  readonly span: Span
  readonly items: readonly (Node | null)[]
  /** It stands in brackets. */
  readonly flow: boolean
}

export interface Dictionary {
  readonly kind: 'map'
  readonly span: Span
  readonly items: readonly Pair[]
  /** It stands in braces. */
  readonly flow: boolean
}

export interface Pair {
  readonly key: Node | null
  /** Null where not even a colon stands. */
  readonly value: Node | null
}

export const isScalar = (node: Node | null): node is Scalar => node?.kind === 'scalar'
export const isList = (node: Node | null): node is List => node?.kind === 'list'
export const isMap = (node: Node | null): node is Dictionary => node?.kind === 'map'

const nowhere: Span = { start: 0, end: 0 }

export const spanOf = (node: Node | null | undefined): Span => node?.span ?? nowhere
