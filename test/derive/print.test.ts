/** Formulas as they are printed: what a batch repeats is not written, and text has parentheses where its slashes need them. */
import { expect, test } from 'vitest'
import { typeset } from '../../src/expr/typeset.ts'
import { toText } from '../../src/layout/text.ts'
import { defaults, derive } from '../../src/pipeline.ts'

/** The gradients of L(y), by the names of their variables. */
async function printed(inputs: Readonly<Record<string, string>>, layers: readonly string[]): Promise<Record<string, string>> {
  const lines = [
    'inputs:',
    ...Object.entries(inputs).map(([name, shape]) => `  ${name}: ${shape}`),
    'layers:',
    ...layers.map((l) => `  - ${l}`),
  ]
  const { derivation } = await derive({ name: 'spec.yaml', text: [...lines, 'loss: L(y)'].join('\n') }, { ...defaults, verify: false })
  return Object.fromEntries(
    Object.keys(inputs).map((name) => [name, toText(typeset(derivation.gradients.get(derivation.network.values.get(name)!)!.total))]),
  )
}

test('the weights of a layer are one matrix for the whole batch', async () => {
  expect(await printed({ X: '[b, n, d]', W: '[d, k]', V: '[m, d]' }, ['y = concat([X @ W, X @ V.T], axis=2)'])).toEqual({
    X: '∂L/∂y[:, :, 0:k] Wᵀ + ∂L/∂y[:, :, k:k+m] V',
    W: 'sum(Xᵀ ∂L/∂y[:, :, 0:k], axis=0)',
    V: 'sum(∂L/∂y[:, :, k:k+m]ᵀ X, axis=0)',
  })
})

test('keys of attention in batches of heads', async () => {
  const heads = { Q: '[b, h, n, d]', K: '[b, h, m, d]' }
  expect(await printed(heads, ['y = Q @ K.mT / sqrt(d)'])).toEqual({ Q: '∂L/∂y K/√d', K: '(∂L/∂y)ᵀ Q/√d' })
})

test('a quotient before a matrix has parentheses', async () => {
  const { V } = await printed({ X: '[n, k]', V: '[k, m]' }, ['y = (X / exp(X)).T @ X @ V'])
  expect(V).toBe('Xᵀ (X/exp(X)) ∂L/∂y')
})

test('what a strided convolution leaves over', async () => {
  const { x } = await printed({ x: '[c, h, 8]', W: '[k, c, 3, 3]' }, ['y = conv2d(x, W, stride=2, padding=1)'])
  expect(x).toBe('conv_transpose2d(∂L/∂y, W, stride=2, padding=1, output_padding=[h+1−2⌊(h+1)/2⌋, 1])')
})
