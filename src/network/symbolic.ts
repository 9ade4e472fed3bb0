/** Loops whose length is a symbol: one step of them is read for an index that stays a symbol, with the step after it. */
import { collecting, fail, type Span } from '../diagnostic.ts'
import { type Dim, dimLayout, isSymbolic, minus, plus, sameDim, sizeSymbol, times, withSizes } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, sameShape } from '../expr/shape.ts'
import { typeset } from '../expr/typeset.ts'
import { type Layout, Level, row, symbol } from '../layout/layout.ts'
import { variable } from '../ops/leaves.ts'
import type { Ast, Step } from './ast.ts'
import type { Declaration, Document, Layer } from './document.ts'
import { type Draft, layoutOf } from './draft.ts'
import { expressionOf } from './expression.ts'
import { boundsOf, indexOf, memberName, requireIndex, withIndex } from './families.ts'
import { atIndex, define, type Frame, namedValue } from './frame.ts'
import { dimInside, mentionsIndex } from './moved.ts'
import { namesIn, partsOf } from './names.ts'
import type { Carried, Network, Scope, Summand, SymbolicLoop, Value } from './network.ts'
import { run } from './program.ts'
import { parseExpression, parseLoop } from './syntax.ts'
import { declareMember } from './variables.ts'

type ForStep = Step & { kind: 'for' }

/** The symbols that say how long the loops and families of a spec are, unless they have values. */
export function depthsOf(document: Document, fixed: ReadonlySet<string>): readonly string[] {
  const found = new Set<string>()
  const indices = new Set<string>()
  const add = (...asts: (Ast | undefined)[]): void => {
    for (const ast of asts) for (const { name } of ast ? namesIn(ast) : []) found.add(name)
  }
  const visit = (layers: readonly Layer[]): void => {
    for (const layer of layers) {
      if (layer.kind !== 'for') continue
      const loop = tried(() => parseLoop(layer.header))
      if (loop) indices.add(loop.index)
      add(loop?.from, loop?.to, loop?.step)
      visit(layer.body)
    }
  }
  const bodies = [document, ...document.modules]
  for (const { layers } of bodies) visit(layers)
  const declarations = [document.inputs, ...bodies.flatMap((b) => [b.params, b.constants])]
  for (const declaration of declarations.flatMap((group) => group.filter(isFamily))) {
    const head = tried(() => headOf(declaration))
    if (head?.index) indices.add(head.index)
    add(head?.from, head?.to)
  }
  return [...found].filter((name) => !fixed.has(name) && !indices.has(name))
}

/** What can't be read is told when it is declared. */
const tried = <T>(read: () => T): T | undefined => collecting([], read)

interface Head {
  readonly base: string
  readonly index?: string
  readonly from?: Ast | undefined
  readonly to: Ast
}

const isFamily = ({ name }: Declaration): boolean => name.text.includes('[')

/** W[N], s[1:T+1] or W[l in range(N)]. */
function headOf({ name }: Declaration): Head | undefined {
  const [, base, inside] = /^([^[]+)\[(.*)\]$/s.exec(name.text.trim()) ?? []
  if (!base || inside === undefined) return undefined
  if (/\bin\s+range\b/.test(inside)) return { base, ...parseLoop({ ...name, text: inside, exact: false }) }
  const ast = parseExpression({ ...name, exact: false })
  const mark = ast.kind === 'index' && ast.marks.length === 1 ? ast.marks[0] : undefined
  if (mark?.kind === 'at') return { base, to: mark.value }
  return mark?.kind === 'range' && mark.to ? { base, from: mark.from, to: mark.to } : undefined
}

/** How the top frame of a spec keeps its loops. `sample` is the same spec with numbers for the lengths: it knows the shapes. */
export interface Keeper {
  readonly loops: readonly SymbolicLoop[]
  keep(step: ForStep, frame: Frame): void
  reach(family: string, at: Dim, span: Span, frame: Frame): void
  sumOver(ast: Ast & { kind: 'over' }, scope: Scope): Expr
}

export function keeperOf(document: Document, draft: Draft, sample: Network): Keeper {
  const loops: (SymbolicLoop & { readonly summands: Summand[] })[] = []
  let open: Opening | undefined

  const reach = (family: string, at: Dim, span: Span, frame: Frame): void => {
    const name = memberName(family, at)
    if (frame.values.has(name) || frame.instances.has(name) || !isSymbolic(at)) return
    const declared = declarationOf(family, document)
    if (declared) {
      const own = declared.index ? { ...frame, scope: withIndex(frame.scope, declared.index, at) } : frame
      declareMember({ local: name, frame: own }, declared.role, declared.declaration, frame)
    } else if (open) open.incoming.set(family, incomingValue(family, at, span, open, frame, sample))
    else lastValue(family, at, span, frame, loops)
  }

  const keep = (step: ForStep, frame: Frame): void => {
    requireIndex(step.loop, frame.scope, step.span)
    const [from, to] = boundsOf(step.loop, frame.scope)
    if (open || frame.suffix !== '') unfit('a loop inside a loop', step.span)
    if (step.loop.step || typeof from !== 'number') unfit('a range with a step, or one that begins at a symbol', step.span)
    const index = step.loop.index
    const at = sizeSymbol(index)
    open = { index, from, incoming: new Map() }
    const before = new Set(draft.values.values())
    const nodes = (): Value[] => [...draft.values.values()].filter((v) => v.role === 'node' && !before.has(v))
    run(step.body, atIndex(frame, index, at), step.body)
    const now = nodes()
    const firsts = new Map([...open.incoming].map(([family, value]) => [family, { value, at: offsetOf(value.name, family) }]))
    run(step.body, atIndex(frame, index, plus(at, 1)), step.body)
    const next = nodes().filter((v) => !now.includes(v))
    const carried = [...firsts].map(([family, { value, at: start }]): Carried => {
      const outgoing = draft.values.get(memberName(family, plus(start, 1)))
      const after = draft.values.get(memberName(family, plus(start, 2)))
      const first = draft.values.get(memberName(family, withSizes(start, new Map([[index, from]]))))
      if (!outgoing || !after || !first) return unfit(`${value.name}, which comes from further back than the step before`, step.span)
      return { family, incoming: value, outgoing, after, first, last: undefined }
    })
    for (const { incoming, outgoing } of carried) requireGrowth(incoming, outgoing, index)
    if (open.incoming.size > carried.length) unfit('a step that uses more than the step before it', step.span)
    if (carried.length === 0) unfit('a loop whose steps hand nothing on, or reach back further than one step,', step.span)
    loops.push({ name: '', mark: '', index, from, to, carried, step: now, next, own: [], summands: [], span: step.span })
    open = undefined
  }

  const sumOver = (ast: Ast & { kind: 'over' }, scope: Scope): Expr => {
    const index = ast.loop.index
    const bounds = boundsOf(ast.loop, scope)
    for (const loop of loops) {
      const shift = shiftOf(ast, index, loop, scope)
      if (shift === undefined) continue
      const fits = sameDim(minus(bounds[0], shift), loop.from) && sameDim(minus(bounds[1], shift), loop.to)
      if (!fits) return unfit('a sum over other steps than the loop has', ast)
      const term = expressionOf(ast.body, withIndex(scope, index, plus(sizeSymbol(loop.index), shift)))
      const sum = variable(`sum${loop.summands.length}`, [], sumLayout(loop, typeset(term)))
      loop.summands.push({ sum, term })
      return sum
    }
    return unfit('a sum that speaks of no loop', ast)
  }
  return { loops, keep, reach, sumOver }
}

interface Opening {
  readonly index: string
  readonly from: number
  readonly incoming: Map<string, Value>
}

function unfit(what: string, span: Span): never {
  return fail('not-symbolic', { what }, span)
}

/** The declaration of a family whose length is a symbol. */
function declarationOf(family: string, { inputs, params, constants }: Document) {
  const groups = [
    ['input', inputs],
    ['param', params],
    ['constant', constants],
  ] as const
  for (const [role, declarations] of groups) {
    for (const declaration of declarations) {
      const head = headOf(declaration)
      // x[0]: [d] is the one member where a recursion starts
      const isStart = head?.to.kind === 'number' && head.to.value === 0
      if (head?.base === family && !isStart) return { role, declaration, index: head.index }
    }
  }
  return undefined
}

/** z[l] at the start of a step: a value from outside, with the shape that it has there. */
function incomingValue(family: string, at: Dim, span: Span, { index, from }: Opening, frame: Frame, sample: Network): Value {
  const { draft } = frame
  const start = withSizes(at, new Map([[index, from]]))
  const name = memberName(family, at)
  const shapes = [0, 1].map((k) => sample.scope.values.get(memberName(family, plus(start, k)))?.shape)
  const first = frame.values.get(memberName(family, start))
  if (typeof start !== 'number' || !first || !shapes[0] || !shapes[1]) return unfit(`${name}, which no step before it defines`, span)
  const [s0, s1] = shapes as [Shape, Shape]
  if (s0.length !== s1.length) unfit(`${name}, whose number of axes differs between steps,`, span)
  const steps = minus(sizeSymbol(index), from)
  // a value that grows by the same entries in every step, as in a DenseNet; whether it does is seen when the step has been read
  const shape = first.shape.map((dim, axis) => plus(dim, times(steps, minus(s1[axis]!, s0[axis]!))))
  const layout = layoutOf(name, draft)
  const value = namedValue({ name, layout, span }, 'input', variable(name, shape, layout))
  define(name, value, frame)
  return value
}

/** A step hands on what the next one expects: where this holds for any step, the sizes that were taken from the first two are right. */
function requireGrowth({ name, expr }: Value, outgoing: Value, index: string): void {
  const next = new Map([[index, plus(sizeSymbol(index), 1)]])
  const expected = expr.shape.map((dim) => withSizes(dim, next))
  if (!sameShape(expected, outgoing.expr.shape)) unfit(`${name}, whose size does not follow from its first two steps,`, outgoing.span)
}

/** z[N] after the loop: what its last step hands on. */
function lastValue(family: string, at: Dim, span: Span, frame: Frame, loops: SymbolicLoop[]): void {
  const k = loops.findIndex((loop) => loop.carried.some((c) => c.family === family))
  const loop = loops[k]
  const carried = loop?.carried.find((c) => c.family === family)
  if (!loop || !carried) return
  const sizes = new Map([[loop.index, minus(loop.to, 1)]])
  const end = withSizes(offsetOf(carried.outgoing.name, family), sizes)
  if (!sameDim(end, at))
    unfit(`${memberName(family, at)}, which is neither the first nor the last member (${memberName(family, end)})`, span)
  const name = memberName(family, at)
  const shape = carried.outgoing.expr.shape.map((dim) => withSizes(dim, sizes))
  const layout = layoutOf(name, frame.draft)
  const value = namedValue({ name, layout, span }, 'input', variable(name, shape, layout))
  define(name, value, frame)
  loops[k] = { ...loop, carried: loop.carried.map((c) => (c === carried ? { ...c, last: value } : c)) }
}

/** The l+1 in z[l+1]. */
const offsetOf = (name: string, family: string): Dim => dimInside(name.slice(family.length + 1, -1))

/** By how much the index of a sum differs from the index of the loop that defines what it sums; undefined for another loop's. */
function shiftOf(ast: Ast & { kind: 'over' }, index: string, { step, index: own }: SymbolicLoop, scope: Scope): Dim | undefined {
  const here = withIndex(scope, index, sizeSymbol(index))
  for (const part of partsOf(ast.body)) {
    if (part.kind !== 'index' || part.of.kind !== 'name' || part.marks[0]?.kind !== 'at') continue
    const family = part.of.name
    const defined = step.find((v) => v.name.startsWith(`${family}[`))
    if (!defined) continue
    const offset = offsetOf(defined.name, family)
    return minus(plus(minus(offset, sizeSymbol(own)), sizeSymbol(index)), indexOf(part.marks[0].value, here))
  }
  return undefined
}

const sumLayout = ({ index, from, to }: Pick<SymbolicLoop, 'index' | 'from' | 'to'>, body: Layout): Layout => ({
  kind: 'big',
  level: Level.sum,
  sign: '∑',
  below: row(Level.relation, [dimLayout(sizeSymbol(index)), symbol('='), dimLayout(from)]),
  above: dimLayout(minus(to, 1)),
  body: body.level < Level.product ? { kind: 'fence', level: Level.atom, open: '(', close: ')', body } : body,
})

/** The loops with the variables of their steps, and the values outside of all loops. */
export function apart(draft: Draft, loops: readonly SymbolicLoop[]): Pick<Network, 'loops' | 'values'> {
  if (loops.length === 0) return { loops, values: draft.values }
  const unused = loops.find(({ carried, summands }) => summands.length === 0 && carried.every((c) => !c.last))
  if (unused) unfit('a loop that the loss uses nothing of', unused.span)
  const nodes = new Set(loops.flatMap((l) => [...l.step, ...l.next, ...l.carried.map((c) => c.incoming)]))
  const all = [...draft.values.values()].filter((v) => !nodes.has(v))
  const complete = loops.map((loop) => ({ ...loop, ...called(loop, loops), own: all.filter((v) => mentionsIndex(v.name, loop.index)) }))
  const own = new Set(complete.flatMap((loop) => loop.own))
  return { loops: complete, values: new Map(all.flatMap((v) => (own.has(v) ? [] : [[v.name, v] as const]))) }
}

/** A loop is told from others by its index, or by what it hands on. */
function called({ index, carried }: SymbolicLoop, all: readonly SymbolicLoop[]): Pick<SymbolicLoop, 'name' | 'mark'> {
  const isAlone = all.filter((loop) => loop.index === index).length === 1
  const name = isAlone ? `loop ${index}` : `loop ${index} of ${carried[0]!.family}`
  return { name, mark: all.length === 1 ? 'loop' : name }
}
