/** Seeded random numbers: the same seed gives the same draws on every machine. */
import { sizeOf, type Tensor, tensor } from './tensor.ts'

/** A stream of uniform numbers in [0, 1). */
export type Random = () => number

/** A stream named by a seed and any further words, so that independent draws don't disturb each other. */
export function randomFrom(seed: number, ...words: readonly (string | number)[]): Random {
  let state = seed | 0
  for (const c of words.join('/')) state = (Math.imul(state ^ c.codePointAt(0)!, 0x01000193) + 0x9e3779b9) | 0
  // mulberry32, Tommy Ettinger 2017 (public domain)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** A standard normal number (Box & Muller 1958). */
export const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** A whole number from 0 to n − 1. */
export const below = (random: Random, n: number): number => Math.floor(random() * n)

/** A tensor of independent normal numbers. */
export function normalTensor(random: Random, shape: readonly number[], scale = 1): Tensor {
  const data = new Float64Array(sizeOf(shape))
  for (let i = 0; i < data.length; i++) data[i] = scale * normal(random)
  return tensor(shape, data)
}

/** The items in a random order (Fisher & Yates). */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = below(random, i + 1)
    ;[result[i], result[j]] = [result[j]!, result[i]!]
  }
  return result
}
