/** Names that are printed: two different things never print alike, and names of shared parts follow the reader. */
import { expect, test } from 'vitest'
import { deriveOnly } from '../src/pipeline.ts'
import { plain } from '../src/report/paint.ts'
import { reportOf } from '../src/report/report.ts'
import { textOf } from '../src/report/text.ts'

const printed = async (...lines: readonly string[]): Promise<string> =>
  textOf(reportOf(await deriveOnly({ name: 'spec', text: lines.join('\n') }, new Map()), undefined), plain)

test('a name of a shared part is not one of the network', async () => {
  const text = await printed(
    'inputs:',
    '  x: [n, d]',
    '  s: []',
    'params:',
    '  g: [d]',
    '  d_1: [d]',
    'layers:',
    '  - x_hat = tanh(x * s)',
    '  - y = layer_norm(x_hat * d_1, g)',
    'loss: L(y)',
  )
  const defined = [...text.matchAll(/^(?: {2}where| {7}) *(\S+) = /gm)].map(([, name]) => name)
  expect(defined.length).toBeGreaterThan(3)
  for (const name of ['x̂', 's', 'd₁', 'g']) expect(defined).not.toContain(name)
})

test('names that would print alike are printed as they are written', async () => {
  const text = await printed(
    'inputs:',
    '  x: [n]',
    'params:',
    '  W1: [n, n]',
    '  W_1: [n, n]',
    'layers:',
    '  - y = W1 @ x + W_1 @ x',
    'loss: L(y)',
  )
  expect(text).toContain('y = W₁ x + W_1 x')
})

test('what a fixed point binds is not one of the values in it', async () => {
  const text = await printed(
    'inputs:',
    '  u: [n]',
    'params:',
    '  W: [n, n]',
    'layers:',
    '  - z = fixed_point(z, tanh(W @ z + u))',
    'loss: L(z)',
  )
  expect(text).not.toMatch(/fix\(u ↦/)
  expect(text).toMatch(/fix\(u₁ ↦/)
})

test('numbers follow the order of reading', async () => {
  const text = await printed(
    'inputs:',
    '  x: [n, d]',
    'params:',
    '  g1: [d]',
    '  g2: [d]',
    'layers:',
    '  - a = layer_norm(x, g1)',
    '  - y = layer_norm(a, g2)',
    'loss: L(y)',
  )
  for (const letter of ['d', 'x̂', 's']) expect(text.indexOf(`${letter}₁ = `)).toBeLessThan(text.indexOf(`${letter}₂ = `))
})

test('skips are told from branches', async () => {
  const text = await printed(
    'inputs:',
    '  x: [n, d]',
    '  u: [n, d]',
    'params:',
    '  W: [d, d]',
    'layers:',
    '  - c = x - u',
    '  - s = 1 + sum(c * c, axis=1, keepdims=True)',
    '  - h = c / s',
    '  - k = h + tanh(h @ W)',
    '  - z = 0.5 * k + (k @ W)',
    'loss: L(z)',
  )
  for (const way of ['branch c → h', 'skip h→k', 'skip k→z', 'branch W→k']) expect(text).toContain(way)
})

test('settings that are not the usual ones are printed', async () => {
  const layers = [
    'leaky_relu(x, negative_slope=0.2)',
    'layer_norm(x, eps=0.1)',
    'dropout(x, m, p=0.3)',
    'gelu(x, approximate="tanh")',
    'softmax(x, axis=0)',
  ]
  const text = await printed(
    'inputs:',
    '  x: [n, d]',
    'constants:',
    '  m: [n, d]',
    'layers:',
    ...layers.map((layer, i) => `  - v${i} = ${layer}`),
    '  - y = var(v0 + v1 + v2 + v3 + v4, axis=0, ddof=1)',
    'loss: L(y)',
  )
  for (const layer of [...layers, 'ddof=1']) expect(text).toContain(layer)
  expect(await printed('inputs:', '  x: [n]', 'layers:', '  - y = elu(x, alpha=1)', 'loss: L(y)')).toContain('y = elu(x) ')
})

test('what the loss is not made of is told, and changes nothing else', async () => {
  const text = await printed(
    'inputs:',
    '  x: [d]',
    '  z: [d]',
    'params:',
    '  W: [d, d]',
    'layers:',
    '  - y = W @ x',
    '  - u = y * z',
    'loss: L(y)',
  )
  expect(text).toContain('∂L/∂x = Wᵀ ∂L/∂y ')
  expect(text).toMatch(/u = y ⊙ z +\[d\] +no error comes back from the loss/)
  expect(text).toMatch(/∂L\/∂z = 0 +\[d\] +no way leads back from the loss/)
  expect(text).not.toContain('direct')
  expect(text).not.toContain('fan-out')
})

test('a name may have parts that are words of JavaScript', async () => {
  const text = await printed(
    'inputs:',
    '  x_valueOf: [n]',
    'params:',
    '  W_constructor: [m, n]',
    'layers:',
    '  - y = W_constructor @ x_valueOf',
    'loss: L(y)',
  )
  expect(text).toContain('∂L/∂W_constructor')
  expect(text).toContain('∂L/∂x_valueOf')
})
