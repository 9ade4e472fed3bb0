/** What verification says of gradients: what it measured, what it could not, and why. */
import { describe, expect, test } from 'vitest'
import type { Verification } from '../../src/check/verify.ts'
import { defaults, derive } from '../../src/pipeline.ts'
import { checkJson } from '../../src/report/json.ts'
import { summaryOf } from '../../src/report/summary.ts'

const source = (text: string) => ({ name: 'spec.yaml', text })
const verified = async (text: string, seed = 1) => {
  const result = await derive(source(text), { ...defaults, seed })
  return { result, verification: result.verification!, said: summaryOf(result).map((s) => s.text) }
}
const byName = ({ byValue }: Verification, name: string) => [...byValue].find(([value]) => value.name === name)![1]

const seeds = [1, 2, 3, 4, 5]

test.each(seeds)('scores that are masked by a large number are verified with seed %i', async (seed) => {
  const { verification } = await verified(
    'inputs:\n  x: [n, k]\nconstants:\n  m:\n    shape: [n, k]\n    is: mask\nlayers:\n  - a = where(m, x, -1e9)\n  - p = softmax(a)\nloss: L(p)\n',
    seed,
  )
  expect([...verification.byValue.values()].map((v) => v?.ok)).toEqual([true, true, true])
})

describe('rounding', () => {
  const shifted = (by: string): string => `inputs:\n  x: [d]\nlayers:\n  - a = x + ${by}\n  - y = tanh(a - ${by})\nloss: L(y)\n`

  test.each(seeds)('what it hides is not said to agree (seed %i)', async (seed) => {
    const { verification, said } = await verified(shifted('1e12'), seed)
    expect(byName(verification, 'x')).toBe(null)
    expect(said.join('\n')).toContain('not compared with differences, because rounding hides what small changes of it do: x')
  })

  test.each(seeds)('an error that is told was measured (seed %i)', async (seed) => {
    const { verification } = await verified(shifted('1e3'), seed)
    expect(byName(verification, 'x')!.worst).toBeLessThan(1e-7)
  })
})

const withVjp = (value: string, vjp: string): string =>
  `inputs:\n  x: [d]\nparams:\n  W: [d, d]\nfunctions:\n  f(x):\n    value: ${value}\n    vjp: '${vjp}'\nlayers:\n  - a = W @ x\n  - p = f(a)\n  - y = p + x\nloss: E = half_sse(y, x)\n`

describe('a vjp of a user', () => {
  test.each([
    'where(abs(g) < 1, g, sign(g))',
    'clip(g, -1, 1)',
    'clip(g, -1e6, 1e6)',
    'g * abs(g)',
    'sign(g)',
    'g + 1',
    'exp(x)',
    'stop_gradient(g)',
  ])('that is not linear in the error is told, with its place: %s', async (vjp) => {
    const { verification, said } = await verified(withVjp('x', vjp))
    expect(['a', 'x', 'W'].map((name) => byName(verification, name))).toEqual([null, null, null])
    expect(byName(verification, 'p')?.ok).toBe(true)
    expect(said).toContain('not compared with differences, because the vjp of f (8:11) is not linear in the error g: a, W, x')
  })

  test.each(['g', '-0.5 * g', 'where(x > 0, g, 0.1 * g)', 'g * x', 'W.T @ g'])(
    'that is linear in it is differenced as it claims: %s',
    async (vjp) => {
      const { result, verification, said } = await verified(withVjp('x * x', vjp))
      expect(byName(verification, 'a')).toMatchObject({ ok: true, standIns: ['f'] })
      expect(byName(verification, 'p')).toMatchObject({ ok: true, standIns: [] })
      expect(said).toContain('the differences take f for the linear map that its vjp claims')
      const file = { source: source(''), result, errors: [] }
      expect(checkJson([file], () => true)).toMatchObject({
        files: [{ gradients: expect.arrayContaining([expect.objectContaining({ of: 'x', standIns: ['f'] })]) }],
      })
    },
  )

  test('holds what is stopped for a constant below an argument that its value does not use', async () => {
    const { verification } = await verified(
      "inputs:\n  x: [d]\nparams:\n  w: [d]\n  c: [d]\nfunctions:\n  f(a, b):\n    value: b\n    vjp: '[g, g]'\nlayers:\n  - y = f(stop_gradient(w) * w, c)\nloss: E = sum(y * x)\n",
    )
    expect(byName(verification, 'w')).toMatchObject({ ok: true, standIns: ['f'] })
  })
})

test('what has no line of its own is named where it fails', async () => {
  const { result } = await verified('inputs:\n  x: [d]\nlayers:\n  - a = tanh(x)\n  - y = sin(a)\nloss: L(y)\n')
  const { gradients, inlined } = result.derivation
  const hidden = [...gradients.keys()].find((value) => inlined.has(value))
  const wrong = new Map(result.verification!.byValue).set(hidden!, { draws: 4, worst: 0.5, ok: false, standIns: [] })
  const broken = { ...result, verification: { ...result.verification!, byValue: wrong } }
  expect(summaryOf(broken)).toEqual([
    { kind: 'fails', text: `the gradient by ${hidden!.name} does not agree with central differences (relative error 5.0e-1)` },
  ])
  const json = checkJson([{ source: source(''), result: broken, errors: [] }], () => false)
  expect(json).toMatchObject({ files: [{ gradients: expect.arrayContaining([expect.objectContaining({ of: hidden!.name, ok: false })]) }] })
})
