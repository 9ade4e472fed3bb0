/** A network while it is being built: the only place where it is not yet immutable. */
import { type Diagnostic, fail, type Span } from '../diagnostic.ts'
import type { Dim } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Layout, symbol } from '../layout/layout.ts'
import { nameLayout } from '../layout/names.ts'
import { toText } from '../layout/text.ts'
import { operations } from '../ops/index.ts'
import type { DeclaredFunction } from '../ops/opaque.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Value } from './network.ts'
import type { Differentiate } from './pointwise.ts'

/** What is being built: the only place where a network is not yet immutable. */
export interface Draft {
  readonly text: string
  readonly faults: Diagnostic[]
  readonly dims: Map<string, Dim>
  readonly values: Map<string, Value>
  readonly exprs: Map<string, Expr>
  readonly functions: Map<string, DeclaredFunction>
  readonly broken: Set<string>
  readonly fixed: Map<Expr, Tensor>
  readonly notation: ReadonlyMap<string, string>
  readonly differentiate: Differentiate
}
export function layoutOf(name: string, draft: Draft): Layout {
  const plain = nameLayout(name)
  const latex = draft.notation.get(name)
  return latex === undefined ? plain : symbol(toText(plain), latex)
}

/** A name that may be defined: not taken, and not one that the syntax needs. */
export function requireFree(name: string, span: Span, draft: Draft): void {
  const taken = draft.values.get(name)
  if (taken) {
    const line = draft.text.slice(0, taken.span.start).split('\n').length
    fail('duplicate-name', { name, first: `${article(taken.role)} (line ${line})` }, span)
  }
  if (draft.dims.has(name)) fail('duplicate-name', { name, first: 'the size of an axis' }, span)
  if (name === 'True' || name === 'False' || name === 'None') fail('bad-name', { name, why: 'it is a constant of the language' }, span)
  if (name === 'T' || name === 'mT' || /\.m?T$/.test(name)) fail('bad-name', { name, why: 'it would hide the transpose .T' }, span)
  if (operations.has(name)) fail('bad-name', { name, why: 'it is an operation' }, span)
}

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

export function define(value: Value, draft: Draft): void {
  draft.values.set(value.name, value)
  draft.exprs.set(value.name, value.expr)
}
