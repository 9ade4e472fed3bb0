/** Closed forms: each composite of the registry is recognised when it is written out, and its formula has the values of its paths. */
import { describe, expect, test } from 'vitest'
import { deriveGradients } from '../../src/derive/derive.ts'
import { definition, type Expr } from '../../src/expr/expr.ts'
import { argsOf, inOrder } from '../../src/expr/traverse.ts'
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
  .filter(({ example }) => example.expr.args.length === 1 && inOrder([definition(example.expr)!], argsOf).some(isReduction))

/** The network y = definition, L = Σ g ⊙ y. */
function networkOf(body: Expr, variables: readonly Expr[]): Network {
  const value = (name: string, role: Value['role'], expr: Expr): Value => ({
    id: expr.id,
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

const specOf = (z: string, t: string, layers: readonly string[], loss: string): string =>
  [`inputs: {z: ${z}}`, `constants: {t: ${t}}`, 'layers:', ...layers.map((l) => `  - ${l}`), `loss: ${loss}`].join('\n')

const oneHot = (shape: string): string => `{shape: ${shape}, is: one_hot}`
const [vector, batch] = ['[k]', '[n, k]']
const stable = ['m = max(z, axis=-1, keepdims=True)', 'e = exp(z - m)', 's = sum(e, axis=-1, keepdims=True)', 'p = e / s']

describe('softmax and cross-entropy, written out', () => {
  test.each([
    ['of a vector', vector, oneHot(vector), ['p = softmax(z)', 'l = -sum(t * log(p))'], 'L = l', 'p − t'],
    ['as a scalar product', vector, oneHot(vector), ['p = softmax(z)'], 'L = -(t @ log(p))', 'p − t'],
    ['in primitives', vector, oneHot(vector), ['e = exp(z)', 's = sum(e)', 'p = e / s', 'l = -sum(t * log(p))'], 'L = l', 'p − t'],
    ['with a logarithm of the sum', vector, oneHot(vector), ['s = sum(exp(z))'], 'L = log(s) - t @ z', 'P − t'],
    ['with logsumexp', vector, oneHot(vector), ['q = z - logsumexp(z)'], 'L = -sum(t * q)', 'P − t'],
    ['of what need not sum to one', vector, vector, ['p = softmax(z)'], 'L = -sum(t * log(p))', 'sum(t) p − t'],
    ['stable, of what need not sum to one', vector, vector, [...stable, 'l = -sum(t * log(p))'], 'L = l', 'sum(t) p − t'],
    ['of a batch', batch, oneHot(batch), ['p = softmax(z)', 'l = -sum(t * log(p), axis=1)'], 'L = mean(l)', '(p − t)/n'],
    ['of a batch at once', batch, oneHot(batch), ['p = softmax(z)'], 'L = -sum(t * log(p)) / n', '(p − t)/n'],
    ['summed over a batch', batch, oneHot(batch), ['p = softmax(z)'], 'L = -sum(t * log(p))', 'p − t'],
    ['of distributions', batch, '{shape: [n, k], is: simplex}', [...stable, 'l = -sum(t * log(p), axis=1)'], 'L = mean(l)', '(p − t)/n'],
    ['of a batch that need not sum to one', batch, batch, ['p = softmax(z)'], 'L = -sum(t * log(p)) / n', '(p ⊙ rowsum(t) − t)/n'],
    [
      'of numbers of classes',
      batch,
      '{shape: [n], is: index(k)}',
      ['p = softmax(z)'],
      'L = -sum(one_hot(t, k) * log(p)) / n',
      '(p − onehot(t))/n',
    ],
    ['as nll of log_softmax', batch, oneHot(batch), ['q = log_softmax(z)'], 'L = nll(q, t)', '(P − t)/n'],
    ['as nll of numbers of classes', '[n, 5]', '{shape: [n], is: index(5)}', ['q = log_softmax(z)'], 'L = nll(q, t)', '(P − onehot(t))/n'],
    ['beside a penalty', vector, oneHot(vector), ['p = softmax(z)'], 'L = sum(t**2) - t @ log(p)', 'p − t'],
    ['of sequences', '[b, n, k]', oneHot('[b, n, k]'), ['p = softmax(z)'], 'L = -sum(t * log(p)) / (b * n)', '(p − t)/(b·n)'],
  ] as const)('%s', (_, z, t, layers, loss, formula) => expectClosed(specOf(z, t, layers, loss), 'z', 'cross_entropy', formula))
})

describe('sigmoid and cross-entropy, written out', () => {
  const layers = ['l = -(t * log(p) + (1 - t) * log(1 - p))']
  test.each([
    ['by its name', 'sigmoid(z)', 'L = mean(l)', '(p − t)/n'],
    ['in primitives', '1 / (1 + exp(-z))', 'L = sum(l)', 'p − t'],
  ])('%s', (_, p, loss, formula) =>
    expectClosed(specOf('[n]', '{shape: [n], is: mask}', [`p = ${p}`, ...layers], loss), 'z', 'bce_with_logits', formula),
  )
})

describe('binary cross-entropy of logits, without their sigmoid', () => {
  test.each([
    ['as it is computed', 'maximum(z, 0) - z * t + log(1 + exp(-abs(z)))'],
    ['with relu and log1p', 'relu(z) - z * t + log1p(exp(-abs(z)))'],
    ['with logsigmoid', '-t * logsigmoid(z) - (1 - t) * logsigmoid(-z)'],
  ])('%s', (_, l) =>
    expectClosed(specOf('[n]', '{shape: [n], is: mask}', [`l = ${l}`], 'L = mean(l)'), 'z', 'bce_with_logits', '(σ(z) − t)/n'),
  )

  test('bce of a sigmoid', () =>
    expectClosed(specOf('[n]', '{shape: [n], is: mask}', ['p = sigmoid(z)'], 'L = bce(p, t)'), 'z', 'bce_with_logits', '(p − t)/n'))
})

test('what is called by its name is not written out', async () => {
  const text = specOf('[n, k]', oneHot('[n, k]'), ['q = 2 * z'], 'L = cross_entropy(q, t)')
  const { derivation } = await derive({ name: 'spec.yaml', text }, defaults)
  expect([...derivation.closed.values()]).toEqual([])
})

/** Expects the closed form of an operation that was written out, and that it has the values of its paths. */
async function expectClosed(text: string, of: string, name: string, formula: string): Promise<void> {
  const { derivation, verification } = await derive({ name: 'spec.yaml', text }, defaults)
  const form = derivation.closed.get(derivation.network.values.get(of)!)
  expect(form?.op.name).toBe(name)
  expect(toText(typeset(form!.total))).toBe(formula)
  expect(verification!.closed.every((c) => c.ok)).toBe(true)
}

const spec = (layers: readonly string[]): string =>
  [
    'inputs:',
    '  x: [n, d]',
    'params:',
    '  a: [d]',
    '  b: [d]',
    'constants:',
    '  eps: 0.001',
    'layers:',
    ...layers.map((l) => `  - ${l}`),
    'loss: L(y)',
  ].join('\n')

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
  ['batch_norm', '(∂L/∂y − colmean(∂L/∂y) − y ⊙ colmean(∂L/∂y ⊙ y))/s', ['m = mean(x, axis=0)', 's = std(x, axis=0)', 'y = (x - m) / s']],
  [
    'layer_norm',
    '(d₁ − rowmean(d₁) − x̂ ⊙ rowmean(d₁ ⊙ x̂))/s',
    ['c = x - mean(x, axis=1, keepdims=True)', 'v = mean(c**2, axis=1)', 'y = a * c / sqrt(v[:, None] + 1e-5)'],
  ],
  ['rms_norm', '(d₁ − x̂ ⊙ rowmean(d₁ ⊙ x̂))/r', ['r = sqrt(mean(x**2, axis=1, keepdims=True) + eps)', 'y = a * x / r']],
  ['rms_norm', '(∂L/∂y − y ⊙ rowmean(∂L/∂y ⊙ y))/r', ['r = sqrt(mean(x**2, axis=1, keepdims=True) + eps)', 'y = x / r']],
  ['rms_norm', '(d₁ − x̂ ⊙ rowmean(d₁ ⊙ x̂))/r', ['r = sqrt(mean(x**2, axis=1, keepdims=True) + eps)', 'y = x / r * a + b']],
  ['l2_normalize', '(∂L/∂y − u ⊙ rowsum(u ⊙ ∂L/∂y))/r', ['r = sqrt(sum(x * x, axis=1, keepdims=True))', 'y = b + x / r']],
  ['l2_normalize', '(∂L/∂y − y ⊙ rowsum(y ⊙ ∂L/∂y))/r', ['r = sqrt(sum(x**2, axis=1, keepdims=True))', 'y = x / r']],
] as const)('%s in nodes is told in the names of its nodes', (name, formula, layers) => expectClosed(spec(layers), 'x', name, formula))
