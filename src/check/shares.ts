/** What share of a gradient comes by ways of each length, in numbers. */
import type { Derivation } from '../derive/derive.ts'
import { byLength, type ErrorGraph, type Hop, type Unit } from '../derive/ways.ts'
import { evaluate } from '../expr/evaluate.ts'
import type { Expr } from '../expr/expr.ts'
import { inOrder } from '../expr/traverse.ts'
import { nameLayout } from '../layout/names.ts'
import type { Value } from '../network/network.ts'
import { variable } from '../ops/leaves.ts'
import { norm, scalar, type Tensor, zip } from '../tensor/tensor.ts'
import type { Evaluation } from './evaluation.ts'

/** The norms of what ways of each length contribute, divided by their sum. The contributions may cancel; their norms don't. */
export function sharesByLength(
  graph: ErrorGraph,
  unit: Unit,
  target: Value,
  derivation: Derivation,
  { given }: Evaluation,
): readonly number[] {
  const { network, gradients } = derivation
  const { point } = given
  const forward = graph.order.filter((e) => !(network.lossIsOpaque && isAbove(e, network.loss.expr)))
  const known = evaluate(forward, point)
  const sum = (a: Tensor, b: Tensor): Tensor => zip(a, b, (x, y) => x + y)

  /** The error of an argument of an opaque loss, which a dump gives. */
  const direct = (argument: Expr): Tensor => {
    const gradient = gradients.get(graph.valueAt.get(argument)!)!
    const term = gradient.contributions.find((c) => c.consumer === network.loss)!.term
    return evaluate([term], point).get(term)!
  }
  const sent = ({ from, to, slot }: Hop, error: Tensor): Tensor => {
    if (network.lossIsOpaque && isAbove(from, network.loss.expr)) return from === network.loss.expr ? error : direct(to)
    const g = variable('g', from.shape, nameLayout('g'))
    const back = graph.back(from, g)[slot]!
    const leaves = inOrder([back], (e) => (known.has(e) ? [] : e.args)).filter((e) => known.has(e))
    const values = new Map(leaves.map((e) => [e, known.get(e)!]))
    return evaluate([back], { sizes: point.sizes, values: values.set(g, error) }).get(back)!
  }
  const start = scalar(1)
  const found = byLength<Tensor>(graph, unit, target, start, (so, hop, more) => (so ? sum(so, sent(hop, more)) : sent(hop, more)), sum)
  const norms = Array.from(found, (t) => (t ? norm(t) : 0))
  const total = norms.reduce((a, b) => a + b, 0)
  return norms.map((n) => (total > 0 ? n / total : 0))
}

/** The loss's name and the call behind it. */
const isAbove = (expr: Expr, loss: Expr): boolean => expr === loss || expr === loss.args[0]
