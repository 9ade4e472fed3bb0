/** The paths of the error inside single operations, such as those through the mean and the variance of a normalisation. */
import type { Expr, Path } from '../expr/expr.ts'
import { errorsIn, sumOfSent } from '../ops/pullback.ts'
import type { Gradients } from './reverse.ts'
import type { Structure } from './structure.ts'

/** An operation that sends the error of its first argument on several paths. */
export interface Inside {
  readonly expr: Expr
  /** The argument. */
  readonly of: Expr
  readonly paths: readonly Path[]
  /** What the paths add up to. */
  readonly total: Expr
}

/** Those of a network, with their terms as `inPrint` gives them. */
export function pathsInside({ varies }: Structure, gradients: Gradients, inPrint: (expr: Expr) => Expr): readonly Inside[] {
  return [...gradients.values()].flatMap(({ of: at, adjoint }) =>
    at.role !== 'node' && at.role !== 'loss'
      ? []
      : errorsIn(at.expr, adjoint, varies).flatMap(({ of: expr, sent }) => {
          const { op, args, attrs } = expr
          if (!op.paths || !op.vjp || !varies.has(args[0]!)) return []
          const own = [args, sumOfSent(sent), attrs, expr === at.expr.args[0] ? at.expr : expr] as const
          const paths = op.paths(...own).map(({ through, term }) => ({ through, term: inPrint(term) }))
          return [{ expr, of: args[0]!, paths, total: inPrint(op.vjp(...own)[0]!) }]
        }),
  )
}
