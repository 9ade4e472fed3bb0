/** Closed forms: each composite of the registry is recognised when it is written out, and its formula has the values of its paths. */
import { describe, expect, test } from 'vitest'
import { deriveGradients } from '../../src/derive/derive.ts'
import { definition, type Expr, inOrder } from '../../src/expr/expr.ts'
import { typeset } from '../../src/expr/typeset.ts'
import { nameLayout } from '../../src/layout/names.ts'
import { toText } from '../../src/layout/text.ts'
import type { Network, Value } from '../../src/network/network.ts'
import { multiply } from '../../src/ops/arithmetic.ts'
import type { Operation } from '../../src/ops/define.ts'
import { operations } from '../../src/ops/index.ts'
import { named, variable } from '../../src/ops/leaves.ts'
import { sum } from '../../src/ops/movement.ts'
import { defaults, derive } from '../../src/pipeline.ts'
import { randomFrom } from '../../src/tensor/random.ts'
import { exampleOf, examplesOf } from '../examples.ts'
import { largestGap, pointFor, sizesFor, valueAt } from '../numeric.ts'

const isReduction = (e: Expr): boolean => 'keepdims' in e.attrs

/** Windows of pooling are not looked for: what has to be told them is left out. */
const needsNothing = (op: Operation): boolean => Object.values(op.attributes).every((a) => a.initial !== undefined)

/** Operations of one tensor that sum over axes and know the closed form of their error. */
const composites = [...operations.values()].filter(
  (op) => op.vjp && op.expand && op.params.length === 1 && !op.params[0]!.startsWith('...') && needsNothing(op),
)
const written = composites
  .flatMap((op) => examplesOf(op).map((text) => ({ op, text, example: exampleOf(text) })))
  .filter(({ example }) => example.expr.args.length === 1 && inOrder([definition(example.expr)!]).some(isReduction))

/** The network y = definition, L = Σ g ⊙ y. */
function networkOf(body: Expr, variables: readonly Expr[]): Network {
  const value = (name: string, role: Value['role'], expr: Expr): Value => ({
    name,
    role,
    expr,
    layout: nameLayout(name),
    span: { start: 0, end: 0 },
  })
  const g = variable('g', body.shape, nameLayout('g'))
  const y = named('y', nameLayout('y'), body)
  const loss = value('L', 'loss', named('L', nameLayout('L'), sum(multiply([g, y]))))
  const all = [...variables.map((v) => value(v.op.name, 'input', v)), value('g', 'constant', g), value('y', 'node', y), loss]
  const [scope, functions] = [{ dims: new Map() }, new Map()]
  return {
    values: new Map(all.map((v) => [v.name, v])),
    loss,
    lossIsOpaque: false,
    seeds: new Map(),
    loops: [],
    scope,
    functions,
  } as unknown as Network
}

test('there are such operations', () => {
  expect(new Set(written.map(({ op }) => op.name)).size).toBeGreaterThan(5)
})

describe.each(written.map((w) => [w.text, w] as const))('%s, written out', (_, { example: { expr, variables, sizes } }) => {
  const network = networkOf(definition(expr)!, variables)
  const { closed, gradients } = deriveGradients(network, { form: 'local', derivatives: 'symbol', trace: false })
  const x = network.values.get(expr.args[0]!.op.name)!

  test('is recognised', () => {
    expect(closed.get(x)).toBeDefined()
  })

  test('has a closed form with the values of its gradient', () => {
    const leaves = [...network.values.values()].filter((v) => v.role === 'input' || v.role === 'constant').map((v) => v.expr)
    const point = pointFor(leaves, sizesFor(sizes, 1), randomFrom(1, 'closed'))
    const form = closed.get(x)?.total ?? gradients.get(x)!.total
    expect(largestGap(valueAt(form, point), valueAt(gradients.get(x)!.total, point))).toBeLessThan(1e-9)
  })
})

const spec = (layers: readonly string[]): string =>
  ['inputs:', '  x: [n, d]', 'constants:', '  eps: 0.001', 'layers:', ...layers.map((l) => `  - ${l}`), 'loss: L(y)'].join('\n')

test.each([
  [
    'layer_norm',
    '(∂L/∂y − rowmean(∂L/∂y) − y ⊙ rowmean(∂L/∂y ⊙ y))/s',
    ['m = mean(x, axis=1, keepdims=True)', 'c = x - m', 'v = mean(c * c, axis=1, keepdims=True)', 's = sqrt(v + eps)', 'y = c / s'],
  ],
  [
    'batch_norm',
    '(∂L/∂y − colmean(∂L/∂y) − y ⊙ colmean(∂L/∂y ⊙ y))/√(v + ε)',
    ['m = mean(x, axis=0)', 'v = mean((x - m)**2, axis=0)', 'y = (x - m) / sqrt(v + eps)'],
  ],
  [
    'softmax',
    'y ⊙ (∂L/∂y − rowsum(y ⊙ ∂L/∂y))',
    ['top = max(x, axis=1, keepdims=True)', 'e = exp(x - top)', 't = sum(e, axis=1, keepdims=True)', 'y = e / t'],
  ],
  ['rms_norm', '(∂L/∂y − y ⊙ rowmean(∂L/∂y ⊙ y))/r', ['r = sqrt(mean(x**2, axis=1, keepdims=True) + eps)', 'y = x / r']],
  ['l2_normalize', '(∂L/∂y − y ⊙ rowsum(y ⊙ ∂L/∂y))/r', ['r = sqrt(sum(x**2, axis=1, keepdims=True))', 'y = x / r']],
] as const)('%s in nodes is told in the names of its nodes', async (name, formula, layers) => {
  const { derivation, verification } = await derive({ name: 'spec.yaml', text: spec(layers) }, defaults)
  const form = derivation.closed.get(derivation.network.values.get('x')!)
  expect(form?.op.name).toBe(name)
  expect(toText(typeset(form!.total))).toBe(formula)
  expect(verification!.closed.map((c) => c.ok)).toEqual([true])
})
