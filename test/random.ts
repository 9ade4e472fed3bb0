/** Seeded choices for the tests. */
import { below, type Random } from '../src/tensor/random.ts'

export { below, type Random, randomFrom, shuffled } from '../src/tensor/random.ts'

export const pick = <T>(random: Random, items: readonly T[]): T => items[below(random, items.length)]!
