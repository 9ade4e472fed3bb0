/** Stretches of a network: from one value to another, with everything between them used nowhere else. */
import type { Expr } from '../expr/expr.ts'
import type { Network, Value } from '../network/network.ts'
import { dot } from '../ops/linear.ts'
import type { Structure } from './reverse.ts'

export interface Stretch {
  readonly from: Value
  readonly to: Value
  /** The values between them. */
  readonly inner: ReadonlySet<Value>
  /** What else they are made of. */
  readonly others: readonly Expr[]
}

/** So far from a reduction the ends of a stretch are looked for. */
const [stepsDown, mostAbove] = [4, 16]

/** The stretches in which something is summed over axes; none, at the cost of a look at each expression, where nothing is. */
export function stretchesOf(network: Network, { uses, parts, sources: sourcesOf, valueAt, varies }: Structure): readonly Stretch[] {
  const reducing = new Set([...parts.keys()].filter((value) => parts.get(value)!.some((e) => 'keepdims' in e.attrs || e.op === dot)))
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
    const used = new Set([...behind, to].flatMap(sources))
    return { from, to, inner: behind, others: [...used].filter((e) => e.id >= 0 && e !== from.expr && !behind.has(valueAt.get(e)!)) }
  }

  return [...ends]
    .filter((to) => isVarying(to) && (to !== network.loss || !network.lossIsOpaque))
    .flatMap((to) => {
      const window = above(to)
      return window.slice(1).flatMap((from) => stretch(from, to, window) ?? [])
    })
}
