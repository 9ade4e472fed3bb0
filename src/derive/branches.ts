/** The shape of a network as the error sees it: merges, fan-outs, and the paths between them. */
import type { Expr } from '../expr/expr.ts'
import { type Members, members, Register, Table } from '../expr/table.ts'
import type { Network, Value } from '../network/network.ts'
import type { Sent } from '../ops/pullback.ts'
import type { Structure, Use } from './reverse.ts'
import { skipsOf } from './skips.ts'

/** An expression that joins two or more branches, inside the equation of a node. */
export interface Merge {
  readonly at: Value
  readonly expr: Expr
  /** It is the whole right-hand side, so it bears the node's name. */
  readonly isNamed: boolean
}

/** Where the error travels between two anchors. */
export interface Route {
  /** From a value along its consumers to the next merge or fan-out, or the loss; to its consumer, if that is the only one. */
  readonly path: readonly Value[]
  readonly kind: Kind
}

/** A skip brings a value as it is to a sum that another route of the same value reaches the long way round. */
export type Kind = 'skip' | 'branch'

export interface Branches {
  /** By node: the merges in its equation, the outermost first. */
  readonly merges: ReadonlyMap<Value, readonly Merge[]>
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
  const { active, varies, uses, parts } = structure
  const merges = new Register<Value, Merge[]>()
  const fanOuts = new Register<Value, readonly Use[]>()
  const told = new Table<true>()
  for (const value of network.values.values()) {
    if (!varies.has(value.expr)) continue
    if (value.role === 'node') {
      const found = mergesIn(value, parts.get(value)!, active)
      if (found.length > 0) merges.set(value, found)
      else if (parts.get(value)!.some((e) => e.op.joins && varies.has(e))) told.set(value, true)
    }
    const own = uses.get(value)!
    if (own.length > 1 || (own[0]?.count ?? 0) > 1) fanOuts.set(value, own)
  }
  const lossArguments = [...uses.keys()].filter((v) => uses.get(v)!.at(-1)?.by === network.loss)
  const recurring = [...(network.step?.recurring ?? [])].map((expr) => structure.valueAt.get(expr)!)
  const anchors = members(merges.keys(), fanOuts.keys(), lossArguments, recurring)
  const stops = (value: Value): boolean => merges.has(value) || told.has(value) || (value === network.loss && !network.lossIsOpaque)
  const isStated = (value: Value): boolean => uses.get(value)!.length === 1 && stops(uses.get(value)![0]!.by) && active.has(value.expr)
  const stated = members([...uses.keys()].filter(isStated))
  const ends = (value: Value): boolean => merges.has(value) || fanOuts.has(value) || value === network.loss

  /** Nodes that are not anchors have one consumer, so following them is following the only way there is. */
  const pathFrom = (from: Value, consumer: Value): Value[] => {
    const path = [from, consumer]
    while (!ends(path.at(-1)!)) {
      const next = uses.get(path.at(-1)!)![0]?.by
      if (!next) break
      path.push(next)
    }
    return path.at(-1) === network.loss && path.length > 2 ? path.slice(0, -1) : path
  }

  const skips = skipsOf(structure)
  const isUsedOnce = ([first, second]: readonly Use[]): boolean => second === undefined && first!.count === 1
  const isSkip = (from: Value, consumer: Value): boolean => !isUsedOnce(uses.get(from)!) && skips.isSkip(from, consumer)
  // one way needs no telling apart: along a chain, all the rest of it for every value would be quadratic
  const route = (from: Value, consumer: Value): Route => ({
    path: uses.get(from)!.length === 1 ? [from, consumer] : pathFrom(from, consumer),
    kind: isSkip(from, consumer) ? 'skip' : 'branch',
  })
  return {
    merges,
    fanOuts,
    anchors,
    recurring: members(recurring),
    told,
    stated,
    isSkip,
    route,
    kindOf: (from, consumer, via) => (skips.isHandedOn(from, consumer, via) && isSkip(from, consumer) ? 'skip' : 'branch'),
  }
}

function mergesIn(at: Value, parts: readonly Expr[], active: Members): Merge[] {
  const root = at.expr.args[0]!
  const isMerge = (expr: Expr): boolean => !expr.op.atomic && expr.args.length > 1 && expr.args.filter((a) => active.has(a)).length > 1
  return parts
    .filter(isMerge)
    .map((expr) => ({ at, expr, isNamed: expr === root }))
    .reverse()
}
