/** What names mean in one body of equations: the spec's own, or that of one call of a module. */
import type { Span } from '../diagnostic.ts'
import type { Dim } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import type { Layout } from '../layout/layout.ts'
import { named } from '../ops/leaves.ts'
import type { DeclaredFunction } from '../ops/opaque.ts'
import type { Ast, Step } from './ast.ts'
import { type Draft, layoutOf, type Module, requireFree, requireProper, requireUntaken } from './draft.ts'
import { indexOf, indexText, memberName, withIndex } from './families.ts'
import type { Scope, Value } from './network.ts'

/** A module with parameters of its own, which all its calls share. They are made at the first call, when all sizes are known. */
export interface Instance {
  readonly name: string
  readonly module: Module
  readonly owner: Frame
  body?: { readonly frame: Frame; readonly sizes: ReadonlyMap<string, Dim> }
  calls: number
  /** Where it is called, in a network where the index tells the calls of a loop apart: by the call, and by the names before it. */
  readonly places: Map<Ast, Map<string, CallPlace>>
}

export interface CallPlace {
  readonly number: number
  /** The indices of the loops around it that it has been called with. */
  readonly suffixes: Set<string>
}

/** The values that a call returns; `names` are what the caller calls them. */
export type CallInstance = (instance: Instance, args: readonly Expr[], names: readonly Naming[], ast: Ast, caller: Frame) => readonly Expr[]

export interface Frame {
  readonly draft: Draft
  /** Stands before the names of this body, wherever they are seen from outside: 'enc.', 'blocks[2].call[2].' */
  readonly prefix: string
  /** The values of the indices of the loops around the present equation, as a name shows them: '[2][0]'. */
  readonly suffix: string
  /** Those of the loops around the call that this body is read for, where they tell the calls apart. */
  readonly outer: string
  /** The modules whose bodies are being read, the outermost first. */
  readonly modules: readonly Module[]
  readonly values: Map<string, Expr>
  /** Sizes by name, without the indices of loops. */
  readonly dims: Map<string, Dim>
  readonly families: Map<string, Set<string>>
  readonly instances: Map<string, Instance>
  readonly broken: Set<string>
  /** Names that the caller gives to what this body returns. */
  readonly given: ReadonlyMap<string, Naming>
  /** How many times the equations of this body call each opaque function. */
  readonly calls: Calls
  readonly scope: Scope
  readonly call: CallInstance
  /** Keeps a loop whose length is a symbol as it is; without it every loop is unrolled. */
  readonly keep?: ((step: Step & { kind: 'for' }, frame: Frame) => void) | undefined
}

/** How opaque functions are called in one body. */
export type Calls = ReadonlyMap<string, { readonly count: number; readonly span: Span; readonly isEquation: boolean }>

type Start = Pick<Frame, 'draft' | 'prefix' | 'modules' | 'given' | 'calls' | 'call' | 'dims'> &
  Partial<Pick<Frame, 'values' | 'families' | 'keep' | 'outer'>> &
  Pick<Scope, 'reach' | 'sumOver'>

/** A frame without names of its own yet. */
export function newFrame(start: Start): Frame {
  const { draft, dims, reach, sumOver } = start
  const parts = {
    values: start.values ?? new Map<string, Expr>(),
    families: start.families ?? new Map<string, Set<string>>(),
    instances: new Map<string, Instance>(),
    broken: new Set<string>(),
  }
  const scope: Scope = {
    values: parts.values,
    families: parts.families,
    functions: draft.functions,
    dims,
    text: draft.text,
    trial: draft.trial,
    broken: parts.broken,
    isInstance: (name) => parts.instances.has(name),
    reach,
    sumOver,
  }
  return withCalls({ ...start, ...parts, suffix: '', outer: start.outer ?? '', scope })
}

/** The frame inside a loop, where an index has a value. */
export const atIndex = (frame: Frame, index: string, at: Dim): Frame =>
  withCalls({ ...frame, suffix: `${frame.suffix}[${indexText(at)}]`, scope: withIndex(frame.scope, index, at) })

/** The frame with the calls that its expressions can make, which know the loops around them. */
function withCalls(frame: Frame): Frame {
  const { instances, call } = frame
  const inner: Frame = {
    ...frame,
    scope: {
      ...frame.scope,
      nameCall: (f, args) => nameCall(f, args, inner),
      apply: (name, args, ast) => call(instances.get(name)!, args, [], ast, inner),
    },
  }
  return inner
}

/** F(x) inside an equation becomes a node F, if it is the one call of F and nothing else bears the name. */
function nameCall(f: DeclaredFunction, args: readonly Expr[], frame: Frame): Expr | undefined {
  const { draft, calls, prefix, suffix } = frame
  const call = calls.get(f.name)
  const local = f.name + suffix
  if (!f.calledAs || !call || call.count > 1 || draft.dims.has(f.name)) return undefined
  const naming = namingOf(local, call.span, frame)
  const called = prefix + suffix === '' ? f : f.calledAs(naming.layout)
  if (call.isEquation || draft.values.has(naming.name)) return called.apply(args)
  const expr = named(naming.name, naming.layout, called.apply(args))
  define(local, namedValue(naming, 'node', expr, true), frame)
  return expr
}

/** The name of a member that a target or reference stands for. */
export function memberOf(target: Ast, scope: Scope): string {
  if (target.kind !== 'index') return target.kind === 'name' ? target.name : ''
  return target.marks.reduce(
    (name, mark) => (mark.kind === 'at' ? memberName(name, indexOf(mark.value, scope)) : name),
    memberOf(target.of, scope),
  )
}

/** What a local name is called outside of this body: m.h[1], or m.h[l][1] where m is called in a loop over l. */
export function fullName(local: string, { prefix, outer }: Pick<Frame, 'prefix' | 'outer'>): string {
  if (outer === '') return prefix + local
  const at = local.indexOf('[')
  return at < 0 ? prefix + local + outer : prefix + local.slice(0, at) + outer + local.slice(at)
}

/** The name under which a value is known in the whole network. */
export interface Naming {
  readonly name: string
  readonly layout: Layout
  readonly span: Span
}

/** The name of a local value in the whole network; what the caller names already keeps that name. */
export function namingOf(local: string, span: Span, frame: Frame): Naming {
  const given = frame.given.get(local)
  if (given) return given
  const name = fullName(local, frame)
  return { name, layout: layoutOf(name, frame.draft), span }
}

/** The name of a value that is to be defined here, which may bear it. */
export function newNaming(local: string, span: Span, frame: Frame): Naming {
  const { draft, prefix } = frame
  const printed = draft.printed.size
  const naming = namingOf(local, span, frame)
  const { name } = naming
  // what was never printed before is not taken
  if (draft.printed.size === printed) requireUntaken(name, naming.span, draft)
  requireProper(name, naming.span, draft)
  if (prefix !== '') requireFree(fullName(local, frame), naming.span, draft)
  return naming
}

/** A value under its name. Its fields are written out: a copy with more fields is slow to make, and slow to read ever after. */
export const namedValue = ({ name, layout, span }: Naming, role: Value['role'], expr: Expr, isCall = false): Value => ({
  id: expr.id,
  name,
  role,
  expr,
  layout,
  span,
  isCall,
})

/** Gives a value its place in the network and its meaning in the frame. */
export function define(local: string, value: Value, frame: Frame): void {
  const { draft, values, families, prefix } = frame
  const { name, expr } = value
  draft.values.set(name, value)
  draft.exprs.set(name, expr)
  const full = fullName(local, frame)
  if (name !== full) draft.exprs.set(full, expr)
  if (values !== draft.exprs || name !== local) values.set(local, expr)
  enrol(local, families)
  if (prefix !== '') enrol(full, draft.families)
  if (name !== full) enrol(name, draft.families)
}

/** Adds z[3] to the family z, and h[1][2] to h[1], which it adds to h. */
export function enrol(member: string, families: Map<string, Set<string>>): void {
  if (!member.endsWith(']')) return
  const family = member.slice(0, member.lastIndexOf('['))
  const members = families.get(family)
  if (members) members.add(member)
  else {
    families.set(family, new Set([member]))
    enrol(family, families)
  }
}
