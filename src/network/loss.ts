/** The loss: a scalar expression, or an unknown function of its arguments. */

import { fail, locating } from '../diagnostic.ts'
import type { Expr } from '../expr/expr.ts'
import { shapeText } from '../expr/shape.ts'
import type { Layout } from '../layout/layout.ts'
import { named } from '../ops/leaves.ts'
import { opaque } from '../ops/opaque.ts'
import type { Ast, EquationAst } from './ast.ts'
import type { Text } from './document.ts'
import { type Draft, define, layoutOf } from './draft.ts'
import type { Equation } from './equations.ts'
import { expressionOf } from './expression.ts'
import type { Scope } from './network.ts'
import { parseEquation, parseExpression } from './syntax.ts'

const lossName = 'L'

export function lossEquation(text: Text): Equation {
  const hasName = /^[^=!<>()]+=[^=]/.test(text.text)
  if (!hasName) {
    const value = parseExpression(text)
    return { name: value.kind === 'call' && /^\p{Lu}$/u.test(value.callee) ? value.callee : lossName, span: text.span, value }
  }
  const { targets, value } = parseEquation(text) as EquationAst
  const [target] = targets
  if (target?.kind !== 'name' || targets.length > 1) fail('syntax', { expected: 'a name before the =', found: 'an expression' }, text.span)
  return { name: target.name, span: text.span, value }
}

/** L(y): a call of a letter that is not declared as a function. */
export const isOpaqueLoss = (value: Ast, draft: Draft): boolean =>
  value.kind === 'call' && /^\p{Lu}$/u.test(value.callee) && !draft.functions.has(value.callee)

export function defineLoss({ name, span, value }: Equation, isOpaque: boolean, draft: Draft, scope: Scope): void {
  if (draft.values.has(name)) {
    fail('duplicate-name', { name, first: 'a value of the network; give the loss another name: E = …' }, span)
  }
  const layout = layoutOf(name, draft)
  const expr = isOpaque && value.kind === 'call' ? opaqueLoss(value, layout, scope) : expressionOf(value, scope)
  if (expr.shape.length > 0) fail('not-scalar', { what: 'the loss', shape: shapeText(expr.shape) }, value.span)
  define({ name, role: 'loss', expr: named(name, layout, expr), layout, span }, draft)
}

function opaqueLoss(value: Ast & { kind: 'call' }, head: Layout, scope: Scope): Expr {
  if (value.args.length === 0 || value.named.length > 0)
    fail('argument-count', { signature: `${value.callee}(y)`, given: value.args.length }, value.span)
  const args = value.args.map((a) => expressionOf(a, scope))
  return locating(value.span, () =>
    opaque(
      value.callee,
      head,
      value.args.map((_, i) => `x${i}`),
      () => [],
      true,
    ).apply(args),
  )
}
