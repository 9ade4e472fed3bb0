/** The loss, all values and all gradients of a network in numbers, at the point that a dump gives. */
import type { Derivation } from '../derive/derive.ts'
import { inSource, type Source } from '../diagnostic.ts'
import { evaluate, type Point } from '../expr/evaluate.ts'
import { concreteShape } from '../expr/shape.ts'
import type { Dump } from '../network/dump.ts'
import type { Value } from '../network/network.ts'
import { full, type Tensor } from '../tensor/tensor.ts'
import { type GivenPoint, pointOf, requireKnown } from './given.ts'
import { brokenPromises } from './promises.ts'

export interface Evaluation {
  /** Null for an opaque loss. */
  readonly loss: number | null
  /** Everything that has a name, the loss excepted. */
  readonly values: ReadonlyMap<Value, Tensor>
  /** Of the inputs, the parameters and all nodes between them and the loss. */
  readonly gradients: ReadonlyMap<Value, Tensor>
  readonly given: GivenPoint
  readonly dump: Dump
  /** What the spec promises of its values, and they do not keep. */
  readonly remarks: readonly string[]
}

/** Evaluates a network with the arrays of a dump. Throws a Failure with all faults of the dump, or of a spec that can't be evaluated. */
export function evaluateNetwork(derivation: Derivation, dump: Dump, source: Source): Evaluation {
  const { network, gradients } = derivation
  const given = inSource(source, () => pointOf(dump, source, derivation))
  const all = [...network.values.values()].filter((v) => v !== network.loss)
  const totals = all.flatMap((v) => gradients.get(v)?.total ?? [])
  const roots = [...all.map((v) => v.expr), ...totals, ...(network.lossIsOpaque ? [] : [network.loss.expr])]
  requireKnown(roots, given.point.values, derivation)
  const known = evaluate(roots, given.point)
  const slopes = all.filter((v) => gradients.has(v) || v.role === 'input' || v.role === 'param')
  return {
    loss: network.lossIsOpaque ? null : known.get(network.loss.expr)!.data[0]!,
    values: new Map(all.map((v) => [v, known.get(v.expr)!])),
    gradients: new Map(slopes.map((v) => [v, gradients.has(v) ? known.get(gradients.get(v)!.total)! : zeros(v, given.point)])),
    given,
    dump,
    remarks: brokenPromises(network, given.point),
  }
}

/** The gradient by what the loss does not depend on. */
const zeros = ({ expr }: Value, { sizes }: Point): Tensor => full(concreteShape(expr.shape, sizes), 0)
