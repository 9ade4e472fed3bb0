/** The table of laws that bring a formula into the form that is printed. */
import { type Law, type Rewriter, rewriter } from './engine.ts'
import { mapLaws, printedMaps } from './maps.ts'
import { collectProducts, powersAndMasks, quotients } from './products.ts'
import { collectSums, factorSums, signs } from './sums.ts'

export const tidyLaws = [
  ...collectSums,
  ...signs,
  ...collectProducts,
  ...quotients,
  ...powersAndMasks,
  ...mapLaws,
  ...printedMaps,
  ...factorSums,
]

/** A fresh rewriter to the printed form, with laws of one network's own; it remembers what it has seen, so one serves a whole derivation. */
export const tidier = (...own: readonly Law[]): Rewriter => rewriter([...own, ...tidyLaws])

/** A rewriter that only brings a sum of tidy terms together: like terms meet, but no factor is taken out. */
export const collector = (): Rewriter => rewriter([...collectSums, ...signs, ...collectProducts])
