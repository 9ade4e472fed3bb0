/** The table of laws that bring a formula into the form that is printed. */
import type { Expr } from '../expr/expr.ts'
import { Table } from '../expr/table.ts'
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

interface Tidiers {
  /** To the printed form. */
  readonly tidy: Rewriter
  /** For sums of tidy terms: like terms meet, but no factor is taken out, so each path keeps its term. */
  readonly collect: Rewriter
}

/** Fresh rewriters, with laws of one network's own; they remember what they have seen, so they serve a whole derivation. */
export function tidiers(...own: readonly Law[]): Tidiers {
  const tidied = new Table<Expr>()
  return {
    tidy: rewriter([...own, ...tidyLaws], tidied),
    collect: rewriter([...own, ...withoutFactoring], new Table<Expr>(), tidied),
  }
}
