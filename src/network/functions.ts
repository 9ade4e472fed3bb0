/** Functions that a spec declares: opaque ones, pointwise formulas, and values with a gradient of their author's own. */
import { collecting, fail } from '../diagnostic.ts'
import type { Expr } from '../expr/expr.ts'
import type { Shape } from '../expr/shape.ts'
import { plainNameLayout } from '../layout/names.ts'
import { operations } from '../ops/index.ts'
import { type DeclaredFunction, opaque, opaquePointwise, withVjp } from '../ops/opaque.ts'
import type { FunctionDefinition, Text } from './document.ts'
import type { Draft } from './draft.ts'
import { expressionOf } from './expression.ts'
import type { Calls, Frame } from './frame.ts'
import type { Scope } from './network.ts'
import { pointwise } from './pointwise.ts'
import { dimOf } from './sizes.ts'
import { parseExpression, parseHead } from './syntax.ts'

/** Adds the declared functions to the draft, gathering faults. */
export function declareFunctions(
  definitions: readonly FunctionDefinition[],
  { draft, scope, broken }: Frame,
  bodies: readonly Calls[],
): void {
  const callsOf = (name: string): number => bodies.reduce((sum, calls) => sum + (calls.get(name)?.count ?? 0), 0)
  for (const definition of definitions) {
    const head = collecting(draft.faults, () => functionHead(definition.head))
    if (!head) continue
    const f = collecting(draft.faults, () => {
      if (draft.functions.has(head.name)) fail('duplicate-name', { name: head.name, first: 'a function' }, definition.head)
      if (operations.has(head.name)) fail('bad-name', { name: head.name, why: 'it is an operation' }, definition.head)
      return functionOf(definition, head, draft, scope, callsOf(head.name) <= 1)
    })
    if (f) draft.functions.set(head.name, f)
    else broken.add(head.name)
  }
}

function functionHead(head: Text): { readonly name: string; readonly params: readonly string[] } {
  const { name, args } = parseHead(head)
  const params = args.map((arg) =>
    arg.kind === 'name' ? arg.name : fail('syntax', { expected: 'a function with its parameters, such as F(x)', found: head.text }, arg),
  )
  return { name, params }
}

function functionOf(
  { head, body }: FunctionDefinition,
  { name, params }: { name: string; params: readonly string[] },
  draft: Draft,
  scope: Scope,
  brief: boolean,
): DeclaredFunction {
  const layout = plainNameLayout(name, draft.notation)
  if (!('text' in body)) {
    const local = (args: readonly Expr[], extra: readonly (readonly [string, Expr])[]): Scope => ({
      ...scope,
      values: new Map([...scope.values, ...params.map((p, i) => [p, args[i]!] as const), ...extra]),
    })
    const [value, vjp] = [parseExpression(body.value), parseExpression(body.vjp)]
    const backs = vjp.kind === 'list' ? vjp.items : [vjp]
    if (backs.length !== params.length)
      fail('shapes', { what: 'a vjp gives one error for each argument', detail: `${backs.length} for ${params.length}` }, body.vjp)
    const declared = withVjp(
      name,
      params,
      layout,
      (args) => expressionOf(value, local(args, [])),
      (args, g) => backs.map((back) => expressionOf(back, local(args, [['g', g]]))),
    )
    return { ...declared, span: body.vjp }
  }
  if (!/^opaque\b/.test(body.text)) {
    if (params.length !== 1) fail('syntax', { expected: 'a pointwise function of one argument, such as f(t)', found: head.text }, head)
    return pointwise(name, layout, params[0]!, body, draft.differentiate)
  }
  const rest = body.text.slice('opaque'.length).trim()
  if (rest === 'pointwise') {
    if (params.length !== 1) fail('syntax', { expected: 'a pointwise function of one argument, such as f(t)', found: head.text }, head)
    return opaquePointwise(name, layout)
  }
  if (rest === '') return opaque(name, layout, params, ([first]) => first!, brief ? layout : undefined)
  const shape = resultShape(rest, body, draft)
  return opaque(name, layout, params, () => shape, brief ? layout : undefined)
}

function resultShape(rest: string, body: Text, draft: Draft): Shape {
  const start = body.start + body.text.length - rest.length
  const ast = parseExpression({ start, end: body.end, text: rest, exact: body.exact })
  if (ast.kind !== 'list')
    fail('syntax', { expected: 'opaque, opaque pointwise, or opaque [m] with the shape of the result', found: body.text }, body)
  return ast.items.map((item) =>
    dimOf(item, draft.dims, (name) =>
      draft.dims.set(
        name,
        dimOf({ kind: 'name', start: item.start, end: item.end, name }, new Map(), () => {}),
      ),
    ),
  )
}
