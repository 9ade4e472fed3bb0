/** Loops whose length is a symbol, on the built command: what is machine-readable, what can be asked for, and the shortest loops. */
import { describe, expect, test } from 'vitest'
import { backproof } from './command.ts'

const stack = 'samples/residual-stack.yaml'

const blocks = `inputs:
  z[0]: [d]
params:
  W[N]: [d, d]
layers:
  - for l in range(N):
      - F[l] = tanh(W[l] @ z[l])
      - z[l+1] = F[l] + z[l]
loss: L(z[N])
claims:
  - for l in range(N): dL/d(z[l]->z[l+1]) = dL/dz[l+1]
`

test('JSON has one step, and what follows for the whole loop', () => {
  const { loops } = JSON.parse(backproof(['derive', stack, '--format', 'json']).stdout)
  expect(loops).toHaveLength(1)
  const [{ index, from, to, statements, gradients, merges, fanOuts }] = loops
  expect({ index, from, to }).toEqual({ index: 'l', from: 0, to: 'N' })
  expect(statements.map((s: { right: { text: string } }) => s.right.text)).toContain('(∏ₗ₌₀^(N−1) (I + ∂F[l]/∂z[l])ᵀ) ∂L/∂z[N]')
  expect(statements.every((s: { ok: boolean }) => s.ok)).toBe(true)
  expect(merges.map((m: { at: string }) => m.at)).toEqual(['z[l+1]'])
  expect(fanOuts.map((f: { of: string }) => f.of)).toEqual(['z[l]'])
  const weight = gradients.find((g: { of: string }) => g.of === 'W[l]')
  expect(weight).toMatchObject({ text: '(∂F[l]/∂W[l])ᵀ ∂L/∂z[l+1]', verified: { ok: true } })
})

test('JSON has what the steps send to a weight that they share', () => {
  const { loops } = JSON.parse(backproof(['derive', 'samples/rnn.yaml', '--format', 'json', '--no-verify']).stdout)
  const shared = loops[0].shared.map((s: { of: string }) => s.of)
  expect(shared.length).toBeGreaterThan(1)
})

test('a value of a step can be asked for; what is not there is told', () => {
  const { status, stdout } = backproof(['derive', stack, '--at', 'z[l]'])
  expect(status).toBe(0)
  expect(stdout).toContain('∂L/∂z[l] = ∂L/∂z[l+1] + (∂F[l]/∂z[l])ᵀ ∂L/∂z[l+1]')
  expect(stdout).not.toContain('∂L/∂W[l] =')
  const { status: none, stderr } = backproof(['derive', stack, '--at', 'z[k]'])
  expect(none).toBe(2)
  expect(stderr).toContain('there is no node z[k]; did you mean z[')
})

describe('where a recursion ends', () => {
  const two = `inputs:
  h[0]: [n]
  c[0]: [n]
params:
  W: [n, n]
  V: [n, n]
layers:
  - for k in range(1, T+1):
      - c[k] = c[k-1] + tanh(W @ h[k-1])
      - h[k] = V @ c[k]
loss: L(h[T])
`
  test.each(['local', 'expanded', 'jacobian'])('two values are handed on, and the loss takes one of the last step: %s form', (form) => {
    const { status, stdout } = backproof(['derive', '-', '--form', form], two)
    expect(status).toBe(0)
    expect(stdout).toContain('∂L/∂c[T] = Vᵀ ∂L/∂h[T]')
    expect(stdout).toContain('∂L/∂h[0] = Wᵀ (tanh′(W h[0]) ⊙ ∂L/∂c[1])')
    expect(stdout).toMatch(/∂L\/∂h\[k\] = .* for k = T−1 … 1/)
    expect(stdout).toContain('∂L/∂V = ∑ₖ₌₁^T ∂L/∂h[k] c[k]ᵀ')
  })

  test('the loss takes what goes in and what comes out of the loop as well', () => {
    const spec = `inputs:
  x[1:T+1]: [n]
  h[0]: [n]
params:
  W: [n, n]
constants:
  y: [n]
layers:
  - for t in range(1, T+1):
      - a[t] = W @ h[t-1] + x[t]
      - h[t] = tanh(a[t])
      - o[t] = W @ h[t] + a[t]
loss: E = sum(half_sse(o[t], y) for t in range(1, T+1)) + half_sse(h[T], h[0])
`
    for (const form of ['local', 'expanded']) {
      const { status, stdout } = backproof(['derive', '-', '--form', form], spec)
      expect(status, stdout).toBe(0)
      expect(stdout).toContain('∂E/∂h[T]|ₗₒₒₚ = Wᵀ ')
    }
  })

  test.each(['', ' + sum(z[N])'])('steps have errors of their own, and the last value has one or none: %s', (end) => {
    const spec = `inputs:
  x: [n]
layers:
  - z[0] = x
  - for l in range(N):
      - a[l] = exp(0.1 * z[l])
      - z[l+1] = z[l] + a[l]
loss: E = sum(sum(a[l]) for l in range(N))${end}
`
    const { status, stdout } = backproof(['derive', '-'], spec)
    expect(status, stdout).toBe(0)
    expect(stdout).toContain('∂E/∂a[l] = ∂E/∂z[l+1] + 1')
    // not all of the error comes from the next step
    expect(stdout).not.toContain('(I + ∂a[l]/∂z[l])ᵀ ∂E/∂z[l+1]')
  })

  test('shared weights, where the recursion starts, and a closed form can be asked for', () => {
    const { stdout } = backproof(['derive', 'samples/rnn.yaml', '--at', 'W,h[0]', '--no-verify'])
    expect(stdout).toContain('∂E/∂W = ∑ₜ₌₁^T ∂E/∂a[t] h[t−1]ᵀ')
    expect(stdout).toContain('∂E/∂h[0] = Wᵀ ∂E/∂a[1]')
    expect(stdout).toContain('∂E/∂h[T] = Vᵀ ∂E/∂o[T]')
    const { gradients } = JSON.parse(backproof(['derive', stack, '--format', 'json']).stdout)
    expect(gradients[0]).toMatchObject({ of: 'z[0]', given: false, terms: [], text: '(∏ₗ₌₀^(N−1) (I + ∂F[l]/∂z[l])ᵀ) ∂L/∂z[N]' })
    expect(gradients[0].verified.ok).toBe(true)
    expect(gradients[1]).toMatchObject({ of: 'z[N]', role: 'node', given: true })
    expect(backproof(['derive', stack, '--at', 'z[N],z[0]', '--no-verify']).status).toBe(0)
  })
})

describe('the shortest loops', () => {
  test('one step', () => {
    const { status, stdout } = backproof(['derive', '-', '--set', 'N=1'], blocks)
    expect(status).toBe(0)
    expect(stdout).toContain('✓ 1 claim proved')
  })

  test('no step: what goes in comes out, and a claim about every step says nothing', () => {
    expect(backproof(['derive', '-', '--set', 'N=0', '--no-verify'], blocks)).toMatchObject({ status: 0, stderr: '' })
    const { status, stdout } = backproof(['check', '-', '--set', 'N=0'], blocks)
    expect(status).toBe(1)
    expect(stdout).toContain('the index takes no value')
  })

  test('no step: its names are known, those of calls and of what is plain in a step, too', () => {
    const spec = [
      'inputs:\n  z[0]: [n]\nparams:\n  W[N]: [n, n]\nfunctions:\n  F(z): opaque\nlayers:',
      '  - for l in range(N):\n      - a = W[l] @ z[l]\n      - z[l+1] = z[l] + F(a)\nloss: L(z[N])',
      'claims:\n  - dL/dz[0] = prod((I + dF[l]/da[l] @ W[l]).T for l in range(N)) @ dL/dz[N]\n  - dL/dz[0] = dL/dz[N] + (d(sum(F[i] for i in range(N)))/dz[0]).T @ dL/dz[N]\n',
    ].join('\n')
    for (const steps of [0, 1, 2]) expect(backproof(['check', '-', '--set', `N=${steps}`], spec)).toMatchObject({ status: 0, stderr: '' })
    expect(backproof(['check', '-', '--set', 'N=0'], spec.replace('l in range(N)) @', 'l in range(N)) @ dF[0]/da[0] @')).stderr).toContain(
      'a[0] is not defined',
    )
  })
})

test('a chain of twenty thousand layers', () => {
  const layers = Array.from({ length: 20_000 }, (_, i) => `  - h${i + 1} = tanh(h${i})\n`).join('')
  const { status, stdout } = backproof(['derive', '-', '--no-verify'], `inputs:\n  h0: [n]\nlayers:\n${layers}loss: L(h20000)\n`)
  expect(status).toBe(0)
  expect(stdout).toContain('∂L/∂h₀ = ')
})

test('a sum of two hundred thousand terms', () => {
  const sum = Array(200_000).fill('x').join(' + ')
  const { status, stdout } = backproof(['derive', '-', '--no-verify'], `inputs:\n  x: [n]\nlayers:\n  - y = ${sum}\nloss: L(y)\n`)
  expect(status).toBe(0)
  expect(stdout).toContain('∂L/∂x = 200000 ∂L/∂y')
})

test('an empty product of matrices is I', () => {
  const spec = `inputs:
  z[0]: [d]
params:
  W[N]: [d, d]
layers:
  - for l in range(N):
      - z[l+1] = W[l] @ z[l]
loss: L(z[N])
claims:
  - for l in range(N): dL/dW[l] = outer(prod(W[i].T for i in range(l+1, N)) @ dL/dz[N], z[l])
  - not: dL/dW[l] = outer(prod(W[i].T for i in range(l, N)) @ dL/dz[N], z[l])
    for: l in range(N)
`
  expect(backproof(['check', '-'], spec).stdout).toContain('✓ 1 claim agrees numerically, 1 false claim refuted')
})

test('the steps of a loop are told, and a heading stands over something', () => {
  const { stdout } = backproof(['derive', 'samples/rnn.yaml', '--steps', '--no-verify'])
  expect(stdout).toContain('steps of the loop t = 1 … T\n  chain rule\n    ∂E/∂o[t] = o[t] − y[t]')
  expect(stdout).toMatch(/∂E\/∂W = ∑ₜ₌₁\^T ∂E\/∂a\[t\] h\[t−1\]ᵀ +the contributions of all steps add up/)
  expect(stdout).not.toMatch(/^steps\n(?! )/m)
})

test('a wrong claim about a deep network is answered soon', () => {
  const spec = `inputs:
  z[0]: [d]
params:
  W: [d, d]
layers:
  - for l in range(N):
      - a[l] = W @ z[l]
      - z[l+1] = z[l] + relu(a[l])
loss: L(z[N])
claims:
  - not: dL/dW = N * outer(relu'(a[0]) * dL/dz[1], z[0])
`
  const start = performance.now()
  expect(backproof(['check', '-', '--set', 'N=40'], spec).status).toBe(0)
  expect(performance.now() - start).toBeLessThan(6000)
})

test('Jacobians of sums are opened, whether their branches have names or not, and products become diagonals', () => {
  const spec = `inputs:
  x: [d]
params:
  V: [d, d]
functions:
  F(x): opaque
layers:
  - h = tanh(x)
  - y = x + F(x) + F(h)
  - t = sigmoid(V @ y)
  - u = t * y + (1 - t) * tanh(y)
loss: L(u)
`
  const { status, stdout } = backproof(['derive', '-', '--form', 'jacobian'], spec)
  expect(status).toBe(0)
  expect(stdout).toContain('(I + ∂(F(x))/∂x + ∂(F(h))/∂x)ᵀ')
  expect(stdout).toContain('diag(1 − t) diag(tanh′(y))')
})

describe('what one step sends to a value from outside is a contribution: the whole is the sum over all steps', () => {
  const spec = (equation: string): string =>
    `inputs:\n  z[0]: [n, d]\n  b: [d]\nparams:\n  W: [d, d]\nlayers:\n  - for l in range(N):\n      - ${equation}\nloss: L(z[N])\n`
  const derived = (equation: string): string => backproof(['derive', '-', '--no-verify'], spec(equation)).stdout

  test('a value that every step uses', () => {
    const text = derived('z[l+1] = z[l] @ W + b')
    expect(text).toContain('  ∂L/∂b ⟵ colsum(∂L/∂z[l+1])   branch b → z[l+1]; b is broadcast over [n]: the error is summed over it\n')
    expect(text).toContain('∂L/∂b = ∑ₗ₌₀^(N−1) colsum(∂L/∂z[l+1])')
    expect(text).toContain('∂L/∂z[l] = ∂L/∂z[l+1] Wᵀ     [n, d]')
  })

  test('the start of the recursion, where every step uses it', () => {
    const text = derived('z[l+1] = z[l] @ W + tanh(z[0] * b)')
    expect(text).toMatch(/^ {2}∂L\/∂z\[0\] ⟵ .* branch z\[0\] → z\[l\+1\]$/m)
    expect(text).not.toMatch(/^ {2}∂L\/∂z\[0\] = [^∏]*$/m)
  })
})

test('where the recursion starts, nothing arrives at what no one uses', () => {
  const layers = '  - for j in range(M):\n      - q[j] = R @ s[j]\n      - s[j+1] = tanh(q[j])\n'
  const spec = `inputs:\n  s[0]: [n]\nparams:\n  R: [n, n]\nlayers:\n${layers}loss: E = sum(sum(q[j] * q[j]) for j in range(M))\n`
  const { status, stdout } = backproof(['derive', '-'], spec)
  expect(status).toBe(0)
  expect(stdout).toContain('∂E/∂s[M] = 0   ')
})

test('the formula of a step says where it does not hold: at a start that has other uses', () => {
  const layers = '  - for l in range(N):\n      - z[l+1] = tanh(W[l] @ z[l]) + z[0]\n'
  const spec = `inputs:\n  z[0]: [d]\nparams:\n  W[N]: [d, d]\nlayers:\n${layers}loss: L(z[N])\n`
  expect(backproof(['derive', '-', '--no-verify'], spec).stdout).toContain('∂L/∂z[l] = W[l]ᵀ δ⁽ˡ⁾   [d]   for l = N−1 … 1')
  const latex = backproof(['derive', '-', '--no-verify', '--format', 'latex'], spec).stdout
  expect(latex.match(/for \}l = N-1,\\dots,1/g)).toHaveLength(2)
})

test('a typeset equation of a step carries its range', () => {
  expect(backproof(['derive', stack, '--no-verify', '--format', 'latex']).stdout).toMatch(/partial W_\{l\}\} &= .* && l = 0,\\dots,N-1$/m)
})

test('a network that never ends is refused in its place, and nothing else is said', () => {
  const { status, stderr } = backproof(['derive', stack, '--set', 'N=900000', '--no-verify'])
  expect(status).toBe(2)
  expect(stderr).toContain('residual-stack.yaml:10:9  the network is larger than 300000 values')
  expect(stderr.match(/yaml:/g)).toHaveLength(1)
})
