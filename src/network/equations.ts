/** The equations of a network: each defines a node from what stands before it. */

import { fail, type Span } from '../diagnostic.ts'
import type { Expr } from '../expr/expr.ts'
import { named } from '../ops/leaves.ts'
import type { DeclaredFunction } from '../ops/opaque.ts'
import type { Ast } from './ast.ts'
import type { Document } from './document.ts'
import { type Draft, define, layoutOf, requireFree } from './draft.ts'
import { expressionOf } from './expression.ts'
import { namesIn } from './names.ts'
import type { Scope } from './network.ts'
import { parseEquation } from './syntax.ts'

/** A named equation that was parsed but not yet read. */
export interface Equation {
  readonly name: string
  readonly span: Span
  readonly value: Ast
}

export function equationOf(layer: Document['layers'][number]): Equation[] {
  if (layer.kind === 'for') fail('later-version', { what: 'a loop' }, layer.header.span)
  const { targets, value } = parseEquation(layer.text)
  return targets.map((target) => {
    if (target.kind !== 'name') fail('syntax', { expected: 'a name before the =', found: 'an expression' }, target.span)
    if (targets.length > 1) fail('later-version', { what: 'an equation with several targets' }, target.span)
    return { name: target.name, span: target.span, value }
  })
}

export function defineNode({ name, span, value }: Equation, all: readonly Equation[], at: number, draft: Draft, scope: Scope): void {
  let expr: Expr | undefined
  try {
    requireFree(name, span, draft)
    requireEarlier(name, value, all, at, draft)
    expr = expressionOf(value, scope)
  } finally {
    if (!expr) draft.broken.add(name)
  }
  const layout = layoutOf(name, draft)
  define({ name, role: 'node', expr: named(name, layout, expr), layout, span }, draft)
}

/** F(x) inside an equation becomes a node F, if it is the one call of F and nothing else bears the name. */
export function nameCall(f: DeclaredFunction, args: readonly Expr[], calls: Calls, draft: Draft): Expr | undefined {
  const call = calls.get(f.name)
  if (!f.namesItsCall || !call || call.isEquation || draft.values.has(f.name) || draft.dims.has(f.name)) return undefined
  const layout = layoutOf(f.name, draft)
  const expr = named(f.name, layout, f.apply(args))
  define({ name: f.name, role: 'node', expr, layout, span: call.span, isCall: true }, draft)
  return expr
}

/** An equation that uses what is only defined further down is in the wrong place, or in a cycle. */
function requireEarlier(name: string, value: Ast, all: readonly Equation[], at: number, draft: Draft): void {
  const unknown = namesIn(value).find((n) => !draft.exprs.has(n.name) && !draft.broken.has(n.name))
  if (!unknown) return
  const later = new Map(all.slice(at).map((e) => [e.name, e]))
  const path = later.has(unknown.name) ? pathBetween(unknown.name, name, later) : undefined
  if (path) fail('cycle', { names: [name, ...path.slice(0, -1)] }, unknown.span)
  const definition = later.get(unknown.name)
  if (!definition) return
  fail('used-before', { name: unknown.name, line: draft.text.slice(0, definition.span.start).split('\n').length }, unknown.span)
}

/** A way from one name to another along "uses", breadth first. */
function pathBetween(from: string, to: string, equations: ReadonlyMap<string, Equation>): string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]])
  for (const name of cameFrom.keys()) {
    if (name === to) {
      const path: string[] = []
      for (let at: string | undefined = to; at !== undefined; at = cameFrom.get(at)) path.unshift(at)
      return path
    }
    const equation = equations.get(name)
    for (const next of equation ? namesIn(equation.value) : []) {
      if (!cameFrom.has(next.name)) cameFrom.set(next.name, name)
    }
  }
  return undefined
}

/** How the functions of a spec are called. */
export type Calls = ReadonlyMap<string, { readonly count: number; readonly span: Span; readonly isEquation: boolean }>

/** One that is called once gives its name to its call, unless the call is a whole equation and so has a name already. */
export function callsIn(asts: readonly Ast[]): Calls {
  const calls = new Map<string, { count: number; span: Span; isEquation: boolean }>()
  for (const ast of asts) {
    for (const { name, span } of namesIn(ast, 'calls')) {
      calls.set(name, { count: (calls.get(name)?.count ?? 0) + 1, span, isEquation: ast.kind === 'call' && ast.callee === name })
    }
  }
  return calls
}
