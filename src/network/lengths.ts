/** The length of loops whose length is a symbol, from the members that a dump has: x[1] … x[5] make five steps. */
import { Failure } from '../diagnostic.ts'
import type { Dump } from './dump.ts'
import type { Lengths, Network } from './network.ts'

/** The same number for all. */
export const evenly = (depths: readonly string[], length: number): Lengths => new Map(depths.map((name) => [name, length]))

/** N = 1, 2, 3, or (N, M) = (1, 2), (3, 2) */
export function lengthsText(lengths: readonly Lengths[]): string {
  const names = [...(lengths[0]?.keys() ?? [])]
  const list = (items: readonly (string | number)[]): string => (names.length === 1 ? `${items[0]}` : `(${items.join(', ')})`)
  return `${list(names)} = ${lengths.map((l) => list(names.map((name) => l.get(name)!))).join(', ')}`
}

/** The network with loops of the length that fits the arrays best. */
export function unrolledFor(network: Network, { values, gradients }: Dump): Network {
  const { unrolling } = network
  if (!unrolling) return network
  const names = [...values.keys(), ...(gradients?.keys() ?? [])]
  const last = names.flatMap((name) => [...name.matchAll(/\[(\d+)\]/g)].map((m) => Number(m[1]))).reduce((a, b) => Math.max(a, b), 0)
  // x[1] … x[T] and z[0] … z[N−1] end one apart
  const candidates = [last, last + 1, last - 1].filter((length) => length > 0)
  const fitting = candidates.flatMap((length) => {
    const candidate = attempt(() => unrolling.to(evenly(unrolling.depths, length)))
    return candidate ? [{ candidate, misfits: misfitsOf(candidate, new Set(values.keys()), names) }] : []
  })
  return fitting.sort((a, b) => a.misfits - b.misfits)[0]?.candidate ?? network
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}

/** How many arrays are lacking, and how many are too many. */
function misfitsOf(network: Network, given: ReadonlySet<string>, names: readonly string[]): number {
  const lacking = [...network.values.values()].filter((v) => v.expr.args.length === 0 && !network.fixed.has(v.expr) && !given.has(v.name))
  return lacking.length + names.filter((name) => /\[\d+\]/.test(name) && !name.includes('/') && !network.values.has(name)).length
}
