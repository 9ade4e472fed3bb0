/** Stretches of a network: from one value to another, with everything between them used nowhere else. */
import { type Expr, inOrder } from '../expr/expr.ts'
import type { Network, Value } from '../network/network.ts'
import { add } from '../ops/arithmetic.ts'
import { dot } from '../ops/linear.ts'
import { isSource } from '../ops/pullback.ts'
import type { Structure } from './reverse.ts'

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

/** Sums, means and their kin, and the losses, which sum what they compare. */
const isReduction = (e: Expr): boolean => 'keepdims' in e.attrs || 'reduction' in e.attrs || e.op === dot

/** The stretches in which something is summed over axes; none, at the cost of a look at each expression, where nothing is. */
export function stretchesOf(network: Network, { uses, parts, sources: sourcesOf, valueAt, varies }: Structure): readonly Stretch[] {
  const reducing = new Set([...parts.keys()].filter((value) => parts.get(value)!.some(isReduction)))
  if (reducing.size === 0) return []
  const sources = (value: Value): readonly Expr[] => [...sourcesOf.get(value)!.keys()]
  const isVarying = (value: Value | undefined): value is Value => value !== undefined && varies.has(value.expr)

  const ends = new Set<Value>()
  let front: readonly Value[] = [...reducing]
  for (let step = 0; step <= stepsDown; step++) {
    for (const value of front) ends.add(value)
    front = [...new Set(front.flatMap((v) => uses.get(v)!.map((u) => u.by)))].filter((v) => !ends.has(v))
  }

  /** The values above one, itself first. */
  const above = (to: Value): readonly Value[] => {
    const found = new Set([to])
    for (const value of found) {
      if (!parts.has(value)) continue
      for (const source of sources(value)) {
        const next = valueAt.get(source)
        if (isVarying(next) && found.size < mostAbove) found.add(next)
      }
    }
    return [...found]
  }

  const stretch = (from: Value, to: Value, window: readonly Value[]): Stretch | undefined => {
    const behind = new Set([from])
    for (let size = 0; size !== behind.size; ) {
      size = behind.size
      for (const v of window) if (parts.has(v) && v !== from && sources(v).some((s) => behind.has(valueAt.get(s)!))) behind.add(v)
    }
    if (!behind.delete(to)) return undefined
    behind.delete(from)
    const isInside = (v: Value): boolean => v === to || behind.has(v)
    if (![...behind].every((v) => uses.get(v)!.every((u) => isInside(u.by)))) return undefined
    if (![...behind, to].some((v) => reducing.has(v))) return undefined
    const isReached = (e: Expr): boolean => inOrder([e]).some((part) => part === from.expr || behind.has(valueAt.get(part)!))
    const end = withoutOthers(to.expr, isReached)
    const last = end === to.expr ? undefined : inOrder([end])
    if (last && !last.some(isReduction) && ![...behind].some((v) => reducing.has(v))) return undefined
    const used = new Set([...[...behind].flatMap(sources), ...(last?.filter(isSource) ?? sources(to))])
    return { from, to, end, inner: behind, others: [...used].filter((e) => e.id >= 0 && e !== from.expr && !behind.has(valueAt.get(e)!)) }
  }

  return [...ends]
    .filter((to) => isVarying(to) && (to !== network.loss || !network.lossIsOpaque))
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
