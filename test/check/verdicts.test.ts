/** What the verdicts on claims say beside their kind: hints, and numbers that differ. */
import { expect, test } from 'vitest'
import { derive } from '../../src/pipeline.ts'
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
