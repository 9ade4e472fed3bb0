/** The loss: a scalar expression, or an unknown function of its arguments. */

import { fail, locating, type Span } from '../diagnostic.ts'
import type { Expr } from '../expr/expr.ts'
import { shapeText } from '../expr/shape.ts'
import type { Layout } from '../layout/layout.ts'
import { named } from '../ops/leaves.ts'
import { opaque } from '../ops/opaque.ts'
import type { Ast, EquationAst } from './ast.ts'
import type { Text } from './document.ts'
import { type Draft, layoutOf } from './draft.ts'
import { expressionOf } from './expression.ts'
import { define, type Frame, namedValue } from './frame.ts'
import type { Scope } from './network.ts'
import { parseEquation, parseExpression } from './syntax.ts'

const lossName = 'L'

/** The loss under its name, parsed but not yet read. */
export interface LossEquation {
  readonly name: string
  readonly span: Span
  readonly value: Ast
}

export function lossEquation(text: Text): LossEquation {
  const hasName = /^[^=!<>()]+=[^=]/.test(text.text)
  if (!hasName) {
    const value = parseExpression(text)
    return { name: value.kind === 'call' && isCapital(value.callee) ? value.callee : lossName, span: text, value }
  }
  const { targets, value } = parseEquation(text) as EquationAst
  const [target] = targets
  if (target?.kind !== 'name' || targets.length > 1) fail('syntax', { expected: 'a name before the =', found: 'an expression' }, text)
  return { name: target.name, span: text, value }
}

/** One letter, as losses are named. */
const isCapital = (name: string): boolean => [...name].length === 1 && name !== name.toLowerCase()

/** L(y): a call of a letter that is not declared as a function. */
export const isOpaqueLoss = (value: Ast, draft: Draft): boolean =>
  value.kind === 'call' && isCapital(value.callee) && !draft.functions.has(value.callee)

export function defineLoss({ name, span, value }: LossEquation, isOpaque: boolean, frame: Frame): void {
  const { draft, scope } = frame
  if (draft.values.has(name)) {
    fail('duplicate-name', { name, first: 'a value of the network; give the loss another name: E = …' }, span)
  }
  const layout = layoutOf(name, draft)
  const expr = isOpaque && value.kind === 'call' ? opaqueLoss(value, layout, scope) : expressionOf(value, scope)
  if (expr.shape.length > 0) fail('not-scalar', { what: 'the loss', shape: shapeText(expr.shape) }, value)
  define(name, namedValue({ name, layout, span }, 'loss', named(name, layout, expr)), frame)
}

function opaqueLoss(value: Ast & { kind: 'call' }, head: Layout, scope: Scope): Expr {
  if (value.args.length === 0 || value.named.length > 0)
    fail('argument-count', { signature: `${value.callee}(y)`, given: value.args.length }, value)
  const args = value.args.map((a) => expressionOf(a, scope))
  return locating(value, () => lossOf(value.callee, head, args))
}

const lossOf = (name: string, head: Layout, args: readonly Expr[]): Expr =>
  opaque(
    name,
    head,
    args.map((_, i) => `x${i}`),
    () => [],
    head,
    'loss',
  ).apply(args)

/** The loss of a part of a network, of which only the arguments are known. */
export function defineOpaqueLoss(name: string, args: readonly Ast[], span: Span, frame: Frame): void {
  const layout = layoutOf(name, frame.draft)
  const expr = lossOf(
    name,
    layout,
    args.map((a) => expressionOf(a, frame.scope)),
  )
  define(name, namedValue({ name, layout, span }, 'loss', named(name, layout, expr)), frame)
}
