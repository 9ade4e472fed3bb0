/** The tree of a document: texts, lists and maps that know their place, however they were read. */
import type { Span } from '../diagnostic.ts'

/** A text without quotes and escapes, and where it stands; its k-th character is at `start + k` if it is `exact`, else only the whole is known. */
export interface Text extends Span {
  readonly text: string
  readonly exact: boolean
}

export type Node = Scalar | List | Dictionary

/** Its place is that of the whole, with its quotes. */
export interface Scalar extends Text {
  readonly kind: 'scalar'
  /** What YAML takes it for: a text, a number, true, false or nothing. */
  readonly value: string | number | boolean | null
  readonly style: 'plain' | 'single' | 'double' | 'block'
}

export interface List extends Span {
  readonly kind: 'list'
  readonly items: readonly (Node | null)[]
  /** It stands in brackets. */
  readonly flow: boolean
}

export interface Dictionary extends Span {
  readonly kind: 'map'
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

export const spanOf = (node: Node | null | undefined): Span => node ?? nowhere
