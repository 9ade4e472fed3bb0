/** The graph of a network: which equations use which values, and what varies with what. */
import { argsOf, type Expr, inOrder } from '../expr/expr.ts'
import { type Lookup, type Members, Table } from '../expr/table.ts'
import type { Network, Value } from '../network/network.ts'
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
  /** The unnamed expressions of its equation and the names that they end at, arguments first; none for a variable. */
  readonly parts: readonly Expr[]
  /** Those of them that join two or more branches: arguments that are active. */
  readonly joins: readonly Expr[]
  /** What its equation uses, in reading order. */
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
  /** By the value or the expression that is its name. */
  readonly vertexAt: Lookup<Vertex>
  readonly valueAt: Lookup<Value>
  /** Expressions that depend on an input or parameter. */
  readonly varies: Members
  /** Expressions that depend on an input, not only on parameters: branches of a merge are among these. */
  readonly active: Members
}

/** A vertex whose edges are still being found. */
interface Draft extends Vertex {
  sources: readonly Use[]
  uses: Use[]
}

/** What an expression varies with: parameters alone, or an input, too. */
const [withParams, withInputs] = [1, 2]
type Level = number | undefined

const levelOf: Readonly<Partial<Record<Value['role'], Level>>> = { param: withParams, input: withInputs }

const nothing: never[] = []

export function structureOf(network: Network): Structure {
  const levels = new Table<number>()
  const vertexAt = new Table<Draft>()
  const vertices: Draft[] = []
  for (const value of network.values.values()) {
    const { expr, role } = value
    const parts = isLeaf(value) ? nothing : partsOf(expr)
    const joins = joinsAmong(parts, levels, vertexAt)
    const level = isLeaf(value) ? levelOf[role] : levels.get(expr.args[0]!)
    if (level !== undefined) levels.set(expr, level)
    const vertex: Draft = {
      value,
      place: vertices.length,
      varies: level !== undefined,
      active: level === withInputs,
      parts,
      joins,
      sources: nothing,
      uses: nothing,
    }
    if (parts.length > 0) vertex.sources = usesBy(vertex, vertexAt)
    vertices.push(vertex)
    vertexAt.set(expr, vertex)
  }
  enterUses(vertices, vertexAt, network)
  return {
    vertices,
    vertexAt,
    valueAt: { get: (expr) => vertexAt.get(expr)?.value, has: (expr) => vertexAt.has(expr) },
    varies: levels,
    active: { has: (expr) => levels.get(expr) === withInputs },
  }
}

/** Where a network begins: a variable, or a node of another network that this one is a part of. */
const isLeaf = ({ role }: Value): boolean => role !== 'node' && role !== 'loss'

/** The unnamed expressions of an equation and the names and variables that they end at, arguments first. */
const partsOf = (name: Expr): Expr[] => inOrder([name.args[0]!])

/** The names and variables that an equation uses, in reading order. */
export const sourcesOf = (name: Expr): ReadonlySet<Expr> => new Set(partsOf(name).filter(isSource))

/** Notes what the parts of an equation vary with; finds those that join branches. */
function joinsAmong(parts: readonly Expr[], levels: Table<number>, known: Members): readonly Expr[] {
  let joins: Expr[] = nothing
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (!isSource(part)) {
      if (noteLevel(part, levels) < 2) continue
      if (joins === nothing) joins = [part]
      else joins.push(part)
    } else if (part.op.atomic && !known.has(part)) {
      // what is under the name of a value has been seen at that value
      for (const below of inOrder([part], argsOf)) noteLevel(below, levels)
    }
  }
  return joins
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

/** What the equation of a vertex uses. */
function usesBy(by: Vertex, vertexAt: Lookup<Vertex>): readonly Use[] {
  const { parts } = by
  const uses: Use[] = []
  let mentions = 0
  for (let i = 0; i < parts.length; i++) {
    const source = parts[i]!
    if (isSource(source)) uses.push({ source, of: vertexAt.get(source), by, count: 1 })
    else mentions += source.visible.length
  }
  // most equations are trees, in which each part but the root is mentioned once
  return mentions < parts.length ? uses : counted(uses, parts)
}

function counted(uses: readonly Use[], parts: readonly Expr[]): readonly Use[] {
  const counts = new Map<Expr, number>()
  for (const { visible } of parts) for (const part of visible) counts.set(part, (counts.get(part) ?? 0) + 1)
  return uses.map(({ source, of, by }) => ({ source, of, by, count: counts.get(source)! }))
}

/** Enters at each vertex where it is used, by what the loss is made of: from others no error comes. */
function enterUses(vertices: readonly Draft[], vertexAt: Lookup<Draft>, { loss, seeds }: Network): void {
  const reached = new Array<boolean>(vertices.length).fill(false)
  const end = vertexAt.get(loss)!
  const seeded = [...seeds.keys()].map((expr) => vertexAt.get(expr)!)
  for (const { place } of [end, ...seeded]) reached[place] = true
  // from the loss back: a consumer is known to matter before what it uses is looked at
  for (let place = vertices.length - 1; place >= 0; place--) {
    if (!reached[place]) continue
    const { sources, varies } = vertices[place]!
    for (let i = 0; i < sources.length; i++) {
      const used = sources[i]!.of as Draft | undefined
      if (used === undefined) continue
      reached[used.place] = true
      if (varies) enter(used, sources[i]!)
    }
  }
  for (let i = 0; i < vertices.length; i++) if (vertices[i]!.uses.length > 1) vertices[i]!.uses.reverse()
  for (const of of seeded) enter(of, { source: of.value.expr, of, by: end, count: 1 })
}

function enter(used: Draft, use: Use): void {
  if (used.uses === nothing) used.uses = [use]
  else used.uses.push(use)
}
