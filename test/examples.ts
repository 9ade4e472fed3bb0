/** Reads the examples of operations: 'softmax(z) | z: [n, k]' is a call in spec syntax and the shapes of its arguments. */
import { type Dim, sizeSymbol } from '../src/expr/dim.ts'
import type { Expr } from '../src/expr/expr.ts'
import { nameLayout } from '../src/layout/names.ts'
import { expressionOf } from '../src/network/expression.ts'
import { namesIn } from '../src/network/names.ts'
import type { Scope } from '../src/network/network.ts'
import { dimOf } from '../src/network/sizes.ts'
import { parseExpression } from '../src/network/syntax.ts'
import { type Domain, variable } from '../src/ops/leaves.ts'

export interface Example {
  readonly expr: Expr
  readonly variables: readonly Expr[]
  readonly sizes: readonly string[]
}

const whole = (text: string) => ({ text, span: { start: 0, end: text.length }, exact: false })

/** The expression of an example, with a variable for each argument. */
export function exampleOf(example: string): Example {
  const [call, given] = example.split(' | ') as [string, string]
  const dims = new Map<string, Dim>()
  const variables = new Map<string, Expr>()
  for (const [, name, shape, domain] of given.matchAll(/(\w+): \[([^\]]*)\](?: (\w+))?/g)) {
    const ast = parseExpression(whole(`[${shape}]`))
    if (ast.kind !== 'list') throw new Error(example)
    const read = (text: typeof ast): Dim[] =>
      text.items.map((item) =>
        dimOf(item, dims, (n) =>
          dims.set(
            n,
            dimOf({ kind: 'name', name: n, span: item.span }, new Map(), () => {}),
          ),
        ),
      )
    variables.set(name!, variable(name!, read(ast), nameLayout(name!), domain ? { kind: domain as Domain['kind'] } : undefined))
  }
  for (const { name } of namesIn(parseExpression(whole(call))))
    if (!variables.has(name) && !dims.has(name)) dims.set(name, sizeSymbol(name))
  const scope: Scope = { values: variables, functions: new Map(), dims, text: call, broken: new Set() }
  return { expr: expressionOf(parseExpression(whole(call)), scope), variables: [...variables.values()], sizes: [...dims.keys()] }
}
