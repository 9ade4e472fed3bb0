/** Modules that loops call whose length is a symbol: the index tells the steps apart, a number the places where an instance is called. */
import { describe, expect, test } from 'vitest'
import { backproof } from './command.ts'

const cell = `modules:
  M(x):
    params:
      V: [d, d]
    layers:
      - p = V @ x
      - q = tanh(p)
    returns: q
`
const spec = (layers: readonly string[], loss: string, modules = cell): string =>
  `inputs:\n  z[0]: [d]\n  x: [d]\nparams:\n  m: M\n${modules}layers:\n${layers.map((l) => `  ${l}\n`).join('')}loss: ${loss}\n`

const inner = `modules:
  C(x):
    params:
      V: [d, d]
    layers:
      - p = V @ x
      - q = tanh(p)
    returns: q
  M(x):
    params:
      c: C
    layers:
      - q = c(x) + c(c(x))
    returns: q
`
const family = `modules:
  M(x):
    params:
      V: [d, d]
    layers:
      - h[0] = x
      - for i in range(2):
          - h[i+1] = tanh(V @ h[i])
    returns: h[2]
`

const loop = ['- for l in range(N):', '    - z[l+1] = z[l] + m(z[l])']

const cases: Readonly<Record<string, string>> = {
  'a module inside the module': spec(loop, 'L(z[N])', inner),
  'a loop inside the module': spec(loop, 'L(z[N])', family),
  'two calls in a step': spec(['- for l in range(N):', '    - y[l] = z[l] * m(z[l])', '    - z[l+1] = y[l] + m(y[l])'], 'L(z[N])'),
  'calls in two loops': spec([...loop, '- y[0] = z[N]', '- for k in range(K):', '    - y[k+1] = y[k] + m(y[k])'], 'L(y[K])'),
  'calls before, in and after the loop': spec(['- a = m(x) + x', ...loop, '- y = z[N] * a + m(z[N])'], 'L(y)'),
  'arguments without names': spec(['- for l in range(N):', '    - z[l+1] = m(z[l] + x) + m(m(z[l] * x))'], 'L(z[N])'),
}

describe.each(Object.keys(cases))('%s', (name) => {
  test('is verified, every gradient of it', () => {
    const { status, stdout } = backproof(['derive', '-'], cases[name])
    expect(stdout).not.toContain('✗')
    expect(stdout).not.toContain('not compared')
    expect(status).toBe(0)
  })
})

test('what a nested module defines bears the index of the step', () => {
  const { stdout } = backproof(['derive', '-', '--no-verify'], cases['a module inside the module'])
  expect(stdout).toContain('p⁽ᵐ ᶜ ³⁾[l] = V⁽ᵐ ᶜ⁾ q⁽ᵐ ᶜ ²⁾[l]')
})

test('the calls are numbered by their places, and stand where they are made', () => {
  const { stdout } = backproof(['derive', '-', '--no-verify'], cases['calls before, in and after the loop'])
  const order = ['q⁽ᵐ⁾ = tanh', 'for l = 0 … N−1:', 'q⁽ᵐ ²⁾[l] = tanh', 'p⁽ᵐ ³⁾ = V⁽ᵐ⁾ z[N]'].map((text) => stdout.indexOf(text))
  expect(order).toEqual([...order].sort((a, b) => a - b))
  expect(order[0]).toBeGreaterThan(0)
})
