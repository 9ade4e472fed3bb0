/** The ways on which the error gets from the loss back to a value: how many there are, how long they are, and which. */
import { definition, type Expr } from '../expr/expr.ts'
import { inOrder, substitute } from '../expr/traverse.ts'
import { nameLayout } from '../layout/names.ts'
import type { Network, Value } from '../network/network.ts'
import { named, variable } from '../ops/leaves.ts'
import { pullback } from '../ops/pullback.ts'
import type { Branches } from './branches.ts'
import type { Structure } from './structure.ts'

/** One step of the error, from an expression to one of its arguments. */
export interface Hop {
  readonly from: Expr
  readonly to: Expr
  readonly slot: number
  /** The error arrives as it was. */
  readonly unchanged: boolean
  /** Within the loss's own equation: ways begin where it ends. */
  readonly inLoss: boolean
}

/** What ways are measured in: the nodes they pass, or the branches that change the error, of which skips have none. */
export type Unit = 'nodes' | 'branches'

/** Where the error can go. Every expression comes after all that send errors to it. */
export interface ErrorGraph {
  readonly order: readonly Expr[]
  readonly hops: ReadonlyMap<Expr, readonly Hop[]>
  readonly valueAt: ReadonlyMap<Expr, Value>
  readonly anchors: ReadonlySet<Expr>
  /** The error that an expression sends to its arguments, for the error of its own value. */
  back(expr: Expr, error: Expr): readonly (Expr | null)[]
}

/** All ways to one value. */
export interface Ways {
  readonly of: Value
  readonly count: bigint
  /** Ways on which the error arrives unchanged. */
  readonly identities: bigint
  /** In nodes: the number of values behind the first one. */
  readonly shortest: number
  readonly longest: number
}

/** Of a value that no error comes back to. */
export const noWays = (of: Value): Ways => ({ of, count: 0n, identities: 0n, shortest: 0, longest: 0 })

export function errorGraph(network: Network, { varies }: Structure, { merges, fanOuts }: Branches): ErrorGraph {
  const valueAt = new Map([...network.values.values()].map((v) => [v.expr, v]))
  const nameOf = new Map<Expr, Expr>([...valueAt.keys()].flatMap((e) => (e.args.length > 0 ? [[e.args[0]!, e] as const] : [])))
  const below = (expr: Expr): readonly Expr[] => expr.args.filter((a) => varies.has(a))
  const order = inOrder([network.loss.expr], below).reverse()
  const back = (expr: Expr, error: Expr): readonly (Expr | null)[] =>
    valueAt.has(expr) ? [error] : (expr.op.vjp?.(expr.args, error, expr.attrs, nameOf.get(expr) ?? expr) ?? composed(expr, error))
  const hops = new Map<Expr, readonly Hop[]>()
  const inLoss = new Set<Expr>([network.loss.expr])
  for (const expr of order) {
    const error = variable('g', expr.shape, nameLayout('g'))
    const free = inLoss.has(expr)
    const found = (expr.args.length === 0 ? [] : back(expr, error)).flatMap((sent, slot): Hop[] => {
      const to = expr.args[slot]!
      return sent && varies.has(to) ? [{ from: expr, to, slot, unchanged: sent === error, inLoss: free }] : []
    })
    hops.set(expr, found)
    if (free) for (const { to } of found) if (!valueAt.has(to)) inLoss.add(to)
  }
  const anchors = new Set([...merges.keys(), ...fanOuts.keys()].map((v) => v.expr))
  return { order, hops, valueAt, anchors, back }
}

/** The errors of a composite that has no rule of its own. */
function composed(expr: Expr, error: Expr): readonly (Expr | null)[] {
  const holders = expr.args.map((a, i) => variable(`a${i}`, a.shape, nameLayout(`a${i}`)))
  const meaning = definition({ ...expr, args: holders })!
  const sent = pullback(named('f', nameLayout('f'), meaning), error, new Set(holders))
  return holders.map((h) => {
    const term = sent.get(h)
    return term ? substitute([term], (e) => (holders.includes(e) ? expr.args[holders.indexOf(e)] : undefined))[0]! : null
  })
}

/** A hop to a named value is a step; the loss's arguments are where counting starts. */
export const stepOf = ({ to, inLoss }: Hop, { valueAt }: ErrorGraph): number => (valueAt.has(to) && !inLoss ? 1 : 0)

/** Counts the ways to every value: linear in the hops. */
export function countWays(graph: ErrorGraph): ReadonlyMap<Value, Ways> {
  interface Tally {
    count: bigint
    /** Those that have not left the loss's equation. */
    direct: bigint
    identities: bigint
    shortest: number
    longest: number
  }
  const tallies = new Map<Expr, Tally>([[graph.order[0]!, { count: 1n, direct: 1n, identities: 1n, shortest: 0, longest: 0 }]])
  const ways = new Map<Value, Ways>()
  for (const expr of graph.order) {
    const here = tallies.get(expr)
    if (!here) continue
    const value = graph.valueAt.get(expr)
    if (value) {
      const { count, direct, shortest, longest } = here
      // the error of an argument of the loss is where ways begin; the loss's part of it, beside others, is not
      const identities = count === direct ? here.identities : here.identities - direct
      ways.set(value, { of: value, count, identities, shortest, longest })
    }
    for (const hop of graph.hops.get(expr)!) {
      const step = stepOf(hop, graph)
      const there = tallies.get(hop.to) ?? { count: 0n, direct: 0n, identities: 0n, shortest: Number.POSITIVE_INFINITY, longest: 0 }
      there.count += here.count
      if (hop.inLoss) there.direct += here.direct
      if (hop.unchanged || hop.inLoss) there.identities += here.identities
      there.shortest = Math.min(there.shortest, here.shortest + step)
      there.longest = Math.max(there.longest, here.longest + step)
      tallies.set(hop.to, there)
    }
  }
  return ways
}

/**
 * What is known of ways by their length, for every expression: sums over ways, carried hop by hop. Branches are counted
 * where they end, at a merge or fan-out, so a way is in one of two states: on a branch that has changed the error, or not.
 */
export function byLength<T>(
  graph: ErrorGraph,
  unit: Unit,
  target: Value,
  start: T,
  carry: (sum: T | undefined, hop: Hop, more: T) => T,
  join: (a: T, b: T) => T,
): readonly (T | undefined)[] {
  type Sums = readonly [calm: (T | undefined)[], changed: (T | undefined)[]]
  const sums = new Map<Expr, Sums>([[graph.order[0]!, [[start], []]]])
  const total: (T | undefined)[] = []
  for (const expr of graph.order) {
    const here = sums.get(expr)
    if (!here) continue
    if (expr === target.expr) {
      here.forEach((list, changed) => {
        list.forEach((sum, length) => {
          const at = unit === 'branches' ? length + changed : length
          if (sum !== undefined) total[at] = total[at] === undefined ? sum : join(total[at], sum)
        })
      })
    }
    const closes = unit === 'branches' && graph.anchors.has(expr)
    for (const hop of graph.hops.get(expr)!) {
      const there: Sums = sums.get(hop.to) ?? [[], []]
      sums.set(hop.to, there)
      const step = unit === 'nodes' ? stepOf(hop, graph) : 0
      here.forEach((list, changed) => {
        list.forEach((sum, length) => {
          if (sum === undefined) return
          const at = length + step + (closes ? changed : 0)
          const state = unit === 'branches' && ((changed === 1 && !closes) || !(hop.unchanged || hop.inLoss)) ? 1 : 0
          there[state]![at] = carry(there[state]![at], hop, sum)
        })
      })
    }
    if (expr !== target.expr) sums.delete(expr)
  }
  return total
}

/** How many ways of each length there are: for stacks of residual blocks the binomial coefficients (Veit et al. 2016, §3). */
export const lengthsOfWays = (graph: ErrorGraph, unit: Unit, target: Value): readonly bigint[] =>
  Array.from(
    byLength(
      graph,
      unit,
      target,
      1n,
      (sum, _, more) => (sum ?? 0n) + more,
      (a, b) => a + b,
    ),
    (n) => n ?? 0n,
  )

/** A way, from an argument of the loss to its end. */
export type Way = readonly Hop[]

/** The first ways to a value, the shortest ones first, else in the order of the equations. */
export function* waysTo(target: Value, graph: ErrorGraph): Generator<Way> {
  const rest = stepsLeft(target, graph)
  interface Partial {
    readonly at: Expr
    readonly length: number
    readonly last: { readonly hop: Hop; readonly before: Partial } | undefined
  }
  const waiting: Partial[][] = []
  const push = (partial: Partial): void => {
    const left = rest.get(partial.at)
    if (left === undefined) return
    waiting[partial.length + left] ??= []
    waiting[partial.length + left]!.push(partial)
  }
  push({ at: graph.order[0]!, length: 0, last: undefined })
  for (let total = 0; total < waiting.length; total++) {
    for (let next = waiting[total]?.pop(); next; next = waiting[total]!.pop()) {
      if (next.at === target.expr) yield hopsOf(next)
      const before = next
      for (const hop of [...graph.hops.get(next.at)!].reverse())
        push({ at: hop.to, length: next.length + stepOf(hop, graph), last: { hop, before } })
    }
  }
  function hopsOf(partial: Partial): Way {
    const way: Hop[] = []
    for (let p = partial; p.last; p = p.last.before) way.push(p.last.hop)
    return way.reverse()
  }
}

/** The fewest steps from each expression to the target. */
function stepsLeft(target: Value, graph: ErrorGraph): ReadonlyMap<Expr, number> {
  const left = new Map<Expr, number>([[target.expr, 0]])
  for (const expr of [...graph.order].reverse()) {
    for (const hop of graph.hops.get(expr)!) {
      const beyond = left.get(hop.to)
      if (beyond !== undefined) left.set(expr, Math.min(left.get(expr) ?? Number.POSITIVE_INFINITY, beyond + stepOf(hop, graph)))
    }
  }
  return left
}

/** The values that a way passes, from an argument of the loss to its end. */
export const valuesOn = (way: Way, { valueAt }: ErrorGraph): readonly Value[] => way.flatMap(({ to }) => valueAt.get(to) ?? [])

/** What the error is at the end of a way, for the errors of the loss's arguments. */
export function errorAlong(way: Way, start: (argument: Value) => Expr, graph: ErrorGraph): Expr {
  const first = way.findIndex(({ to }) => graph.valueAt.has(to))
  const begin = start(graph.valueAt.get(way[first]!.to)!)
  return way.slice(first + 1).reduce((error, { from, slot }) => graph.back(from, error)[slot]!, begin)
}

/** One of the longest ways. */
export function longestWay(target: Value, graph: ErrorGraph): Way {
  const left = new Map<Expr, { readonly steps: number; readonly hop: Hop | undefined }>([[target.expr, { steps: 0, hop: undefined }]])
  for (const expr of [...graph.order].reverse()) {
    for (const hop of graph.hops.get(expr)!) {
      const beyond = left.get(hop.to)
      if (!beyond) continue
      const steps = beyond.steps + stepOf(hop, graph)
      if (steps > (left.get(expr)?.steps ?? -1)) left.set(expr, { steps, hop })
    }
  }
  const way: Hop[] = []
  for (let hop = left.get(graph.order[0]!)?.hop; hop; hop = left.get(hop.to)!.hop) way.push(hop)
  return way
}
