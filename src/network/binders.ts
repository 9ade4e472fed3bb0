/** Calls that bind a name: in fixed_point(z, tanh(W @ z + x)) the z is the call's own. */
import { collecting, fail } from '../diagnostic.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, sameShape } from '../expr/shape.ts'
import { nameLayout } from '../layout/names.ts'
import { fixedPoint } from '../ops/fixed_point.ts'
import { variable } from '../ops/leaves.ts'
import type { Ast } from './ast.ts'
import type { Scope } from './network.ts'

type Call = Ast & { kind: 'call' }
type Binder = (bound: Expr, body: Expr) => Expr

const binders: ReadonlyMap<string, Binder> = new Map([['fixed_point', fixedPoint]])
export const binderNames = [...binders.keys()]
export const isBinder = (callee: string): boolean => binders.has(callee)

/**
 * What a call that binds a name stands for. `bodyWith` reads the body in a scope in which the name means something of a
 * shape: of the shapes that the body's names have the smallest that the body then has, too.
 */
export function boundCall(ast: Call, scope: Scope, bodyWith: (body: Ast, scope: Scope) => Expr, mentioned: readonly string[]): Expr {
  const [name, body] = ast.args
  const signature = `${ast.callee}(z, expression of z)`
  if (name?.kind !== 'name' || !body || ast.args.length > 2 || ast.named.length > 0)
    fail('argument-count', { signature, given: ast.args.length + ast.named.length })
  const attempt = (shape: Shape): { bound: Expr; value: Expr } => {
    const bound = variable(name.name, shape, nameLayout(name.name))
    return { bound, value: bodyWith(body, { ...scope, values: new Map(scope.values).set(name.name, bound) }) }
  }
  const others = mentioned.flatMap((m) => (m !== name.name && scope.values.has(m) ? [scope.values.get(m)!.shape] : []))
  const shapes: Shape[] = [[], ...others].sort((a, b) => a.length - b.length)
  for (const shape of shapes) {
    const read = collecting([], () => attempt(shape))
    if (read && sameShape(read.bound.shape, read.value.shape)) return binders.get(ast.callee)!(read.bound, read.value)
  }
  // none fits: the fault of the last one tells most
  const { bound, value } = attempt(shapes.at(-1)!)
  return binders.get(ast.callee)!(bound, value)
}
