/** A network while it is being built: the only place where it is not yet immutable. */
import { type Diagnostic, fail, type Span } from '../diagnostic.ts'
import type { Dim } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Layout, symbol } from '../layout/layout.ts'
import { fullNameLayout } from '../layout/names.ts'
import { operations } from '../ops/index.ts'
import type { DeclaredFunction } from '../ops/opaque.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Ast, Step } from './ast.ts'
import type { ModuleDefinition } from './document.ts'
import type { Lengths, Value } from './network.ts'
import type { Differentiate } from './pointwise.ts'

/** A body of equations that instances give parameters to. */
export interface Module {
  readonly name: string
  readonly params: readonly { readonly name: string; readonly shape: readonly Ast[] | undefined }[]
  readonly definition: ModuleDefinition
  readonly steps: readonly Step[]
  readonly returns: readonly Ast[]
}

/** One way in which a module is called. */
export interface ModuleCall {
  readonly module: Module
  readonly args: readonly Expr[]
  /** Of the symbols in the module's heading. */
  readonly sizes: ReadonlyMap<string, Dim>
}

/** What is being built: the only place where a network is not yet immutable. */
export interface Draft {
  readonly text: string
  readonly faults: Diagnostic[]
  readonly dims: Map<string, Dim>
  readonly values: Map<string, Value>
  readonly exprs: Map<string, Expr>
  readonly families: Map<string, Set<string>>
  readonly functions: Map<string, DeclaredFunction>
  readonly modules: Map<string, Module>
  readonly moduleCalls: Map<string, ModuleCall>
  readonly fixed: Map<Expr, Tensor>
  readonly notation: ReadonlyMap<string, string>
  /** The names that are printed, and what is printed so. */
  readonly printed: Map<string, string>
  readonly differentiate: Differentiate
  /** Loops have symbols for their lengths, or numbers in the place of such symbols: the index tells the calls of a loop apart, not their count. */
  readonly isSymbolic: boolean
  /** The numbers, if there are such. */
  readonly trial: Lengths | undefined
  /** There is one family of instances at most: its members are told apart by their index alone. */
  readonly isOneFamily: boolean
}

/** More values than that are a mistake, or more than memory holds. */
const mostValues = 300_000

/** A loop or the calls of modules may not go on for ever. */
export function requireRoom({ values }: Draft, span: Span): void {
  if (values.size > mostValues) fail('too-large', { what: 'the network', limit: `${mostValues} values` }, span)
}

/** How a value's full name is printed: as its author's notation says, or as its parts are; two names never alike. */
export function layoutOf(name: string, { notation, isOneFamily, printed }: Draft): Layout {
  const layout = fullNameLayout(name, notation, isOneFamily)
  const { text } = layout
  const owner = printed.get(text)
  if (owner === undefined) printed.set(text, name)
  return owner === undefined || owner === name ? layout : symbol(name, `\\mathrm{${name.replaceAll('_', '\\_')}}`)
}

/** A name that may be defined. */
export function requireFree(name: string, span: Span, draft: Draft): void {
  requireUntaken(name, span, draft)
  requireProper(name, span, draft)
}

/** A name that no value bears. */
export function requireUntaken(name: string, span: Span, draft: Draft): void {
  const taken = draft.values.get(name)
  if (taken) {
    const line = draft.text.slice(0, taken.span.start).split('\n').length
    fail('duplicate-name', { name, first: `${article(taken.role)} (line ${line})` }, span)
  }
}

/** A name that is not one of a size, an operation or the syntax. */
export function requireProper(name: string, span: Span, draft: Draft): void {
  if (draft.dims.has(name)) fail('duplicate-name', { name, first: 'the size of an axis' }, span)
  if (name === 'True' || name === 'False' || name === 'None') fail('bad-name', { name, why: 'it is a constant of the language' }, span)
  if (name.endsWith('T') && transposes.test(name)) fail('bad-name', { name, why: 'it would hide the transpose .T' }, span)
  if (operations.has(name)) fail('bad-name', { name, why: 'it is an operation' }, span)
}

const transposes = /(?:^|\.)m?T$/

const article = (role: Value['role']): string =>
  role === 'input'
    ? 'an input'
    : role === 'param'
      ? 'a parameter'
      : role === 'constant'
        ? 'a constant'
        : role === 'loss'
          ? 'the loss'
          : 'a node'
