/** The shape of a network as the error sees it: merges, fan-outs, and the paths between them. */
import type { Expr } from '../expr/expr.ts'
import { type Members, members, Register, Table } from '../expr/table.ts'
import type { Network, Value } from '../network/network.ts'
import type { Sent } from '../ops/pullback.ts'
import { skipsOf } from './skips.ts'
import { isEnd, type Structure, type Use, type Vertex } from './structure.ts'

/** Where the error travels between two anchors. */
export interface Route {
  /** From a value along its consumers to the next merge or fan-out, or the loss; to its consumer, if that is the only one. */
  readonly path: readonly Value[]
  readonly kind: Kind
}

/** A skip brings a value as it is to a sum that another route of the same value reaches the long way round. */
export type Kind = 'skip' | 'branch'

export interface Branches {
  /** By node: the expressions in its equation that join two or more branches, the outermost last. */
  readonly merges: ReadonlyMap<Value, readonly Expr[]>
  /** Values with two or more uses, with the nodes that use them. */
  readonly fanOuts: ReadonlyMap<Value, readonly Use[]>
  /** Merges, fan-outs and the arguments of the loss: their gradients keep their names. */
  readonly anchors: Members
  /** In a step of a loop: values whose gradient has another form in the last step. */
  readonly recurring: Members
  /** Nodes that a report stops at although they join nothing: their operations have something to tell. */
  readonly told: Members
  /** Values whose whole error comes from one place where a report stops: it is stated there. */
  readonly stated: Members
  /** Whether all that a consumer uses of a value is a skip. */
  isSkip(from: Value, consumer: Value): boolean
  route(from: Value, consumer: Value): Route
  /** The kind of one of several uses in the same equation. */
  kindOf(from: Value, consumer: Value, via: Sent['via']): Kind
}

export function branchesOf(network: Network, structure: Structure): Branches {
  const { varies, vertices, vertexAt, valueAt } = structure
  const merges = new Register<Value, readonly Expr[]>()
  const fanOuts = new Register<Value, readonly Use[]>()
  const [anchors, told] = [new Table<true>(), new Table<true>()]
  for (let i = 0; i < vertices.length; i++) {
    const vertex = vertices[i]!
    const { value, uses, joins, parts } = vertex
    if (!vertex.varies) continue
    const isMerge = value.role === 'node' && joins.length > 0
    const isFanOut = uses.length > 1 || (uses.length === 1 && uses[0]!.count > 1)
    if (isMerge) merges.set(value, joins)
    else if (value.role === 'node' && parts.some((e) => e.op.joins && varies.has(e))) told.set(value, true)
    if (isFanOut) fanOuts.set(value, uses)
    if (isMerge || isFanOut || (uses.length > 0 && isEnd(uses[0]!.by.value))) anchors.set(value, true)
  }
  const recurring = [...(network.step?.recurring ?? [])].map((expr) => valueAt.get(expr)!)
  for (const value of recurring) anchors.set(value, true)
  const stops = (value: Value): boolean => merges.has(value) || told.has(value) || (value === network.loss && !network.lossIsOpaque)
  const isStated = ({ active, uses }: Vertex): boolean => active && uses.length === 1 && stops(uses[0]!.by.value)

  /** Nodes that are not anchors have one consumer, so following them is following the only way there is. */
  const pathFrom = (from: Value, consumer: Value): Value[] => {
    const path = [from, consumer]
    let end = consumer
    while (!merges.has(end) && !fanOuts.has(end) && !isEnd(end)) {
      const next = vertexAt.get(end)!.uses[0]
      if (!next) break
      end = next.by.value
      path.push(end)
    }
    return end === network.loss && path.length > 2 ? path.slice(0, -1) : path
  }

  const skips = skipsOf(structure)
  const isSkip = (from: Value, consumer: Value): boolean => fanOuts.has(from) && skips.isSkip(from, consumer)
  // one way needs no telling apart: along a chain, all the rest of it for every value would be quadratic
  const route = (from: Value, consumer: Value): Route => ({
    path: vertexAt.get(from)!.uses.length === 1 ? [from, consumer] : pathFrom(from, consumer),
    kind: isSkip(from, consumer) ? 'skip' : 'branch',
  })
  return {
    merges,
    fanOuts,
    anchors,
    recurring: members(recurring),
    told,
    stated: { has: (value) => isStated(vertexAt.get(value)!) },
    isSkip,
    route,
    kindOf: (from, consumer, via) => (skips.isHandedOn(from, consumer, via) && isSkip(from, consumer) ? 'skip' : 'branch'),
  }
}
