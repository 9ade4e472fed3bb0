/** The equations of a body, read in order: each defines a node from what stands before it, and loops are unrolled. */
import { collecting, type Diagnostic, Failure, fail, gather, locating, type Span } from '../diagnostic.ts'
import type { Expr } from '../expr/expr.ts'
import { named } from '../ops/leaves.ts'
import type { Ast, EquationAst, Step } from './ast.ts'
import type { Layer } from './document.ts'
import { requireFree, requireProper, requireRoom } from './draft.ts'
import { expressionOf } from './expression.ts'
import { isSymbolicRange, referenceOf, requireIndex, stepsOf as stepsOfLoop } from './families.ts'
import { atIndex, type Calls, define, type Frame, type Instance, memberOf, type Naming, namedValue, newNaming } from './frame.ts'
import { namesIn, targetsOf } from './names.ts'
import { parseEquation, parseLoop } from './syntax.ts'

/** Layers as they are executed: parsed once, however often they are run. What is faulty adds its targets to `broken`. */
export function stepsOf(layers: readonly Layer[], draft: { readonly faults: Diagnostic[] }, broken: Set<string>): Step[] {
  const steps: Step[] = []
  for (const layer of layers) {
    try {
      steps.push(stepOf(layer, draft, broken))
    } catch (error) {
      gather(error, draft.faults)
      // nothing more is said of what it would have defined
      for (const name of targetsOf(layer)) broken.add(name)
    }
  }
  return steps
}

function stepOf(layer: Layer, draft: { readonly faults: Diagnostic[] }, broken: Set<string>): Step {
  if (layer.kind === 'for') {
    return { kind: 'for', loop: parseLoop(layer.header), span: layer.header, body: stepsOf(layer.body, draft, broken) }
  }
  const equation = parseEquation(layer.text)
  equation.targets.forEach(requireTarget)
  return equation
}

function requireTarget(target: Ast): void {
  if (target.kind === 'name') return
  const isMember = target.kind === 'index' && target.marks.every((m) => m.kind === 'at')
  if (isMember && target.of.kind === 'index') requireTarget(target.of)
  else if (!isMember || target.of.kind !== 'name')
    fail('syntax', { expected: 'a name before the =, or a member such as z[l+1]', found: 'an expression' }, target)
}

/** Runs the steps of a body: its nodes become part of the network. Faults are gathered in the draft. */
export function run(steps: readonly Step[], frame: Frame, body: readonly Step[] = steps): void {
  for (const step of steps) {
    if (step.kind === 'equation') runEquation(step, frame, body)
    else if (frame.keep && isSymbolicRange(step.loop, frame.scope)) frame.keep(step, frame)
    else runLoop(step, frame, body)
  }
}

function runLoop({ loop, span, body: inner }: Step & { kind: 'for' }, frame: Frame, body: readonly Step[]): void {
  const values = collecting(frame.draft.faults, () => {
    requireIndex(loop, frame.scope, span)
    return stepsOfLoop(loop, frame.scope, span)
  })
  if (values?.length === 0) enrolAll(inner, frame)
  const isDone = collecting(frame.draft.faults, () => {
    for (const at of values ?? []) {
      requireRoom(frame.draft, span)
      run(inner, atIndex(frame, loop.index, at), body)
    }
    return values !== undefined
  })
  if (!isDone) breakAll(inner, frame)
}

function breakAll(steps: readonly Step[], frame: Frame): void {
  for (const name of namesOfSteps(steps, frame)) frame.broken.add(name)
}

/** A loop without steps leaves its families empty, but there they are. */
function enrolAll(steps: readonly Step[], frame: Frame): void {
  for (const name of namesOfSteps(steps, frame)) frame.families.set(name, frame.families.get(name) ?? new Set())
}

/** What the steps of a loop name: their targets, and the calls that bear a name. */
const namesOfSteps = (steps: readonly Step[], { calls }: Frame): string[] =>
  equationsIn(steps).flatMap(({ name, value }) => [
    name,
    ...namesIn(value, 'calls').flatMap((called) => (calls.get(called.name)?.count === 1 ? [called.name] : [])),
  ])

const baseOf = (target: Ast): string => (target.kind === 'index' ? baseOf(target.of) : target.kind === 'name' ? target.name : '')

function runEquation(step: EquationAst, frame: Frame, body: readonly Step[]): void {
  try {
    const targets = new Array<Target>(step.targets.length)
    for (let i = 0; i < targets.length; i++) targets[i] = targetOf(step.targets[i]!, frame)
    defineAll(step, targets, frame)
  } catch (error) {
    breakEquation(error, step, frame, body)
  }
}

/** What is wrong with an equation is gathered, and what it would have defined is broken. */
function breakEquation(error: unknown, step: EquationAst, frame: Frame, body: readonly Step[]): void {
  collecting(frame.draft.faults, () => {
    // what it uses may stand in the wrong place: that says more than that it is unknown
    if (error instanceof Failure) requireEarlier(step, frame, body)
    throw error
  })
  for (const target of step.targets) {
    frame.broken.add(baseOf(target))
    collecting([], () => frame.broken.add(localOf(target, frame)))
  }
}

interface Target {
  /** Its name in this frame. */
  readonly local: string
  /** The name without an index that it goes by until the loop's next step. */
  readonly plain: string | undefined
  readonly naming: Naming
}

/** A target that nothing else bears the name of. */
function targetOf(target: Ast, frame: Frame): Target {
  if (target.kind === 'index') requireFamily(baseOf(target), target, frame)
  const plain = target.kind === 'name' && frame.suffix !== '' ? target.name : undefined
  const local = localOf(target, frame)
  return { local, plain, naming: newNaming(local, target, frame) }
}

/** The name of a family is not that of a value, and of nothing else that has one definition. */
function requireFamily(base: string, target: Ast, { prefix, values, families, draft }: Frame): void {
  if (values.has(base)) requireFree(prefix + base, target, draft)
  else if (!families.has(base)) requireProper(base, target, draft)
}

/** z[l+1] is the member that its index says; a plain name in a loop is a new value in each step. */
const localOf = (target: Ast, { suffix, scope }: Frame): string => (target.kind === 'name' ? target.name + suffix : memberOf(target, scope))

function defineAll(step: EquationAst, named: readonly Target[], frame: Frame): void {
  const { value, targets } = step
  const instance = instanceOf(value, frame)
  if (instance) defineResults(instance, step, named, frame)
  else if (targets.length === 1) defineNode(named[0]!, expressionOf(value, frame.scope), frame)
  else
    fail(
      'syntax',
      { expected: 'one name before the =', found: `${targets.length}`, hint: 'Only a module returns several values.' },
      targets[1]!,
    )
}

/** What the call of an instance returns, under the names of the targets. */
function defineResults(instance: Instance, { value, targets }: EquationAst, named: readonly Target[], frame: Frame): void {
  const returns = instance.module.returns.length
  if (returns !== targets.length)
    fail(
      'shapes',
      { what: `${instance.module.name} returns ${returns} values`, detail: `${targets.length} names stand before the =` },
      targets[0]!,
    )
  const args = value.kind === 'call' || value.kind === 'apply' ? value.args : []
  const given = args.map((a) => expressionOf(a, frame.scope))
  const naming = named.map((n) => n.naming)
  const results = locating(value, () => frame.call(instance, given, naming, value, frame))
  for (const [i, result] of results.entries()) defineResult(named[i]!, result, frame)
}

/** What a module returns bears the caller's name already, unless it is one of the module's arguments. */
function defineResult(target: Target, result: Expr, frame: Frame): void {
  const { local, plain, naming } = target
  const known = frame.draft.values.get(naming.name)
  if (known?.expr !== result) defineNode(target, result, frame)
  else {
    define(local, known, frame)
    if (plain) frame.values.set(plain, result)
  }
}

/** The instance whose call is the whole right-hand side. */
function instanceOf(value: Ast, { instances, scope }: Frame): Instance | undefined {
  if (value.kind === 'call') return value.named.length === 0 ? instances.get(value.callee) : undefined
  return value.kind === 'apply' ? instances.get(referenceOf(value.of, scope)?.name ?? '') : undefined
}

function defineNode({ local, plain, naming }: Target, value: Expr, frame: Frame): void {
  const expr = named(naming.name, naming.layout, value)
  define(local, namedValue(naming, 'node', expr), frame)
  if (plain) frame.values.set(plain, expr)
}

/** An equation that uses what is only defined further down is in the wrong place, or in a cycle. */
function requireEarlier({ targets, value }: EquationAst, frame: Frame, body: readonly Step[]): void {
  const { values, broken, families, instances, draft } = frame
  const isKnown = (name: string): boolean => values.has(name) || broken.has(name) || families.has(name) || instances.has(name)
  const unknown = namesIn(value).find((n) => !isKnown(n.name))
  if (!unknown || targets[0]!.kind !== 'name') return
  const equations = equationsIn(body)
  const later = new Map(equations.filter((e) => !isKnown(e.name)).map((e) => [e.name, e]))
  const name = targets[0]!.name
  const path = later.has(unknown.name) ? pathBetween(unknown.name, name, later) : undefined
  if (path) fail('cycle', { names: [name, ...path.slice(0, -1)] }, unknown)
  const definition = later.get(unknown.name)
  if (!definition) return
  fail('used-before', { name: unknown.name, line: draft.text.slice(0, definition.span.start).split('\n').length }, unknown)
}

interface Equation {
  readonly name: string
  readonly span: Span
  readonly value: Ast
}

/** Every equation of a body under the plain name that it defines. */
const equationsIn = (steps: readonly Step[]): Equation[] =>
  steps.flatMap((step) =>
    step.kind === 'for' ? equationsIn(step.body) : step.targets.map((t) => ({ name: baseOf(t), span: t, value: step.value })),
  )

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

/** How the functions of a spec are called: one that is called once gives its name to its call, unless the call is a whole equation and so has a name already. */
export function callsIn(steps: readonly Step[], others: readonly Ast[] = []): Calls {
  const calls = new Map<string, { count: number; span: Span; isEquation: boolean }>()
  const taken = new Set(equationsIn(steps).map((e) => e.name))
  for (const ast of [...equationsIn(steps).map((e) => e.value), ...others]) {
    for (const call of namesIn(ast, 'calls')) {
      const { name } = call
      const isEquation = taken.has(name) || (ast.kind === 'call' && ast.callee === name)
      calls.set(name, { count: (calls.get(name)?.count ?? 0) + 1, span: call, isEquation })
    }
  }
  return calls
}
