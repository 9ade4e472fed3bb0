/** `eval` on the built command: numbers in, gradients out; every fault of a dump is told in its place. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { drawPoint } from '../src/check/draw.ts'
import { deriveGradients } from '../src/derive/derive.ts'
import { Failure } from '../src/diagnostic.ts'
import { sizeIn } from '../src/expr/dim.ts'
import { evenly } from '../src/network/lengths.ts'
import type { Value } from '../src/network/network.ts'
import { defaults, derive, evaluateWith } from '../src/pipeline.ts'
import { faultText } from '../src/report/faults.ts'
import { evaluationText, nested } from '../src/report/numbers.ts'
import { plain } from '../src/report/paint.ts'
import { full } from '../src/tensor/tensor.ts'
import { backproof } from './command.ts'

const residual = 'samples/residual.yaml'
// biome-ignore format: matrices
const small = { x: [1, 2], W1: [[1, 0.5], [-3, 0.1]], W2: [[2, 0], [0.25, 2]], 'dL/dy': [1, -1] }

const evaluated = (values: unknown, spec = residual) => backproof(['eval', spec, '--values', '-'], JSON.stringify(values))

test('the gradients of a residual block by hand', () => {
  const { status, stdout, stderr } = evaluated(small)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  // a = (2, −2.8), u = (2, 0), y = (5, 2.5); ∂L/∂a = (1.75, 0)
  expect(JSON.parse(stdout)).toEqual({
    schema: 'backproof/eval/1',
    loss: null,
    values: { x: small.x, W1: small.W1, W2: small.W2, a: [2, -2.8], u: [2, 0], F: [4, 0.5], y: [5, 2.5] },
    // biome-ignore format: matrices
    gradients: { x: [2.75, -0.125], W1: [[1.75, 3.5], [0, 0]], W2: [[2, 0], [-2, 0]], a: [1.75, 0], u: [1.75, -2], F: [1, -1], y: [1, -1] },
  })
})

test('numbers keep all their digits', () => {
  const x = [Math.PI, 1 / 3]
  expect(JSON.parse(evaluated({ ...small, x }).stdout).values.x).toEqual(x)
})

test('what eval prints is a dump that eval reads', () => {
  const { stdout } = evaluated(small)
  expect(backproof(['eval', residual, '--values', '-'], stdout).stdout).toBe(stdout)
})

test('sizes that no array tells can be set', () => {
  const spec = 'constants:\n  a: []\ninputs:\n  s: []\nlayers:\n  - y = s * broadcast_to(a, [n])\nloss: sum(y)\n'
  const told = { name: 'spec', text: spec }
  const values = { name: 'values', text: '{"a": 2, "s": 3}' }
  return expect(evaluateWith(told, values, new Map([['n', 4]])).then((e) => e.evaluation.loss)).resolves.toBe(24)
})

const ones = (shape: readonly number[]): unknown => nested(full(shape, 1))

/** The sizes that a refusal asks for; any other failure is thrown on. */
function sizesNotTold(error: unknown): string[] {
  if (!(error instanceof Failure) || error.diagnostics.some((d) => d.code !== 'size-not-told')) throw error
  return error.diagnostics.map((d) => /size (\S+)/.exec(d.message)?.[1] ?? '')
}

/** Samples without functions whose values nobody knows. */
const samples = readdirSync('samples').filter((f) => f.endsWith('.yaml') && !/: opaque/.test(readFileSync(`samples/${f}`, 'utf8')))

test.each(samples)('%s: sizes follow from the arrays, and what comes out goes in again', async (file) => {
  const source = { name: file, text: readFileSync(`samples/${file}`, 'utf8') }
  const { derivation } = await derive(source, { ...defaults, verify: false })
  const { unrolling } = derivation.network
  const network = unrolling ? unrolling.to(evenly(unrolling.depths, 5)) : derivation.network
  const { raw } = deriveGradients(network, defaults)
  const point = drawPoint(network, 3, 0, 1)
  const values = Object.fromEntries(
    [...network.values].flatMap(([name, { expr }]) => (point.values.has(expr) ? [[name, nested(point.values.get(expr)!)]] : [])),
  )
  const errors = [...network.loss.expr.args[0]!.args].flatMap((arg) =>
    [...network.values.values()].filter((v) => v.expr === arg && v.role === 'node'),
  )
  const key = (v: Value): string => (raw.get(v)!.given ? v.name : `${v.name}->${network.loss.name}`)
  const seeds = network.lossIsOpaque ? errors.map((v) => [key(v), ones(v.expr.shape.map((d) => sizeIn(d, point.sizes)))]) : []
  const dump = { name: 'dump', text: JSON.stringify({ values, gradients: Object.fromEntries(seeds) }) }
  // an axis of heads·k does not tell how many heads there are
  const untold = await evaluateWith(source, dump).then((): string[] => [], sizesNotTold)
  const set = new Map([...point.sizes].filter(([name]) => untold.includes(name)))
  const { evaluation } = await evaluateWith(source, dump, set)
  expect([...evaluation.given.point.sizes, ...set].sort()).toEqual([...point.sizes].sort())
  const text = evaluationText(evaluation)
  expect(evaluationText((await evaluateWith(source, { name: 'again', text }, set)).evaluation)).toBe(text)
})

describe('faults, word for word: test/dumps/NAME.json beside NAME.txt', () => {
  const dumps = readdirSync('test/dumps').filter((f) => f.endsWith('.json'))

  test.each(dumps)('%s', async (file) => {
    const source = { name: file, text: readFileSync(`test/dumps/${file}`, 'utf8') }
    const spec = { name: 'net.yaml', text: readFileSync('test/dumps/net.yaml', 'utf8') }
    const written = await evaluateWith(spec, source).then(
      () => 'no fault\n',
      (error) => {
        if (!(error instanceof Failure)) throw error
        return `${error.diagnostics.map((d) => faultText(d, error.source ?? spec, plain)).join('\n\n')}\n`
      },
    )
    const golden = `test/dumps/${file.replace('.json', '.txt')}`
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(golden, written)
    expect(written).toBe(readFileSync(golden, 'utf8'))
    expect(written).not.toBe('no fault\n')
    expect(backproof(['eval', 'test/dumps/net.yaml', '--values', `test/dumps/${file}`])).toMatchObject({ status: 2, stdout: '' })
  })
})

test('an opaque function has no numbers: the spec is told so', () => {
  const { status, stderr } = evaluated({ x0: [1, 2], 'dL/dx2': [1, 1] }, 'samples/two-blocks.yaml')
  expect(status).toBe(2)
  expect(stderr).toContain("samples/two-blocks.yaml:8:15  F1 can't be evaluated: what F1 computes is not known")
})

test('what is not finite is null, named on the standard error, and fails', () => {
  const spec = 'inputs:\n  x: [n]\nlayers:\n  - y = log(x)\nloss: sum(y)\n'
  const { status, stdout, stderr } = backproof(['eval', '-', '--values', 'test/dumps/zero/log.json'], spec)
  expect({ status, stderr }).toEqual({ status: 1, stderr: '✗ not finite here: L, y, dL/dx\n' })
  expect(JSON.parse(stdout)).toMatchObject({ loss: null, values: { y: [null, 0] }, gradients: { x: [null, 1] } })
})

test('what the spec promises, and the arrays do not keep, is remarked', () => {
  const spec = `inputs:
  z: [2, 3]
  p:
    shape: [2]
    is: positive
constants:
  Y:
    shape: [2, 3]
    is: one_hot
  m:
    shape: [2]
    is: mask
  i:
    shape: [2]
    is: index(3)
  q:
    shape: [2, 3]
    is: simplex
  g:
    shape: [2]
    is: sign
assume:
  - p < 3
layers:
  - y = z * Y * q + sum(p * m * i * g)
loss: sum(y)
`
  const remarks = async (values: object): Promise<readonly string[]> =>
    (await evaluateWith({ name: 'spec', text: spec }, { name: 'values', text: JSON.stringify(values) })).evaluation.remarks
  const rows = (...row: number[]): number[][] => [row, row]
  const kept = { z: rows(1, 2, 3), p: [1, 2], Y: rows(0, 1, 0), m: [0, 1], i: [0, 2], q: rows(0.2, 0.3, 0.5), g: [1, -1] }
  const broken = { ...kept, p: [-1, 3], Y: rows(1, 1, 0), m: [0, 2], i: [0, 3], q: rows(0.2, 0.3, 0.6), g: [1, 0] }
  return remarks(kept).then(async (none) => {
    expect(none).toEqual([])
    const told = await remarks(broken)
    expect(told.map((text) => text.split(/ is| does/)[0])).toEqual(['p', 'Y', 'm', 'i', 'q', 'g', '1[p<3]'])
  })
})

test('one standard input is read once', () => {
  expect(backproof(['eval', '-', '--values', '-'])).toMatchObject({ status: 2, stderr: expect.stringContaining('can be read only once') })
  expect(backproof(['eval', residual])).toMatchObject({ status: 2, stderr: expect.stringContaining('--values') })
})
