/** Random networks, written as specs: every form of their gradients is verified, is sound LaTeX, and came about by steps that hold. */
import katex from 'katex'
import { describe, expect, test } from 'vitest'
import { drawPoint } from '../src/check/draw.ts'
import { evaluate } from '../src/expr/evaluate.ts'
import { defaults, derive, type Options } from '../src/pipeline.ts'
import { derivationJson } from '../src/report/json.ts'
import { latexOf } from '../src/report/latex.ts'
import { plain } from '../src/report/paint.ts'
import { reportOf } from '../src/report/report.ts'
import { textOf } from '../src/report/text.ts'
import { largestGap } from './numeric.ts'
import { below, pick, type Random, randomFrom } from './random.ts'

const activations = ['relu', 'tanh', 'sigmoid', 'softmax', 'gelu', 'silu', 'f', 'g', 'F', 'exp', 'square', 'leaky_relu']

/** A layer that makes a vector of n from vectors of n, by way of h where a matrix is used. */
function layerOf(random: Random, before: readonly string[], i: number): string {
  const x = () => pick(random, before)
  const last = before.at(-1)!
  const rules = [
    () => `${x()} + V @ relu(W @ ${last})`,
    () => `${last} + ${x()} - ${x()} / 2`,
    () => `${pick(random, activations)}(${last}) + ${x()}`,
    () => `U @ ${last} + b`,
    () => `${x()} * sigmoid(${last}) + (1 - sigmoid(${last})) * ${x()}`,
    () => `s * ${last} + ${x()}`,
    () => `${last} - mean(${x()})`,
    () => `(${last} - mean(${last})) / sqrt(mean((${last} - mean(${last})) ** 2) + 0.1)`,
    () => `U.T @ (${pick(random, activations)}(U @ ${last}) * ${x()})`,
    () => `concat([${last}, ${x()}])[${pick(random, ['0:n', 'n:2*n'])}]`,
    () => `dot(${last}, ${x()}) * ${x()}`,
    () => `outer(${x()}, ${last}) @ ${x()} / n`,
    () => `where(${x()} > 0, ${last}, 0.1 * ${x()})`,
    () => `stop_gradient(${last}) * ${x()} + ${last}`,
    () => `maximum(${last}, ${x()}) - b`,
    () => `tanh(${last}) ** 2 + ${x()}`,
    () => `sum(stack([${last}, ${x()}]), axis=0)`,
    () => `-${last} + -(-${x()})`,
  ]
  return `  - h${i} = ${pick(random, rules)()}`
}

function specOf(seed: number): string {
  const random = randomFrom(seed, 'network')
  const count = 2 + below(random, 4)
  const names = ['x', ...Array.from({ length: count }, (_, i) => `h${i}`)]
  const layers = Array.from({ length: count }, (_, i) => layerOf(random, names.slice(0, i + 1), i))
  const last = names.at(-1)!
  const loss = pick(random, [
    `L(${last})`,
    `E = half_sse(${last}, t)`,
    `cross_entropy(${last}, p)`,
    `L(${last}, x)`,
    `mean(${last} ** 2) + sum(x)`,
  ])
  return [
    'inputs:\n  x: [n]',
    'params:\n  W: [m, n]\n  V: [n, m]\n  U: [n, n]\n  b: [n]\n  s: []',
    'constants:\n  t: [n]\n  p:\n    shape: [n]\n    is: one_hot',
    'functions:\n  F(x): opaque\n  f(t): opaque pointwise\n  g(t): t * sin(t)',
    `layers:\n${layers.join('\n')}`,
    `loss: ${loss}\n`,
  ].join('\n')
}

const seeds = Array.from({ length: 40 }, (_, seed) => seed)
const options: readonly Partial<Options>[] = [
  {},
  { form: 'expanded', derivatives: 'explicit' },
  { form: 'jacobian' },
  { derivatives: 'output' },
]

describe.each(seeds)('network %i', (seed) => {
  const source = { name: 'spec.yaml', text: specOf(seed) }

  test.each(options)('%o', async (option) => {
    const result = await derive(source, { ...defaults, ...option })
    const { byValue, unchecked } = result.verification!
    for (const [value, verified] of byValue)
      if (!unchecked.has(value)) expect(verified?.ok, `∂L/∂${value.name}: ${verified?.worst}\n${source.text}`).toBe(true)
    const report = reportOf(result.derivation, undefined)
    katex.renderToString(latexOf(report), { strict: 'error', throwOnError: true, displayMode: true, maxExpand: 1e5 })
    expect(textOf(report, plain)).not.toMatch(/undefined|NaN|\[object|\$\{|Infinity/)
    expect(JSON.parse(JSON.stringify(derivationJson(result, undefined)))).toMatchObject({ schema: 'backproof/derive/1' })
  })

  test('every step of its derivation holds', async () => {
    const { derivation } = await derive(source, { ...defaults, trace: true, verify: false })
    const point = drawPoint(derivation.network, 1, 0, 1)
    for (const { law, before, after } of [...derivation.steps.values()].flat()) {
      const values = evaluate([before, after], point)
      const [x, y] = [values.get(before)!, values.get(after)!]
      if ([...x.data, ...y.data].every(Number.isFinite)) expect(largestGap(x, y), `${law}\n${source.text}`).toBeLessThan(1e-6)
    }
  })

  test('is derived the same way twice', async () => {
    const [a, b] = await Promise.all(
      [derive(source), derive(source)].map(async (r) => textOf(reportOf((await r).derivation, undefined), plain)),
    )
    expect(a).toBe(b)
  })
})
