/** The graph of a network: which equations use which values, and what varies with what. */
import { type Expr, none } from '../expr/expr.ts'
import { type Lookup, type Members, Table } from '../expr/table.ts'
import { argsOf, inOrder } from '../expr/traverse.ts'
import type { Network, Value } from '../network/network.ts'
import { dot } from '../ops/linear.ts'
import { isSource } from '../ops/pullback.ts'

/** A value, and what has been found out about it. */
export interface Vertex {
  readonly value: Value
  /** In the order of definition. */
  readonly place: number
  /** It depends on an input or parameter: its gradient is asked for. */
  readonly varies: boolean
  /** It depends on an input, not only on parameters. */
  readonly active: boolean
  /** The unnamed expressions of its equation, arguments first. */
  readonly parts: readonly Expr[]
  /** Those of them that join two or more branches: arguments that are active. */
  readonly joins: readonly Expr[]
  /** What its equation uses, in reading order; a value without an equation uses nothing. */
  readonly sources: readonly Use[]
  /** Where it is used itself, by what the loss is made of, in the order of definition. */
  readonly uses: readonly Use[]
}

/** An equation uses a name, a variable or a number. */
export interface Use {
  readonly source: Expr
  /** The value that this is the name of. */
  readonly of: Vertex | undefined
  readonly by: Vertex
  /** How many times the equation mentions it. */
  readonly count: number
}

/** What has been worked out of a network: who uses whom. */
export interface Structure {
  /** In the order of definition. */
  readonly vertices: readonly Vertex[]
  /** Those whose equations sum over axes. */
  readonly reducing: readonly Vertex[]
  /** By the value or the expression that is its name. */
  readonly vertexAt: Lookup<Vertex>
  readonly valueAt: Lookup<Value>
  /** Expressions that depend on an input or parameter. */
  readonly varies: Members
  /** Expressions that depend on an input, not only on parameters: branches of a merge are among these. */
  readonly active: Members
}

/** A vertex while it is explored. */
type Draft = { -readonly [K in keyof Vertex]: Vertex[K] extends readonly (infer T)[] ? T[] : Vertex[K] }

/** What an expression varies with: parameters alone, or an input, too. */
const [withParams, withInputs] = [1, 2]

const nothing: never[] = []

export function structureOf(network: Network): Structure {
  const levels = new Table<number>()
  const vertexAt = new Table<Draft>()
  const vertices: Draft[] = []
  const reducing: Draft[] = []
  // what an equation uses is defined before it
  for (const value of network.values.values()) {
    const { expr, role } = value
    const vertex: Draft = {
      value,
      place: vertices.length,
      varies: false,
      active: false,
      parts: nothing,
      joins: nothing,
      sources: nothing,
      uses: nothing,
    }
    if (role === 'node' || role === 'loss') {
      readEquation(vertex, levels, vertexAt)
      if (vertex.parts.some(isReduction)) reducing.push(vertex)
    }
    const level =
      role === 'input' ? withInputs : role === 'param' ? withParams : role === 'constant' ? undefined : levels.get(expr.args[0]!)
    if (level !== undefined) levels.set(expr, level)
    vertex.varies = level !== undefined
    vertex.active = level === withInputs
    vertices.push(vertex)
    vertexAt.set(expr, vertex)
  }
  enterUses(vertices, vertexAt, network)
  return {
    vertices,
    reducing,
    vertexAt,
    valueAt: { get: (expr) => vertexAt.get(expr)?.value, has: (expr) => vertexAt.has(expr) },
    varies: levels,
    active: { has: (expr) => levels.get(expr) === withInputs },
  }
}

/** Finds the parts of an equation, what they vary with and join, and what the equation uses. */
function readEquation(by: Draft, levels: Table<number>, vertexAt: Lookup<Vertex>): void {
  const order = inOrder(by.value.expr.args)
  let mentions = 0
  for (let i = 0; i < order.length; i++) {
    const part = order[i]!
    if (isSource(part)) {
      const of = vertexAt.get(part)
      by.sources = extended(by.sources, { source: part, of, by, count: 1 })
      // what is under the name of a value has been seen at that value
      if (part.op.atomic && of === undefined) for (const below of inOrder([part], argsOf)) noteLevel(below, levels)
    } else {
      by.parts = extended(by.parts, part)
      if (noteLevel(part, levels) > 1) by.joins = extended(by.joins, part)
      mentions += part.args.length
    }
  }
  // most equations are trees, in which each part but the root is mentioned once
  if (mentions >= order.length) by.sources = counted(by.sources, by.parts)
}

/** Sums, means and their kin, and the losses, which sum what they compare. */
export const isReduction = ({ op, attrs }: Expr): boolean => op === dot || (attrs !== none && ('keepdims' in attrs || 'reduction' in attrs))

/** A list with one more item. There are many, most of them short: those take no more room than they need. */
export function extended<T>(list: T[], item: T): T[] {
  if (list.length === 0) return [item]
  if (list.length === 1) return [list[0]!, item]
  list.push(item)
  return list
}

/** An expression varies with what its arguments vary with. Tells how many of them are active. */
function noteLevel(expr: Expr, levels: Table<number>): number {
  const { args } = expr
  let level = 0
  let active = 0
  for (let i = 0; i < args.length; i++) {
    const own = levels.get(args[i]!)
    if (own === undefined) continue
    if (own > level) level = own
    if (own === withInputs) active++
  }
  if (level > 0) levels.set(expr, level)
  return active
}

/** The sources of an equation, with how often its parts mention them. */
function counted(sources: readonly Use[], parts: readonly Expr[]): Use[] {
  const counts = new Map<Expr, number>()
  for (const { args } of parts) for (const arg of args) counts.set(arg, (counts.get(arg) ?? 0) + 1)
  return sources.map(({ source, of, by }) => ({ source, of, by, count: counts.get(source)! }))
}

/** Where the ways of the error are followed to: the loss, or a loop that sends an error. */
export const isEnd = ({ role }: Value): boolean => role === 'loss' || role === 'loop'

/** The names and variables that an equation uses, in reading order. */
export const sourcesOf = (name: Expr): ReadonlySet<Expr> => new Set(inOrder(name.args).filter(isSource))

/** Enters at each vertex where it is used, by what the loss is made of: from others no error comes. */
function enterUses(vertices: readonly Draft[], vertexAt: Lookup<Draft>, { loss, seeds }: Network): void {
  const reached = new Array<boolean>(vertices.length).fill(false)
  const end = vertexAt.get(loss)!
  for (const { place } of [end, ...[...seeds.keys()].map((expr) => vertexAt.get(expr)!)]) reached[place] = true
  // from the loss back: a consumer is known to matter before what it uses is looked at
  for (let place = vertices.length - 1; place >= 0; place--) {
    if (!reached[place]) continue
    const { sources, varies, uses } = vertices[place]!
    if (uses.length > 1) uses.reverse()
    for (let i = 0; i < sources.length; i++) {
      const used = sources[i]!.of as Draft | undefined
      if (used === undefined) continue
      reached[used.place] = true
      if (varies) used.uses = extended(used.uses, sources[i]!)
    }
  }
  for (const [source, errors] of seeds) {
    const of = vertexAt.get(source)!
    for (const { by } of errors) of.uses = extended(of.uses, { source, of, by: vertexAt.get(by)!, count: 1 })
  }
}
