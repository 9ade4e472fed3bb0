/** Jacobians used in the wrong way: not transposed, or its row sums or diagonal for its product with the error. */
import type { Derivation } from '../derive/derive.ts'
import type { Contribution, Gradient } from '../derive/reverse.ts'
import { evaluate, evaluated } from '../expr/evaluate.ts'
import type { Expr } from '../expr/expr.ts'
import { sameShape } from '../expr/shape.ts'
import { derivative } from '../layout/layout.ts'
import { nameLayout } from '../layout/names.ts'
import { toText } from '../layout/text.ts'
import { add, multiply } from '../ops/arithmetic.ts'
import { fill, variable } from '../ops/leaves.ts'
import { type Tensor, tensor, zip } from '../tensor/tensor.ts'
import { mistakes as words } from '../words.ts'
import { type Evidence, explains, isSame } from './evidence.ts'
import type { Diagnosis } from './kinds.ts'
import { applied, type Operator } from './operator.ts'

/** The Jacobian of one consumer by the value, of the same shape, used wrongly. */
export function byJacobian(gradient: Gradient, derivation: Derivation, evidence: Evidence): Diagnosis | undefined {
  const { of, contributions } = gradient
  for (const contribution of contributions) {
    const { consumer } = contribution
    const error = derivation.raw.get(consumer)?.adjoint
    if (!error || of.expr.shape.length === 0 || !sameShape(error.shape, of.expr.shape)) continue
    const map: Operator = { kind: 'jacobian', of: consumer.expr, by: of.expr }
    const through = (x: Expr, transposed: boolean): Expr => applied(map, x, transposed, derivation.structure)
    const ones = fill(1, of.expr.shape)
    const jacobian = toText(derivative(consumer.layout, of.layout))
    const others = contributions.filter((c) => c !== contribution).map((c: Contribution) => c.term)
    const holds = (wrong: Expr): boolean => explains(add([wrong, ...others]), evidence)
    const message = holds(through(error, false))
      ? words['jacobian-not-transposed']({ jacobian })
      : holds(multiply([through(ones, false), error]))
        ? words['row-sum']({ jacobian })
        : holds(multiply([through(ones, true), error]))
          ? words['column-sum']({ jacobian })
          : isDiagonal(through, error, others, evidence)
            ? words.diagonal({ jacobian })
            : undefined
    if (message) return { kind: 'jacobian', message }
  }
  return undefined
}

/** So many columns of a Jacobian are looked at. */
const mostColumns = 256

/** diag(J) ⊙ g: the i-th entry of J eᵢ, for every i. */
function isDiagonal(
  through: (x: Expr, t: boolean) => Expr,
  error: Expr,
  others: readonly Expr[],
  { samples, tolerance }: Evidence,
): boolean {
  const e = variable('e', error.shape, nameLayout('e'))
  const column = through(e, false)
  const rest = others.length > 0 ? add(others) : fill(0, error.shape)
  return samples.every(({ point, claimed }) => {
    const found = evaluate([error, rest], point)
    const g = found.get(error)!
    if (g.data.length > mostColumns) return false
    const known = evaluated([error, rest], point.values).map((expr) => [expr, found.get(expr)!] as const)
    const values = new Map([...point.values, ...known])
    const diagonal = g.data.map(
      (_, i) => evaluate([column], { ...point, values: new Map(values).set(e, unit(g, i)) }).get(column)!.data[i]!,
    )
    const wrong = zip(
      zip(tensor(g.shape, diagonal), g, (d, x) => d * x),
      found.get(rest)!,
      (a, b) => a + b,
    )
    return isSame(wrong, claimed, tolerance)
  })
}

const unit = ({ shape, data }: Tensor, at: number): Tensor =>
  tensor(
    shape,
    data.map((_, i) => Number(i === at)),
  )
