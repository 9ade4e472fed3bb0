/** Modules: bodies of equations that instances give parameters to, and that are read anew for every call. */
import { collecting, type Diagnostic, Failure, fail, type Span } from '../diagnostic.ts'
import { type Dim, sameDim } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { shapeText } from '../expr/shape.ts'
import { named } from '../ops/leaves.ts'
import type { Ast } from './ast.ts'
import type { ModuleDefinition, Text } from './document.ts'
import { type Draft, layoutOf, type Module, requireRoom } from './draft.ts'
import { skipped } from './expression.ts'
import { referenceOf } from './families.ts'
import {
  type CallInstance,
  type CallPlace,
  define,
  enrol,
  type Frame,
  fullName,
  type Instance,
  type Naming,
  namedValue,
  newFrame,
} from './frame.ts'
import type { Scope } from './network.ts'
import { callsIn, run, stepsOf } from './program.ts'
import { dimOf } from './sizes.ts'
import { parseExpression, parseHead } from './syntax.ts'
import { declareVariables } from './variables.ts'

export function declareModules(definitions: readonly ModuleDefinition[], draft: Draft): void {
  for (const definition of definitions) {
    collecting(draft.faults, () => {
      const { name, params } = parseModuleHead(definition.head)
      if (draft.modules.has(name)) fail('duplicate-name', { name, first: 'a module' }, definition.head)
      requireDistinct([
        ...params.map((p) => ({ ...definition.head, text: p.name })),
        ...[...definition.params, ...definition.constants].map((d) => d.name),
      ])
      const steps = stepsOf(definition.layers, draft, new Set())
      const returns = definition.returns.map((text) => parseExpression(text))
      draft.modules.set(name, { name, params, definition, steps, returns })
    })
  }
}

/** What a module is given and what it has of its own bear different names. */
function requireDistinct(names: readonly Text[]): void {
  for (const [i, name] of names.entries()) {
    if (names.findIndex((n) => n.text === name.text) < i)
      fail('duplicate-name', { name: name.text, first: 'a parameter of the module' }, name)
  }
}

/** So deep may modules stand in each other: they are read on the call stack. */
const deepest = 200

/** Block(x), or Block(x[n, d]) where n and d are sizes of the module's own. */
function parseModuleHead(head: Text): Pick<Module, 'name' | 'params'> {
  const { name, args } = parseHead(head)
  const params = args.map((arg) => {
    if (arg.kind === 'name') return { name: arg.name, shape: undefined }
    const shape = arg.kind === 'index' ? arg.marks.map((m) => (m.kind === 'at' ? m.value : undefined)) : []
    if (arg.kind !== 'index' || arg.of.kind !== 'name' || !shape.every((s) => s !== undefined))
      fail('syntax', { expected: 'a module with its parameters, such as Block(x) or Block(x[n, d])', found: head.text }, arg)
    return { name: arg.of.name, shape }
  })
  return { name, params }
}

/** Reads the body of an instance's module for these arguments. */
export const applyInstance: CallInstance = (instance, args, names, ast, caller) => {
  const { module, owner } = instance
  const { draft } = owner
  const signature = `${module.name}(${module.params.map((p) => p.name).join(', ')})`
  if (args.length !== module.params.length) fail('argument-count', { signature, given: args.length }, ast)
  if (owner.modules.includes(module)) {
    fail('module-cycle', { names: [...owner.modules.slice(owner.modules.indexOf(module)), module].map((m) => m.name) }, ast)
  }
  requireRoom(draft, ast)
  if (owner.modules.length >= deepest) fail('too-large', { what: 'the nesting of modules', limit: `${deepest} levels` }, ast)
  const before = draft.faults.length
  const sizes = sizesOf(module, args, draft)
  const own = owner.prefix + instance.name
  recordCall(module, args, sizes, draft)
  const results = within(`${own}, called`, ast, draft, () => {
    instance.body ??= { frame: bodyOf(instance, own, sizes), sizes }
    requireSameSizes(instance, sizes)
    const call = draft.isSymbolic ? placeOf(ast, caller, instance) : ++instance.calls
    const prefix = call === 1 ? `${own}.` : `${own}.call[${call}].`
    enrol(prefix.slice(0, -1), draft.families)
    const frame = callFrame(instance.body.frame, prefix, module, names, draft.isSymbolic ? caller.outer + caller.suffix : '')
    args.forEach((arg, i) => {
      bind(module.params[i]!.name, arg, ast, frame)
    })
    run(module.steps, frame)
    return module.returns.map((ref) => returned(ref, frame))
  })
  if (draft.faults.length > before) throw skipped
  return results
}

/** The number of a call among the places where the instance is called: every step of a loop calls at the same ones. */
function placeOf(ast: Ast, { prefix, outer, suffix }: Frame, instance: Instance): number {
  const here = instance.places.get(ast) ?? new Map<string, CallPlace>()
  const place = here.get(prefix) ?? { number: ++instance.calls, suffixes: new Set() }
  // a sum has no index in the names of what it calls
  if (place.suffixes.has(outer + suffix)) fail('not-symbolic', { what: `a sum that calls ${instance.name} in every term` }, ast)
  place.suffixes.add(outer + suffix)
  instance.places.set(ast, here.set(prefix, place))
  return place.number
}

/** Remembers with which shapes a module is called: its claims are judged once for each. */
function recordCall(module: Module, args: readonly Expr[], sizes: ReadonlyMap<string, Dim>, { moduleCalls }: Draft): void {
  if (module.definition.claims.length === 0) return
  const key = `${module.name} ${args.map((a) => shapeText(a.shape)).join(' ')}`
  if (!moduleCalls.has(key)) moduleCalls.set(key, { module, args, sizes })
}

/** Runs the body of an instance; its faults tell how they were come to. Those that another instance has shown already are not shown again. */
function within<T>(trail: string, span: Span, draft: Draft, work: () => T): T {
  const own: Diagnostic[] = []
  const outer = draft.faults.splice(0)
  const result = collecting(draft.faults, work)
  own.push(...draft.faults.splice(0).map((d) => ({ ...d, trail: [...(d.trail ?? []), { text: trail, span }] })))
  const isNew = (d: Diagnostic): boolean => !outer.some((o) => o.code === d.code && o.span?.start === d.span?.start)
  draft.faults.push(...outer, ...own.filter(isNew))
  if (result === undefined) throw own.length > 0 ? skipped : new Failure([])
  return result
}

/** The parameters and constants of an instance, under its name. */
function bodyOf({ module, owner }: Instance, own: string, sizes: ReadonlyMap<string, Dim>): Frame {
  const { draft, call } = owner
  const dims = new Map([...draft.dims, ...sizes])
  const modules = [...owner.modules, module]
  const frame = newFrame({ draft, prefix: `${own}.`, modules, given: new Map(), calls: callsIn(module.steps), call, dims })
  declareVariables({ inputs: [], params: module.definition.params, constants: module.definition.constants }, frame)
  return frame
}

/** A frame for one call: it sees the parameters of the instance. */
function callFrame(body: Frame, prefix: string, { returns }: Module, names: readonly Naming[], outer: string): Frame {
  const given = new Map(
    names.flatMap((naming, i) => {
      const reference = referenceOf(returns[i]!, { ...body.scope, families: everything })
      return reference ? [[reference.name, naming] as const] : []
    }),
  )
  const frame = newFrame({ ...body, prefix, given, outer, values: new Map(body.values), families: copied(body.families), dims: body.dims })
  for (const [name, instance] of body.instances) frame.instances.set(name, instance)
  return frame
}

const copied = (families: ReadonlyMap<string, ReadonlySet<string>>): Map<string, Set<string>> =>
  new Map([...families].map(([name, members]) => [name, new Set(members)]))

/** Before a body is read, whatever is returned with an index may be a family. */
const everything = { has: () => true } as unknown as Scope['families']

/** The sizes of the module's own symbols, from the shapes that it is called with. */
function sizesOf({ name, params }: Module, args: readonly Expr[], draft: Draft): ReadonlyMap<string, Dim> {
  const sizes = new Map<string, Dim>()
  params.forEach(({ name: param, shape }, i) => {
    if (!shape) return
    const given = args[i]!.shape
    const misfit = (): never =>
      fail('shapes', {
        what: `${name} takes ${param} with ${shape.length === 1 ? 'one axis' : `${shape.length} axes`}`,
        detail: `it is given ${shapeText(given)}`,
      })
    if (shape.length !== given.length) misfit()
    shape.forEach((ast, axis) => {
      const own = ast.kind === 'name' ? ast.name : undefined
      const known = own === undefined ? dimOf(ast, new Map([...draft.dims, ...sizes]), () => {}) : sizes.get(own)
      if (known === undefined) sizes.set(own!, given[axis]!)
      else if (!sameDim(known, given[axis]!)) {
        fail('shapes', {
          what: `${param} of ${name} should be ${shapeText([known])} along axis ${axis}`,
          detail: `it is given ${shapeText(given)}`,
        })
      }
    })
  })
  return sizes
}

function requireSameSizes({ body, name }: Instance, sizes: ReadonlyMap<string, Dim>): void {
  for (const [symbol, size] of sizes) {
    const first = body!.sizes.get(symbol)!
    if (!sameDim(first, size))
      fail('shapes', {
        what: `${name} shares its parameters among its calls`,
        detail: `${symbol} is ${shapeText([first])} in its first call and ${shapeText([size])} here`,
      })
  }
}

/** An argument is what the caller knows it as; what has no name yet gets the parameter's. */
function bind(param: string, arg: Expr, span: Span, frame: Frame): void {
  const hasName = arg.op.atomic || arg.args.length === 0
  if (hasName) {
    frame.values.set(param, arg)
    frame.draft.exprs.set(fullName(param, frame), arg)
    return
  }
  const name = fullName(param, frame)
  const layout = layoutOf(name, frame.draft)
  define(param, namedValue({ name, layout, span }, 'node', named(name, layout, arg)), frame)
}

function returned(ref: Ast, frame: Frame): Expr {
  const name = referenceOf(ref, frame.scope)?.name
  const value = name === undefined ? undefined : frame.values.get(name)
  if (value) return value
  if (name !== undefined && frame.broken.has(name)) throw skipped
  return fail('unknown-name', { name: name ?? 'this', hint: 'A module returns what its equations define.' }, ref)
}
