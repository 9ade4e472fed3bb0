/** What the verdicts on claims say beside their kind: hints, and numbers that differ. */
import { describe, expect, test } from 'vitest'
import { defaults, derive } from '../../src/pipeline.ts'
import { plain } from '../../src/report/paint.ts'
import { failingClaims } from '../../src/report/verdicts.ts'

async function verdictOn(claim: string): Promise<string> {
  const text = `inputs:\n  x: [d]\nparams:\n  W: [d, d]\nlayers:\n  - y = W @ x\nloss: L(y)\nclaims:\n  - ${claim}\n`
  const source = { name: 'spec.yaml', text }
  return failingClaims(await derive(source), source, 1, plain)
}

test('a transposed vector is itself: the hint is outer', async () => {
  expect(await verdictOn('dL/dW = dL/dy @ x.T')).toContain(
    'A vector has one axis, so .T of it is itself, and a @ b.T is a number: the matrix is outer(a, b).',
  )
})

test('a factor near one is not told as one', async () => {
  expect(await verdictOn('dL/dx = 1.00001 * W.T @ dL/dy')).toContain('off by 1.00001')
})

test.each([1.01, 1.00001, 1.0000001])('a near miss, by %f, prints numbers that differ', async (factor) => {
  const verdict = await verdictOn(`dL/dx = ${factor} * W.T @ dL/dy`)
  const [, claimed, derived] = /claimed (\[.*\]) {2}derived (\[.*\])/.exec(verdict)!
  expect(claimed).not.toBe(derived)
})

describe('clipped errors are found with every seed, however large the error of an unknown loss is', () => {
  const spec = (claim: string): string =>
    `inputs:\n  x: [n]\nparams:\n  W: [m, n]\nlayers:\n  - a = W @ x\n  - y = tanh(a)\nloss: L(y)\nclaims:\n  - ${claim}\n`
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8]

  test.each(['dL/dy = clip(dL/dy, -1, 1)', 'dL/dx = clip(W.T @ dL/da, -100, 100)', 'dL/dy = where(abs(dL/dy) > 1e-4, dL/dy, 0 * y)'])(
    '%s',
    async (claim) => {
      for (const seed of seeds) {
        const source = { name: 'spec.yaml', text: spec(claim) }
        const result = await derive(source, { ...defaults, seed })
        expect(result.judgements![0]!.verdict.kind).toBe('refuted')
        expect(failingClaims(result, source, seed, plain)).not.toMatch(/extra|not transposed/)
      }
    },
  )

  test('what is right is right for errors of any size', async () => {
    for (const seed of seeds) {
      const source = { name: 'spec.yaml', text: spec('dL/dW + W / 3 = outer((1 - y**2) * dL/dy, x) + W / 3') }
      expect((await derive(source, { ...defaults, seed })).judgements![0]!.ok).toBe(true)
    }
  })
})

test('only a gradient is derived: of other equations the sides are told by their place', async () => {
  expect(await verdictOn('W = 2 * dy/dx')).toMatch(/left \[.*\] {2}right \[/)
  expect(await verdictOn('dL/dx = 2 * W.T @ dL/dy')).toMatch(/claimed \[.*\] {2}derived \[/)
})

test('the hint about outer products is for products of vectors', async () => {
  expect(await verdictOn('dL/dW = 3')).not.toContain('outer')
})

test('a term that is missing is told with the way that it came, not with the skip in the same equation', async () => {
  const text =
    'inputs:\n  z: [d]\nparams:\n  W: [d, d]\nlayers:\n  - y = z + tanh(W @ z)\nloss: L(y)\nclaims:\n  - dL/dz = dL/dy\n  - dL/dz = W.T @ ((1 - tanh(W @ z)**2) * dL/dy)\n'
  const told = failingClaims(await derive({ name: 'spec.yaml', text }), { name: 'spec.yaml', text }, 1, plain)
  expect(told).toMatch(/missing Wᵀ .*: the branch z → y: contributions of all uses add up/)
  expect(told).toContain('missing ∂L/∂y: the skip z → y: z is also a summand of y, so it is not a constant')
})
