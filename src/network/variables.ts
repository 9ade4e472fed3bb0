/** Inputs, parameters and constants: their shapes, domains and values. */

import { collecting, fail } from '../diagnostic.ts'
import { type Dim, sameDim } from '../expr/dim.ts'
import { type Shape, shapeText } from '../expr/shape.ts'
import { type Domain, variable } from '../ops/leaves.ts'
import { type Tensor, tensor } from '../tensor/tensor.ts'
import type { Declaration, Document, Text } from './document.ts'
import { type Draft, define, layoutOf, requireFree } from './draft.ts'
import { dimOf } from './sizes.ts'
import { parseExpression } from './syntax.ts'

export function declareVariables(document: Document, draft: Draft): void {
  const groups = [
    ['input', document.inputs],
    ['param', document.params],
    ['constant', document.constants],
  ] as const
  const all = groups.flatMap(([role, declarations]) => declarations.map((declaration) => ({ role, declaration })))
  const shapes = all.map(({ declaration }) => collecting(draft.faults, () => shapeOf(declaration, draft)))
  all.forEach(({ role, declaration }, i) => {
    const { name } = declaration
    const ok = collecting(draft.faults, () => {
      if (!/^[\p{L}_][\p{L}\p{N}_.]*$/u.test(name.text)) {
        if (name.text.includes('[')) fail('later-version', { what: 'a family of variables' }, name.span)
        fail('bad-name', { name: name.text, why: 'a name is made of letters, digits and _' }, name.span)
      }
      if (declaration.module) fail('later-version', { what: 'an instance of a module' }, declaration.module.span)
      requireFree(name.text, name.span, draft)
      if (!shapes[i]) return
      const layout = layoutOf(name.text, draft)
      const expr = variable(name.text, shapes[i], layout, domainOf(declaration, draft))
      define({ name: name.text, role, expr, layout, span: name.span }, draft)
      if (declaration.value !== undefined) draft.fixed.set(expr, fixedValue(declaration, shapes[i]))
      return true
    })
    if (!ok) draft.broken.add(name.text)
  })
}

function shapeOf(declaration: Declaration, draft: Draft): Shape | undefined {
  if (declaration.shape) return declaration.shape.map((dim) => readDim(dim, draft))
  if (declaration.value !== undefined) return shapeOfNumbers(declaration.value)
  return []
}

function readDim(text: Text, draft: Draft): Dim {
  const dim = dimOf(parseExpression(text), draft.dims, (name) =>
    draft.dims.set(
      name,
      dimOf(parseExpression({ ...text, text: name }), new Map(), () => {}),
    ),
  )
  if (typeof dim === 'number' && dim < 0) fail('bad-dim', { what: text.text, found: 'a size is not negative' }, text.span)
  return dim
}

type Numbers = NonNullable<Declaration['value']>

function shapeOfNumbers(value: Numbers): number[] {
  const shape: number[] = []
  for (let inner: Numbers | undefined = value; Array.isArray(inner); inner = inner[0] as Numbers | undefined) shape.push(inner.length)
  return shape
}

function fixedValue(declaration: Declaration, shape: Shape): Tensor {
  const own = shapeOfNumbers(declaration.value!)
  const data = ([declaration.value!] as unknown[]).flat(Number.POSITIVE_INFINITY as 1) as number[]
  const fits = own.length === shape.length && own.every((d, i) => sameDim(d, shape[i]!)) && data.length === own.reduce((n, d) => n * d, 1)
  if (!fits)
    fail(
      'shapes',
      { what: `the value of ${declaration.name.text} does not fit its shape`, detail: `${shapeText(own)} and ${shapeText(shape)}` },
      declaration.name.span,
    )
  return tensor(own, Float64Array.from(data))
}

function domainOf(declaration: Declaration, draft: Draft): Domain | undefined {
  if (!declaration.is) return undefined
  const index = /^index\((.+)\)$/.exec(declaration.is.text)
  if (index) return { kind: 'index', classes: readDim({ ...declaration.is, text: index[1]!, exact: false }, draft) }
  return { kind: declaration.is.text as Domain['kind'] }
}
