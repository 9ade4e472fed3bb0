/** Means, variances and the like inside an equation, taken for constants. */
import type { Derivation } from '../derive/derive.ts'
import type { Gradient } from '../derive/reverse.ts'
import { definition, type Expr } from '../expr/expr.ts'
import { broadcastShape, sameShape } from '../expr/shape.ts'
import { inOrder, substitute } from '../expr/traverse.ts'
import type { Value } from '../network/network.ts'
import { add, stopGradient } from '../ops/arithmetic.ts'
import { named } from '../ops/leaves.ts'
import { pullback } from '../ops/pullback.ts'
import { largest } from '../tensor/tensor.ts'
import { mistakes as words } from '../words.ts'
import { alonesAndPairs, nameOf, text } from './changes.ts'
import { type Evidence, explains } from './evidence.ts'
import type { Diagnosis } from './kinds.ts'

/** So many are tried, alone and in pairs. */
const most = 8

/** A part of an equation, smaller than the value that it depends on, through which no error was sent. */
export function byFrozenPart({ of, contributions }: Gradient, derivation: Derivation, evidence: Evidence): Diagnosis | undefined {
  if (evidence.samples.every(({ claimed }) => largest(claimed) === 0)) return undefined
  for (const { consumer } of contributions) {
    const error = derivation.raw.get(consumer)?.adjoint
    if (!error) continue
    const others = contributions.filter((c) => c.consumer !== consumer).map((c) => c.term)
    const written = consumer.expr.args[0]!
    for (const root of new Set([written, opened(written)])) {
      for (const held of alonesAndPairs(partsOf(root, of).slice(-most))) {
        const [stopped] = substitute([root], (e) => (held.includes(e) ? stopGradient(e) : undefined))
        const term = pullback(named(consumer.name, consumer.layout, stopped!), error, new Set([of.expr])).get(of.expr)
        // where nothing is left, a way is missing: that is another mistake
        if (!term || !explains(add([term, ...others]), evidence)) continue
        return { kind: 'constant', message: words.constant({ names: held.map(text), on: nameOf(of) }) }
      }
    }
  }
  return undefined
}

/** An equation with its composites written out. */
const opened = (root: Expr): Expr => substitute([root], (e) => definition(e))[0]!

/** What depends on a value and is smaller: what is repeated to its shape, or could be. */
function partsOf(root: Expr, { expr }: Value): Expr[] {
  const varying = new Set<Expr>([expr])
  for (const e of inOrder([root], (x) => (x.op.atomic ? [] : x.args)))
    if (e.args.some((a) => varying.has(a)) && !e.op.atomic) varying.add(e)
  const isSmaller = ({ shape }: Expr): boolean =>
    !sameShape(shape, expr.shape) && sameShape(broadcastShape(shape, expr.shape) ?? [], expr.shape)
  return [...varying].filter((e) => e !== root && isSmaller(e))
}
