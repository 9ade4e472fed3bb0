/** Stretches of a network: from one value to another, with everything between them used nowhere else. */
import type { Expr } from '../expr/expr.ts'
import { inOrder } from '../expr/traverse.ts'
import type { Network, Value } from '../network/network.ts'
import { add } from '../ops/arithmetic.ts'
import { isSource } from '../ops/pullback.ts'
import { isReduction, type Structure, type Use, type Vertex } from './structure.ts'

export interface Stretch {
  readonly from: Value
  readonly to: Value
  /** What it makes of them: the name of `to`, or the summands that it reaches, where others stand beside them. */
  readonly end: Expr
  /** The values between them. */
  readonly inner: ReadonlySet<Value>
  /** What else they are made of. */
  readonly others: readonly Expr[]
}

/** So far from a reduction the ends of a stretch are looked for. */
const [stepsDown, mostAbove] = [4, 16]

/** The stretches in which something is summed over axes. */
export function stretchesOf(network: Network, structure: Structure): readonly Stretch[] {
  if (structure.reducing.length === 0) return []
  const { valueAt } = structure
  const reducing = new Set(structure.reducing)
  const reduces = (vertex: Vertex): boolean => reducing.has(vertex)

  const ends = new Set<Vertex>()
  let front: readonly Vertex[] = [...reducing]
  for (let step = 0; step <= stepsDown; step++) {
    for (const vertex of front) ends.add(vertex)
    front = [...new Set(front.flatMap(({ uses }) => uses.map((u) => u.by)))].filter((v) => !ends.has(v))
  }

  /** The vertices above one, itself first. */
  const above = (to: Vertex): readonly Vertex[] => {
    const found = new Set([to])
    for (const { sources } of found) for (const { of } of sources) if (of?.varies && found.size < mostAbove) found.add(of)
    return [...found]
  }

  const stretch = (from: Vertex, to: Vertex, window: readonly Vertex[]): Stretch | undefined => {
    const behind = new Set([from])
    const isBehind = ({ of }: Use): boolean => of !== undefined && behind.has(of)
    for (let size = 0; size !== behind.size; ) {
      size = behind.size
      for (const v of window) if (v !== from && v.sources.some(isBehind)) behind.add(v)
    }
    if (!behind.delete(to)) return undefined
    behind.delete(from)
    const isInside = (v: Vertex): boolean => v === to || behind.has(v)
    if (![...behind].every((v) => v.uses.every((u) => isInside(u.by)))) return undefined
    if (![...behind, to].some(reduces)) return undefined
    const inner = new Set([...behind].map((v) => v.value))
    const isOwn = (e: Expr): boolean => e === from.value.expr || inner.has(valueAt.get(e)!)
    const end = withoutOthers(to.value.expr, (e) => inOrder([e]).some(isOwn))
    const last = end === to.value.expr ? undefined : inOrder([end])
    if (last && !last.some(isReduction) && ![...behind].some(reduces)) return undefined
    const sourcesOf = ({ sources }: Vertex): readonly Expr[] => sources.map((use) => use.source)
    const used = new Set([...[...behind].flatMap(sourcesOf), ...(last?.filter(isSource) ?? sourcesOf(to))])
    return { from: from.value, to: to.value, end, inner, others: [...used].filter((e) => e.id >= 0 && !isOwn(e)) }
  }

  return [...ends]
    .filter((to) => to.varies && (to.value !== network.loss || !network.lossIsOpaque))
    .flatMap((to) => {
      const window = above(to)
      return window.slice(1).flatMap((from) => stretch(from, to, window) ?? [])
    })
}

/** A sum sends each summand the whole error: what stands beside those that are reached (a shift, a penalty) changes nothing. */
function withoutOthers(name: Expr, isReached: (e: Expr) => boolean): Expr {
  const sum = name.args[0]!
  const reached = sum.op === add ? sum.args.filter(isReached) : sum.args
  if (reached.length === sum.args.length) return name
  return reached.length === 1 ? reached[0]! : add(reached)
}
