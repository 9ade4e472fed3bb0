/** Claims about loops whose length is a symbol: different symbols have different lengths, and no claim rests on a few lengths alone. */
import { describe, expect, test } from 'vitest'
import type { Verdict } from '../../src/check/judge.ts'
import { derive } from '../../src/pipeline.ts'
import { plain } from '../../src/report/paint.ts'
import { failingClaims } from '../../src/report/verdicts.ts'

const one = `inputs:
  z[0]: [d]
params:
  W: [d, d]
layers:
  - for l in range(N):
      - a[l] = W @ z[l]
      - z[l+1] = tanh(a[l])
loss: L(z[N])
claims:
`

const two = `inputs:
  z[0]: [d]
params:
  A[N]: [d, d]
  B[M]: [d, d]
layers:
  - for l in range(N):
      - z[l+1] = tanh(A[l] @ z[l])
  - y[0] = z[N]
  - for k in range(M):
      - y[k+1] = tanh(B[k] @ y[k])
loss: L(y[M])
claims:
`

const sourceOf = (spec: string, claim: string) => ({ name: 'spec.yaml', text: `${spec}  - ${claim}\n` })

async function verdictOn(spec: string, claim: string): Promise<Verdict> {
  const { judgements } = await derive(sourceOf(spec, claim))
  return judgements![0]!.verdict
}

describe('true of loops of four steps, or of a few', () => {
  test.each([
    'dL/dz[4] = dL/dz[N]',
    'dL/dW = sum(outer(dL/da[l], z[l]) for l in range(4))',
    'dL/dW = sum(outer(dL/da[l], z[l]) for l in range(N-4, N))',
    '(N-1)*(N-2)*(N-3)*(N-4) = 0',
    '(N-1)*(N-2)*(N-3)*(N-4)*(N-7) = 0',
  ])('%s', async (claim) => {
    expect(await verdictOn(one, claim)).toMatchObject({ kind: 'refuted' })
  })
})

describe('two lengths that were taken for one', () => {
  test('a claim about them is refuted', async () => {
    expect(await verdictOn(two, 'N = M')).toMatchObject({ kind: 'refuted' })
    expect(await verdictOn(two, 'dL/dz[M] = dL/dy[0]')).toMatchObject({ kind: 'refuted' })
  })

  test.each([
    'for k in range(N): dL/dB[k] = outer((1-y[k+1]**2)*dL/dy[k+1], y[k])',
    'for k in range(M): dL/dA[k] = outer((1-z[k+1]**2)*dL/dz[k+1], z[k])',
    'dL/dy[0] = prod((dy[k+1]/dy[k]).T for k in range(N)) @ dL/dy[N]',
  ])('a claim that speaks of steps that are not always there does not pass: %s', async (claim) => {
    const verdict = await verdictOn(two, claim)
    expect(verdict.kind).toBe('undecided')
    expect(verdict.kind === 'undecided' && verdict.because).toMatch(/^for \(N, M\) = \(\d+, \d+\), \w\[\d+\] is not defined$/)
  })

  test('what holds for both does', async () => {
    expect(await verdictOn(two, 'dL/dy[0] = prod((dy[k+1]/dy[k]).T for k in range(M)) @ dL/dy[M]')).toMatchObject({ kind: 'agrees' })
  })
})

test('a step that is named by its number is looked for in longer loops', async () => {
  const verdict = await verdictOn(one, 'dL/dz[9] = W.T @ dL/da[9]')
  expect(verdict).toMatchObject({ kind: 'agrees' })
  const lengths = verdict.kind === 'agrees' ? verdict.lengths!.map((l) => l.get('N')!) : []
  expect(Math.min(...lengths)).toBeGreaterThan(9)
  expect(lengths.length).toBeGreaterThan(2)
})

test('what is never there is neither right nor wrong', async () => {
  expect(await verdictOn(one, 'dL/dz[N+1] = 0')).toMatchObject({ kind: 'undecided', because: 'for N = 2, z[3] is not defined' })
})

test('the claims of a module that speaks of a length are held against all lengths, too', async () => {
  const result = async (claim: string): Promise<Verdict> => {
    const spec = one
      .replace(
        '  W: [d, d]',
        `  W: [d, d]\n  s: Scale\nmodules:\n  Scale(x):\n    layers:\n      - y = x / N\n    returns: y\n    claims:\n      - ${claim}`,
      )
      .replace('W @ z[l]', 'W @ s(z[l])')
    return (await derive(sourceOf(spec, 'N = N'))).judgements![1]!.verdict
  }
  expect(await result('4 * dL/dx = dL/dy')).toMatchObject({ kind: 'refuted' })
  expect(await result('N * dL/dx = dL/dy')).toMatchObject({ kind: 'agrees' })
})

test('a refuted claim tells the lengths and the index', async () => {
  const source = sourceOf(one, 'for l in range(N): dL/dz[l] = W.T @ dL/da[0]')
  expect(failingClaims(await derive(source), source, 1, plain)).toMatch(/\n {2}at N = 2, l = 1, d = \d \(seed 1\): /)
})
