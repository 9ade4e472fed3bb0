/** Laws of one network: where a rule has built again what a node stands for, the node's name is put in its place. */
import { type Expr, make, type Op } from '../expr/expr.ts'
import { Table } from '../expr/table.ts'
import type { Network } from '../network/network.ts'
import { add, divide, negate } from '../ops/arithmetic.ts'
import { broadcast, inShape } from '../ops/movement.ts'
import type { Law } from '../rewrite/engine.ts'
import { product, singleFactors } from '../rewrite/terms.ts'
import { tidiers } from '../rewrite/tidy.ts'

/** A node that is a quotient: its name, and what it divides by what. */
interface Quotient {
  readonly name: Expr
  readonly over: Expr
  readonly under: Expr
}

export function recognisers(network: Network): readonly Law[] {
  const { tidy } = tidiers()
  const nameOf = new Table<Expr>()
  const defining = new Set<Op>()
  const quotients = new Map<Expr, Quotient>()
  const note = (definition: Expr, name: Expr): void => {
    if (nameOf.has(definition)) return
    nameOf.set(definition, name)
    defining.add(definition.op)
  }
  for (const { expr } of network.values.values()) {
    const definition = expr.args[0]
    if (!definition || definition.visible.length === 0) continue
    note(definition, expr)
    if (typeof definition.attrs.keepdims === 'boolean') {
      const other = make(definition.op, definition.args, { ...definition.attrs, keepdims: !definition.attrs.keepdims })
      note(other, inShape(expr, other.shape))
    }
    if (definition.op !== divide && definition.op !== add) continue
    // what rules build has been tidied by the time it is looked at
    const tidied = definition.args.some(isCopied) ? tidy(definition) : definition
    if (tidied !== definition) note(tidied, expr)
    if (tidied.op === divide) quotients.set(tidied.args[0]!, { name: expr, over: tidied.args[0]!, under: tidied.args[1]! })
  }
  return [
    { name: 'by the definition of a node', on: (op) => defining.has(op), apply: (expr) => nameOf.get(expr) ?? null },
    ...(quotients.size > 0 ? [quotientByName(quotients)] : []),
  ]
}

/** A copy, or a difference with one: tidying gives it another form. */
const isCopied = (expr: Expr): boolean =>
  expr.op === broadcast || expr.op === negate || (expr.op === add && expr.args.some((a) => a.op === broadcast))

/** (c ⊙ a)/(s ⊙ b) = x̂ ⊙ a/b, where x̂ = c/s is a node. */
const quotientByName = (quotients: ReadonlyMap<Expr, Quotient>): Law => ({
  name: 'by the definition of a node',
  on: [divide],
  apply({ args: [over, under] }) {
    const [above, below] = [singleFactors(over!), singleFactors(under!)]
    for (const [i, factor] of above.entries()) {
      const known = quotients.get(factor)
      const at = known ? below.indexOf(known.under) : -1
      if (!known || at < 0) continue
      const [numerator, rest] = [product(above.with(i, known.name))!, product(below.filter((_, k) => k !== at))]
      return rest ? divide(numerator, rest) : numerator
    }
    return null
  },
})
