/** Pointwise functions that a spec writes out: swish(t): t / (1 + exp(-t)). */
import { fail } from '../diagnostic.ts'
import { type Expr, make, operation } from '../expr/expr.ts'
import { call, type Layout, primed } from '../layout/layout.ts'
import { multiply } from '../ops/arithmetic.ts'
import { aligned } from '../ops/movement.ts'
import type { DeclaredFunction } from '../ops/opaque.ts'
import type { Ast } from './ast.ts'
import type { Text } from './document.ts'
import { expressionOf } from './expression.ts'
import { namesIn, partsOf } from './names.ts'
import type { Scope } from './network.ts'
import { parseExpression } from './syntax.ts'

/** The derivative of a formula by its parameter, as text in the syntax of specs. */
export type Differentiate = (formula: Ast, param: string) => string

/** What a formula may call: pointwise functions, nothing else. A spec may come from a stranger. */
const allowed: ReadonlySet<string> = new Set(
  (
    'exp log log1p sqrt rsqrt square abs sign sin cos erf reciprocal maximum minimum where relu leaky_relu elu selu sigmoid ' +
    'logsigmoid tanh softplus softsign gelu silu mish hardsigmoid hardswish hardtanh relu6'
  ).split(' '),
)
const parts: ReadonlySet<Ast['kind']> = new Set(['number', 'name', 'negate', 'sum', 'product', 'power', 'compare', 'call'])

/** The function that a formula defines; its derivative is the formula's, worked out once. */
export function pointwise(name: string, head: Layout, param: string, body: Text, differentiate: Differentiate): DeclaredFunction {
  const formula = parseExpression(body)
  requireAllowed(formula, param)
  const slope = parseExpression({ ...body, text: differentiate(formula, param).replaceAll('_prime(', "'("), exact: false })
  // a constant formula has the shape of its argument, too
  const at = (ast: Ast, x: Expr): Expr => aligned([expressionOf(ast, scopeOf(param, x)), x])[0]!
  const prime = operation({
    name: `${name}'`,
    why: 'the derivative of a pointwise function',
    shape: ([x]) => x!,
    notation: ([x]) => call(primed(head), [x!]),
    expand: ([x]) => at(slope, x!),
    guises: { explicit: ([x]) => at(slope, x!) },
  })
  const f = operation({
    name,
    why: 'a pointwise function masks the error with its derivative',
    shape: ([x]) => x!,
    notation: ([x]) => call(head, [x!]),
    expand: ([x]) => at(formula, x!),
    slope: ([x]) => make(prime, [x!]),
    vjp: ([x], g) => [multiply([make(prime, [x!]), g])],
  })
  return { name, params: [param], apply: ([x]) => make(f, [x!]), prime: ([x]) => make(prime, [x!]) }
}

const nothing: Scope['functions'] = new Map()

const scopeOf = (param: string, x: Expr): Scope => ({
  values: new Map([[param, x]]),
  families: new Map(),
  functions: nothing,
  dims: new Map(),
  text: '',
  broken: new Set(),
})

function requireAllowed(formula: Ast, param: string): void {
  for (const call of namesIn(formula, 'calls')) {
    if (!allowed.has(call.name))
      fail('not-here', { what: call.name, where: 'a pointwise function', hint: `It may call: ${[...allowed].join(', ')}.` }, call)
  }
  for (const mention of namesIn(formula)) {
    const { name } = mention
    if (name !== param && name !== 'pi')
      fail('unknown-name', { name, hint: `A pointwise function knows its parameter ${param}, numbers and pi.` }, mention)
  }
  const isStrange = (ast: Ast): boolean =>
    !parts.has(ast.kind) || (ast.kind === 'product' && ast.rest.some((r) => r.sign === '@' || r.sign === '//'))
  const strange = partsOf(formula).find(isStrange)
  if (strange)
    fail('not-here', { what: `a ${strange.kind}`, where: 'a pointwise function', hint: 'It is a formula of one number.' }, strange)
}
