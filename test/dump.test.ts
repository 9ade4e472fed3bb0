/** `check --values`: a backward pass that is right passes, in float32, too; each usual mistake in it is told by its name. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareWith, evaluateWith } from '../src/pipeline.ts'
import { evaluationText } from '../src/report/numbers.ts'
import { normalTensor, randomFrom } from '../src/tensor/random.ts'
import { backproof } from './command.ts'

const spec = `
name: Two residual layers over a batch
inputs:
  X: [n, d]
params:
  W1: [d, d]
  b1: [d]
  W2: [d, d]
  s: []
constants:
  t: [n, d]
layers:
  - Z1 = X @ W1 + b1
  - H1 = tanh(Z1) + X
  - Z2 = H1 @ W2
  - Y = tanh(Z2) + H1 + s * Z1
loss: E = half_sse(Y, t)
`

type Matrix = number[][]
type Gradients = Record<'X' | 'W1' | 'W2' | 'Z1' | 'H1' | 'Z2' | 'Y', Matrix> & { b1: number[]; s: number }

const T = (A: Matrix): Matrix => A[0]!.map((_, j) => A.map((row) => row[j]!))
const mul = (A: Matrix, B: Matrix): Matrix => A.map((row) => T(B).map((column) => row.reduce((sum, x, k) => sum + x * column[k]!, 0)))
const each = (A: Matrix, f: (x: number, i: number, j: number) => number): Matrix => A.map((row, i) => row.map((x, j) => f(x, i, j)))
const plus = (...terms: Matrix[]): Matrix => each(terms[0]!, (_, i, j) => terms.reduce((sum, A) => sum + A[i]![j]!, 0))
const minus = (A: Matrix, B: Matrix): Matrix => each(A, (x, i, j) => x - B[i]![j]!)
const times = (A: Matrix, B: Matrix): Matrix => each(A, (x, i, j) => x * B[i]![j]!)
const scaled = (A: Matrix, c: number): Matrix => each(A, (x) => c * x)
const columns = (A: Matrix): number[] => T(A).map((column) => column.reduce((a, b) => a + b, 0))
const slope = (A: Matrix): Matrix => each(A, (x) => 1 - Math.tanh(x) ** 2)

const [n, d] = [4, 3]
const random = randomFrom(1, 'dump')
const drawn = (rows: number, size: number): Matrix => Array.from({ length: rows }, () => [...normalTensor(random, [size]).data])
const values = { X: drawn(n, d), W1: drawn(d, d), b1: drawn(1, d)[0]!, W2: drawn(d, d), s: 0.7, t: drawn(n, d) }

const { X, W1, W2, s } = values
const Z1 = each(mul(X, W1), (x, _, j) => x + values.b1[j]!)
const H1 = plus(each(Z1, Math.tanh), X)
const Z2 = mul(H1, W2)
const dY = minus(plus(each(Z2, Math.tanh), H1, scaled(Z1, s)), values.t)

/** The backward pass by hand; `wrong` changes the errors in it. */
function backward(wrong: { dZ2?: Matrix; dH1?: Matrix; dZ1?: Matrix } = {}): Gradients {
  const dZ2 = wrong.dZ2 ?? times(slope(Z2), dY)
  const dH1 = wrong.dH1 ?? plus(dY, mul(dZ2, T(W2)))
  const dZ1 = wrong.dZ1 ?? plus(times(slope(Z1), dH1), scaled(dY, s))
  return {
    Y: dY, Z2: dZ2, H1: dH1, Z1: dZ1, W2: mul(T(H1), dZ2), W1: mul(T(X), dZ1), b1: columns(dZ1),
    s: times(Z1, dY).flat().reduce((a, b) => a + b, 0), X: plus(dH1, mul(dZ1, T(W1))),
  } // biome-ignore format: the backward pass on one page
}

const right = backward()
const dump = (gradients: object, more: object = {}): string => JSON.stringify({ values: { ...values, ...more }, gradients })
const single = (text: string): string => JSON.stringify(JSON.parse(text), (_, x) => (typeof x === 'number' ? Math.fround(x) : x))
const compared = async (text: string, tolerance?: number) =>
  (await compareWith({ name: 'spec.yaml', text: spec }, { name: 'dump.json', text }, undefined, tolerance)).comparison!

const parameters = ({ W1, W2, b1, s }: Gradients) => ({ W1, W2, b1, s })

describe('a right backward pass', () => {
  test('agrees in float64 to the last digits, and in float32', async () => {
    for (const [text, tolerance] of [
      [dump(right), 1e-12],
      [single(dump(right)), 1e-4],
    ] as const) {
      const { gradients, missing } = await compared(text, tolerance)
      expect(gradients.map((g) => [g.of.name, g.ok])).toEqual(
        ['Y', 'Z2', 'H1', 'Z1', 's', 'W2', 'b1', 'W1', 'X'].map((name) => [name, true]),
      )
      expect(missing).toEqual([])
    }
    expect((await compared(single(dump(right)), 1e-12)).gradients.every((g) => g.ok)).toBe(false)
  })

  test('need not have the gradients of inputs, but says so', async () => {
    expect((await compared(dump(parameters(right)))).missing.map((v) => v.name)).toEqual(['X'])
  })

  test('is what eval prints', async () => {
    const { evaluation } = await evaluateWith({ name: 'spec.yaml', text: spec }, { name: 'values', text: JSON.stringify(values) })
    const { values: nodes, gradients } = await compared(evaluationText(evaluation), 1e-15)
    expect([...nodes, ...gradients].every((c) => c.worst === 0)).toBe(true)
    expect(nodes.map((c) => c.of.name)).toEqual(['Z1', 'H1', 'Z2', 'Y', 'E'])
  })

  test('a gradient that cancels to nothing is not judged by its rounding', async () => {
    const softmax = 'inputs:\n  z: [n]\nparams:\n  b: []\nlayers:\n  - y = softmax(z + b)\n  - l = y * y\nloss: sum(l)\n'
    const check = async (b: number) =>
      (
        await compareWith(
          { name: 'spec', text: softmax },
          { name: 'dump', text: `{"values": {"z": [0.3, -1, 2], "b": 0.1}, "gradients": {"b": ${b}}}` },
        )
      ).comparison!
    expect((await check(2e-9)).gradients[0]!.ok).toBe(true)
    expect((await check(1e-3)).gradients[0]!.ok).toBe(false)
  })
})

const noSkip = backward({ dH1: mul(right.Z2, T(W2)) })
const wrongPoint = times(slope(H1), right.H1)
const batchOf = (A: Matrix) => A.at(-1)!

/** A mistake: the gradient that it spoils, what it gives there, and what is said. */
const mistakes: Readonly<Record<string, readonly [name: keyof Gradients, gradient: unknown, kind: string, message: string | RegExp]>> = {
  'a transpose': ['W2', T(right.W2), 'transpose', 'it is the transpose of what is derived'],
  'one half': ['W2', scaled(right.W2, 0.5), 'factor', 'off by ½'],
  'a mean over the batch': ['W1', scaled(right.W1, 1 / n), 'factor', 'off by ¼ = 1/n: nothing is averaged over n'],
  'no mean': ['b1', right.b1.map((x) => x * n), 'factor', 'off by 4 = n: a mean divides by the number of its entries'],
  'added up twice': ['X', scaled(right.X, 2), 'factor', 'off by 2'],
  'a sign': ['b1', right.b1.map((x) => -x), 'sign', 'wrong sign: it is the negative of what is derived'],
  'a sign of one way': ['X', minus(right.H1, mul(right.Z1, T(W1))), 'sign', /^wrong sign of ∂E\/∂Z₁ W₁ᵀ: the branch X → Z₁/],
  'the skip': ['H1', mul(right.Z2, T(W2)), 'missing-term', 'missing ∂E/∂Y: the skip H₁ → Y: H₁ is also a summand of Y, so it is not a constant'],
  'the skip, seen from further up': ['Z1', noSkip.Z1, 'missing-term', 'the error that arrives at H₁ lacks ∂E/∂Y: the skip H₁ → Y'],
  'the skip, seen from a weight': ['W1', noSkip.W1, 'missing-term', 'the error that arrives at H₁ lacks ∂E/∂Y: the skip H₁ → Y'],
  'a way counted twice': ['X', plus(right.X, right.H1), 'factor', /^∂E\/∂H₁ is counted twice: the skip X → H₁/],
  'a mask': ['Z2', dY, 'mask', 'missing the mask tanh′(Z₂): the error passes only where the activation lets it'],
  'a mask, seen from a weight': ['W2', mul(T(H1), dY), 'mask', /^missing the mask tanh′\(Z₂\)/],
  'the point of a derivative': ['Z1', plus(wrongPoint, scaled(dY, s)), 'point', "tanh′(H₁) is taken at the wrong point: it should be tanh′(Z₁)"],
  'a matrix that is not transposed': ['H1', plus(dY, mul(right.Z2, W2)), 'transpose', 'W₂ is not transposed: going back through a matrix multiplies by its transpose'],
  'the last entry of a batch alone': ['b1', batchOf(right.Z1), 'unsummed', 'only the last entry of axis 0 of ∂E/∂Z₁ was used: the error is summed over all of them'],
  'nothing at all': ['W1', scaled(right.W1, 0), 'missing-term', 'it is zero: no error arrived'],
  'weight decay': ['W2', plus(right.W2, scaled(W2, 0.01)), 'extra-term', 'extra 0.01 W₂: a multiple of W₂ itself (weight decay?)'],
  'the gradient of another': ['W1', right.W2, 'other', 'it is ∂E/∂W₂'],
  'a factor': ['Z1', plus(times(slope(Z1), right.H1), dY), 'factor', 'missing the factor s'],
  'a scalar with a sign': ['s', -right.s, 'sign', /^wrong sign/],
  'a scalar that nothing explains': ['s', right.s * 0.123456, 'other', /no simple mistake/],
} // biome-ignore format: one mistake a line

describe.each([
  ['float64', (text: string) => text],
  ['float32', single],
] as const)('a mistake is told by its name, in %s', (_, stored) => {
  test.each(Object.entries(mistakes))('%s', async (__, [name, wrong, kind, message]) => {
    const { gradients } = await compared(stored(dump({ ...right, [name]: wrong })))
    expect(gradients.filter((g) => !g.ok).map((g) => g.of.name)).toEqual([name])
    const { diagnosis, worst, index, dumped, derived } = gradients.find((g) => !g.ok)!
    expect([diagnosis!.kind, diagnosis!.message]).toEqual([kind, typeof message === 'string' ? message : expect.stringMatching(message)])
    expect(worst).toBeGreaterThan(1e-3)
    const at = (A: unknown): number => index.reduce<unknown>((part, i) => (part as unknown[])[i], A) as number
    expect(dumped).toBeCloseTo(at(wrong), 5)
    expect(derived).toBeCloseTo(at(right[name]), 5)
  })
})

test('a loop has as many steps as the dump has members; the steps that are missing are named', async () => {
  const rnn = { name: 'rnn.yaml', text: readFileSync('samples/rnn.yaml', 'utf8') }
  const steps = { 'x[1]': [0.3], 'x[2]': [-0.4], 'x[3]': [0.9], 'y[1]': [1], 'y[2]': [0.2], 'y[3]': [-1] }
  const numbers = { ...steps, 'h[0]': [0.1, -0.2], W: drawn(2, 2), U: drawn(2, 1), V: drawn(1, 2), b: [0.1, 0] }
  const { evaluation } = await evaluateWith(rnn, { name: 'values', text: JSON.stringify(numbers) })
  const whole = JSON.parse(evaluationText(evaluation))
  expect(Object.keys(whole.values)).toContain('h[3]')
  expect(Object.keys(whole.values)).not.toContain('h[4]')
  const last = mul(
    whole.gradients['a[3]'].map((x: number) => [x]),
    [whole.values['h[2]']],
  )
  const text = JSON.stringify({ ...whole, gradients: { ...whole.gradients, W: last } })
  const { gradients } = (await compareWith(rnn, { name: 'dump', text })).comparison!
  const { diagnosis } = gradients.find((g) => !g.ok)!
  expect([diagnosis!.message, ...diagnosis!.details!].map((m) => m.split(':')[0])).toEqual([
    'missing ∂E/∂a[1] h[0]ᵀ',
    'missing ∂E/∂a[2] h[1]ᵀ',
  ])
})

test('where the forward passes differ, the gradients are not explained', async () => {
  const { values: nodes, gradients } = await compared(dump(noSkip, { Z1, H1: minus(H1, X) }))
  expect(nodes.map((c) => [c.of.name, c.ok])).toEqual([
    ['Z1', true],
    ['H1', false],
  ])
  expect(gradients.some((g) => !g.ok)).toBe(true)
  expect(gradients.every((g) => g.diagnosis === undefined)).toBe(true)
})

test('the README shows what the command prints', () => {
  const { stdout } = backproof(['check', 'samples/softmax-regression.yaml', '--values', 'samples/dumps/softmax-regression-wrong.json'])
  const lines = stdout.split('\n')
  const from = lines.findIndex((line) => line.startsWith('✗'))
  expect(readFileSync('README.md', 'utf8')).toContain(lines.slice(from, from + 3).join('\n'))
})

describe('the command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'backproof-'))
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const net = file('net.yaml', spec)
  const check = (text: string, ...more: string[]) => backproof(['check', net, '--values', '-', ...more], text)

  test('ends with 0 for a right dump', () => {
    const { status, stdout } = check(single(dump(parameters(right))))
    expect(stdout).toMatch(
      /✓ 4 gradients in <stdin> agree with the derived ones \(largest relative error \d\.\de-\d, tolerance 0.0001\): s, W₂, b₁, W₁\n– not in <stdin>: the gradients by X/,
    )
    expect(status).toBe(0)
  })

  test('ends with 1 for a wrong one, and says what is wrong', () => {
    const { status, stdout } = check(dump({ ...right, H1: mul(right.Z2, T(W2)) }))
    expect(stdout).toMatch(
      /✗ the gradient by H₁ in <stdin> differs \(relative error \S+ at \[\d, \d\]: \S+, derived \S+\)\n {2}missing ∂E\/∂Y: the skip H₁ → Y/,
    )
    expect(stdout).toContain('derived  ∂E/∂H₁ = ∂E/∂Y')
    expect(status).toBe(1)
  })

  test('has the same in JSON', () => {
    const { status, stdout } = check(dump({ ...right, W2: T(right.W2) }), '--reporter', 'json')
    const [{ ok, gradients, errors }] = JSON.parse(stdout).files
    expect({ status, ok, errors }).toEqual({ status: 1, ok: false, errors: [] })
    expect(gradients.find((g: { of: string }) => g.of === 'W2')).toMatchObject({
      ok: false,
      index: [expect.any(Number), expect.any(Number)],
      diagnosis: { kind: 'transpose' },
      verified: { ok: true },
    })
    expect(gradients.find((g: { of: string }) => g.of === 'W1')).toMatchObject({ ok: true, diagnosis: null })
  })

  test.each<[string, string, string]>([
    ['a value that is missing', dump(right, { W1: undefined }), 'the values lack W1, a parameter of shape [d, d]'],
    ['a gradient that is missing', dump({ ...right, W1: undefined }), 'the gradients lack W1'],
    ['no gradients', JSON.stringify(values), 'the dump has no gradients'],
    ['a shape', dump({ ...right, b1: right.Z1 }), 'was the error not summed over the batch?'],
    ['NaN', dump(right).replace(/"b1":\[[^,]+/, '"b1":[NaN'), 'b1[0] is NaN, which is not a number'],
    ['a name', dump({ ...right, W3: 1 }), 'the spec has no value W3'],
  ])('ends with 2 for %s', (_, text, message) => {
    expect(check(text)).toMatchObject({ status: 2, stderr: expect.stringContaining(message) })
    const { status, stdout } = check(text, '--reporter', 'json')
    expect(status).toBe(2)
    expect(JSON.parse(stdout).files[0].errors[0]).toMatchObject({
      file: '<stdin>',
      line: 1,
      column: expect.any(Number),
      message: expect.stringContaining(message.includes('?') && !message.startsWith('the') ? 'b1 is [4, 3]' : message),
    })
  })

  test('a dump belongs to one spec, a tolerance to a dump', () => {
    expect(backproof(['check', net, net, '--values', net])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--values belongs to one spec'),
    })
    expect(backproof(['check', net, '--tolerance', '1e-3'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--tolerance should be given together with --values'),
    })
    expect(backproof(['check', net, '--tolerance', 'x', '--values', net])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('A tolerance is a number'),
    })
    expect(check(dump({ ...right, W2: scaled(right.W2, 1.001) }), '--tolerance', '0.01').status).toBe(0)
    expect(check(dump({ ...right, W2: scaled(right.W2, 1.001) })).status).toBe(1)
  })
})
