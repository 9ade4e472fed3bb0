/** The order in which a derivation is read: from the loss back, at each stop what arrives and then what is sent on; leaves last. */
import type { Expr } from '../expr/expr.ts'
import type { Network, Value } from '../network/network.ts'
import type { Branches } from './branches.ts'
import type { Gradient, Gradients } from './reverse.ts'
import type { Structure } from './structure.ts'

/** The formulas in that order; some stand twice. */
export function readingOrder(gradients: Gradients, { merges, fanOuts, told }: Branches, structure: Structure, { loss }: Network): Expr[] {
  const sentBy = termsByConsumer(gradients)
  const sent = (from: Value): Expr[] => {
    const terms = sentBy.get(from)
    return terms ? structure.vertexAt.get(from)!.sources.flatMap(({ source }) => terms.get(source) ?? []) : []
  }
  const stopsAt = ({ of }: Gradient): boolean => of !== loss && (merges.has(of) || fanOuts.has(of) || told.has(of))
  const all = [...gradients.values()]
  const leaves = (role: Value['role']): Expr[] => all.flatMap((g) => (g.of.role === role ? [g.total] : [])).reverse()
  const goesOn = (value: Value): boolean => merges.has(value) || told.has(value)
  const stops = all.filter(stopsAt).flatMap((g) => [g.total, ...(goesOn(g.of) ? sent(g.of) : [])])
  return [...sent(loss), ...stops, ...leaves('input'), ...leaves('param')]
}

/** What each consumer sends, by the value that receives it. */
function termsByConsumer(gradients: Gradients): ReadonlyMap<Value, ReadonlyMap<Expr, Expr>> {
  const found = new Map<Value, Map<Expr, Expr>>()
  for (const { of, contributions } of gradients.values()) {
    for (const { consumer, term } of contributions) {
      const own = found.get(consumer) ?? new Map<Expr, Expr>()
      found.set(consumer, own.set(of.expr, term))
    }
  }
  return found
}
