/** Which uses of a value are skips: a sum receives the value as it is, while another way goes round. */
import { definition, type Expr } from '../expr/expr.ts'
import { type Members, Table } from '../expr/table.ts'
import type { Value } from '../network/network.ts'
import { isSource, type Sent } from '../ops/pullback.ts'
import { extended, type Structure, type Use, type Vertex } from './structure.ts'

export interface Skips {
  isSkip(from: Value, consumer: Value): boolean
  /** Whether an expression of the consumer's equation hands the value on to a sum as it is. */
  isHandedOn(from: Value, consumer: Value, via: Sent['via']): boolean
}

export function skipsOf({ vertices, vertexAt, active }: Structure): Skips {
  const sumsOf = new Table<Sums>()
  const skipsFrom = new Table<readonly Use[]>()
  const goesRound = walker(vertices)
  const sums = (consumer: Value): Sums => {
    const root = consumer.expr.args[0]!
    if (handsNothingOn(root)) return noSums
    let known = sumsOf.get(consumer)
    if (!known) sumsOf.set(consumer, (known = sumsIn(root, active)))
    return known
  }
  /** How often the sums of an equation receive what it uses as it is; a sum of names, all that it mentions. */
  const direct = ({ source, by, count }: Use): number => {
    const [root] = by.parts
    if (by.parts.length === 1 && root!.op.passes?.(root!) === root!.args) return by.joins.length > 0 ? count : 0
    return sums(by.value).received.get(source) ?? 0
  }
  const isSkip = (use: Use): boolean => {
    const received = direct(use)
    return received > 0 && (use.count > received || goesRound(use.of!, use.by))
  }
  /** The uses of a value that are skips. */
  const skips = ({ active, uses }: Vertex): readonly Use[] => {
    let found: Use[] = []
    if (active) for (let i = 0; i < uses.length; i++) if (isSkip(uses[i]!)) found = extended(found, uses[i]!)
    return found
  }
  return {
    isHandedOn: (from, consumer, via) =>
      via !== undefined &&
      sums(consumer).carriers.get(via) === true &&
      sums(consumer).received.has(from.expr) &&
      passedBy(via).includes(from.expr),
    isSkip(from, consumer) {
      let known = skipsFrom.get(from)
      if (!known) skipsFrom.set(from, (known = skips(vertexAt.get(from)!)))
      return known.length > 0 && known[lastBefore(known, vertexAt.get(consumer)!.place)]?.by.value === consumer
    },
  }
}

/** The sums in an equation with what hands its arguments on to them, and how often they receive each expression. */
interface Sums {
  /** Expressions of the equation, and whether they are among those. */
  readonly carriers: ReadonlyMap<Expr, boolean>
  readonly received: ReadonlyMap<Expr, number>
}

const passedBy = (expr: Expr): readonly Expr[] => expr.op.passes?.(expr) ?? []

const noSums: Sums = { carriers: new Map(), received: new Map() }

/** So most equations do. */
const handsNothingOn = ({ op }: Expr): boolean => op.vjp !== undefined && !op.passes && !op.slope && !op.joins

/** From the top of the equation down: through activations and normalisations, and through all that hands values on as they are. */
function sumsIn(root: Expr, active: Members): Sums {
  const carriers = new Map<Expr, boolean>()
  const received = new Map<Expr, number>()
  const todo = [{ expr: root, isSummed: false }]
  while (todo.length > 0) {
    const { expr, isSummed } = todo.pop()!
    if (isSource(expr) || carriers.has(expr)) continue
    const passed = expr.op.vjp ? passedBy(expr) : [definition(expr)!]
    const isSum = isSummed || passed.filter((a) => active.has(a)).length > 1
    carriers.set(expr, isSum)
    for (const arg of !isSummed && (expr.op.slope ?? expr.op.joins) ? expr.args : passed) {
      if (!isSource(arg)) todo.push({ expr: arg, isSummed: isSum })
      else if (isSum) received.set(arg, (received.get(arg) ?? 0) + 1)
    }
  }
  return { carriers, received }
}

/**
 * Tells whether a value reaches one of its consumers through another one. The latest consumers are followed first: where skips
 * lie inside each other, they lead past what they skip.
 */
function walker(vertices: readonly Vertex[]): (from: Vertex, to: Vertex) => boolean {
  /** By place: the last walk that came by. */
  const seen = new Array<number>(vertices.length).fill(0)
  let walk = 0
  return (from, to) => {
    walk++
    const waiting: { readonly uses: readonly Use[]; readonly next: number }[] = []
    let uses = from.uses
    let next = lastBefore(uses, to.place - 1)
    for (;;) {
      if (next < 0) {
        const last = waiting.pop()
        if (last === undefined) return false
        uses = last.uses
        next = last.next
        continue
      }
      const { by } = uses[next--]!
      if (by === to) return true
      if (seen[by.place] === walk) continue
      seen[by.place] = walk
      if (next >= 0) waiting.push({ uses, next })
      uses = by.uses
      next = lastBefore(uses, to.place)
    }
  }
}

/** The index of the last consumer that is defined at a place or before it; consumers are in the order of their definition. */
function lastBefore(uses: readonly Use[], end: number): number {
  let low = 0
  let high = uses.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (uses[middle]!.by.place <= end) low = middle + 1
    else high = middle
  }
  return low - 1
}
