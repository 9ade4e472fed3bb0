/** The table of laws that bring a formula into the form that is printed. */
import { type Law, type Rewriter, rewriter } from './engine.ts'
import { mapLaws, printedMaps } from './maps.ts'
import { collectProducts, powersAndMasks, quotients } from './products.ts'
import { printedReductions } from './reductions.ts'
import { collectSums, factorSums, signs } from './sums.ts'

const withoutFactoring = [
  ...collectSums,
  ...signs,
  ...collectProducts,
  ...quotients,
  ...powersAndMasks,
  ...mapLaws,
  ...printedMaps,
  ...printedReductions,
]

export const tidyLaws = [...withoutFactoring, ...factorSums]

/** A fresh rewriter to the printed form, with laws of one network's own; it remembers what it has seen, so one serves a whole derivation. */
export const tidier = (...own: readonly Law[]): Rewriter => rewriter([...own, ...tidyLaws])

/** A rewriter for sums of tidy terms: like terms meet, but no factor is taken out, so each path keeps its term. */
export const collector = (...own: readonly Law[]): Rewriter => rewriter([...own, ...withoutFactoring])
