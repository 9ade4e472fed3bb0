/** Several loops whose lengths are symbols: what they send to one value adds up, and what each sends is checked by itself. */
import { expect, test } from 'vitest'
import { checkLoops } from '../src/check/unrolled.ts'
import type { Derivation } from '../src/derive/derive.ts'
import { defaults, derive } from '../src/pipeline.ts'
import { backproof } from './command.ts'

const tied = `inputs:
  x: [d]
params:
  W: [d, d]
layers:
  - z[0] = x
  - for l in range(N):
      - z[l+1] = tanh(W @ z[l]) + x
  - y[0] = z[N]
  - for k in range(M):
      - y[k+1] = tanh(W @ y[k]) + z[0]
loss: L(y[M])
claims:
  - dL/dW = sum(outer((1-tanh(W @ y[k])**2)*dL/dy[k+1], y[k]) for k in range(M)) + sum(outer((1-tanh(W @ z[l])**2)*dL/dz[l+1], z[l]) for l in range(N))
  - not: dL/dz[0] = sum(dL/dy[k+1] for k in range(M))
`

test('a parameter of two loops has one gradient, the sum of what both send', () => {
  const { status, stdout } = backproof(['derive', '-'], tied)
  expect(status).toBe(0)
  expect(stdout).toContain('∂L/∂W|ₗₒₒₚ ₖ = ∑ₖ₌₀^(M−1) δ⁽ᵏ⁾ y[k]ᵀ')
  expect(stdout).toContain('∂L/∂W|ₗₒₒₚ ₗ = ∑ₗ₌₀^(N−1) δ⁽ˡ⁾ z[l]ᵀ')
  expect(stdout).toContain(
    'fan-out W               used by loop l and loop k: contributions add up\n  ∂L/∂W = ∂L/∂W|ₗₒₒₚ ₗ + ∂L/∂W|ₗₒₒₚ ₖ ',
  )
  expect(stdout).toContain('branch W→loop l   branch W→loop k')
  expect(stdout.match(/∂L\/∂W = /g)).toHaveLength(1)
})

test('what starts one recursion and is used by the steps of another gets both errors', () => {
  const { stdout } = backproof(['derive', '-', '--no-verify'], tied)
  expect(stdout).toContain('∂L/∂z[0] = ∂L/∂z[0]|ₗₒₒₚ ₗ + ∂L/∂z[0]|ₗₒₒₚ ₖ')
})

test('loops over the same index are told apart by what they hand on', () => {
  const spec = tied
    .replace('for k in range(M)', 'for l in range(M)')
    .replaceAll('[k', '[l')
    .replace(/claims:.*/s, '')
  const { status, stdout } = backproof(['derive', '-'], spec)
  expect(status).toBe(0)
  expect(stdout).toContain('∂L/∂W = ∂L/∂W|_(loop l of z) + ∂L/∂W|_(loop l of y)')
})

test('JSON has the whole gradient once, and from each loop a part', () => {
  const { gradients, loops } = JSON.parse(backproof(['derive', '-', '--format', 'json'], tied).stdout)
  const whole = gradients.find((g: { of: string }) => g.of === 'W')
  expect(whole.terms.map((t: { path: string[] }) => t.path)).toEqual([
    ['W', 'loop l'],
    ['W', 'loop k'],
  ])
  const sharedIn = (i: number) => loops[i].shared.find((s: { of: string }) => s.of === 'W')
  expect([sharedIn(0).isAll, sharedIn(1).isAll]).toEqual([false, false])
})

test('the jacobian form does not leave out what loops send', () => {
  const { stdout } = backproof(['derive', '-', '--form', 'jacobian', '--no-verify'], tied)
  expect(stdout).toContain('∂L/∂x = ∂L/∂z[0] + ∂L/∂x|ₗₒₒₚ')
})

const derived = async (text: string) => (await derive({ name: 'spec.yaml', text }, { ...defaults, verify: false })).derivation

/** What the check says of a gradient. */
const verdictOn = (name: string, derivation: Derivation): boolean | undefined => {
  const { byValue } = checkLoops(derivation, derivation.network.unrolling!, 1).verification
  return [...byValue].find(([value]) => value.name === name)?.[1]?.ok
}

test('a part that is printed as the whole does not pass', async () => {
  const derivation = await derived(tied)
  expect(verdictOn('W', derivation)).toBe(true)
  const loops = derivation.loops.map((loop) => ({ ...loop, shared: loop.shared.map((s) => ({ ...s, isAll: true })) }))
  expect(verdictOn('W', { ...derivation, loops })).toBe(false)
})

test('a sum that lacks the part of a loop does not pass', async () => {
  const derivation = await derived(tied)
  const w = derivation.network.values.get('W')!
  const g = derivation.gradients.get(w)!
  const gradients = new Map([...derivation.gradients, [w, { ...g, total: g.contributions[0]!.term }]])
  expect(verdictOn('W', { ...derivation, gradients })).toBe(false)
})

test('lengths that are different symbols are different numbers where claims are judged', () => {
  const { status, stdout, stderr } = backproof(['check', '-'], tied.replace(/claims:.*/s, 'claims:\n  - dL/dz[M] = dL/dy[0]\n'))
  expect(status).toBe(1)
  expect(stdout + stderr).toContain('refuted')
})

test('what cancels in a step is not judged by its rounding', () => {
  const spec = `inputs:\n  z[0]: [d]\nparams:\n  W: [d, d]\n  b: [d]\nlayers:\n  - for l in range(N):\n      - a[l] = b + W @ z[l]\n      - z[l+1] = a[l] - b + z[l]\nloss: L(z[N])\n`
  const { status, stdout } = backproof(['derive', '-'], spec)
  expect(stdout).not.toContain('✗')
  expect(status).toBe(0)
})
