/** What loops whose length is a symbol send to the values outside. */
import type { Derivation, LoopDerivation, Shared } from '../derive/derive.ts'
import { over, through } from '../derive/recurrence.ts'
import { typeset } from '../expr/typeset.ts'
import { derivative } from '../layout/layout.ts'
import type { Value } from '../network/network.ts'
import { type Line, lineOf, statementLine } from './lines.ts'

/** ∂L/∂W = Σ over the steps of what each sends back. */
export function sumLine({ of, term, isAll }: Shared, { loop, derivation }: LoopDerivation): Line {
  const plain = derivative(derivation.network.loss.layout, of.layout)
  const sum = over('∑', loop.index, loop.from, loop.to, typeset(term))
  return lineOf(isAll ? plain : through(plain, loop.mark), sum, { of, shape: of.expr.shape, shows: [term] })
}

/** What a value outside a loop receives from it, and the loop that sends it. */
export interface Received {
  readonly line: Line
  readonly from: LoopDerivation
  /** Nothing else sends an error to the value. */
  readonly isAll: boolean
}

/** What a value receives from the loops whose length is a symbol. */
export const receivedFrom = (value: Value, { loops }: Derivation): readonly Received[] =>
  loops.flatMap((from): Received[] => {
    const sum = from.shared.find((s) => s.of === value)
    const first = from.firsts.find((f) => f.of === value)
    const end = from.ends.find((e) => e.last === value)
    const statements = from.statements.filter((s) => s.of === (end && s.isEnd ? end.of : value))
    const told = statements.map((s): Received => ({ line: statementLine(s), from, isAll: first?.isAll ?? false }))
    return [...told, ...(sum ? [{ line: sumLine(sum, from), from, isAll: sum.isAll }] : [])]
  })
