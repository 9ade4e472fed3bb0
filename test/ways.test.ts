/** The ways of the error: counted, charted and listed as the enumeration of all of them tells. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { drawPoint } from '../src/check/draw.ts'
import { sharesByLength } from '../src/check/shares.ts'
import { countWays, errorAlong, errorGraph, type Hop, lengthsOfWays, longestWay, stepOf, valuesOn, waysTo } from '../src/derive/ways.ts'
import { evaluate } from '../src/expr/evaluate.ts'
import type { Expr } from '../src/expr/expr.ts'
import type { Value } from '../src/network/network.ts'
import { fill } from '../src/ops/leaves.ts'
import { deriveOnly, evaluateWith } from '../src/pipeline.ts'
import { zip } from '../src/tensor/tensor.ts'
import { backproof } from './command.ts'
import { largestGap } from './numeric.ts'
import { below, pick, randomFrom } from './random.ts'

/** Networks whose nodes use earlier ones at random, some of them several times. */
function randomSpec(seed: number): string {
  const random = randomFrom(seed, 'ways')
  const names = ['x0']
  const layers = Array.from({ length: 4 + below(random, 4) }, (_, i) => {
    const [a, b] = [pick(random, names), pick(random, names)]
    names.push(`x${i + 1}`)
    return `  - x${i + 1} = ${pick(random, [`${a} + ${b}`, `${a} * ${b}`, `tanh(${a}) + ${b}`, `sin(${a})`, `${a} + exp(${b}) + ${b}`])}`
  })
  return ['inputs:', '  x0: [3]', 'layers:', ...layers, `loss: half_sse(${names.at(-1)}, ${names.at(-2)})`, ''].join('\n')
}

const graphOf = async (text: string, sizes: ReadonlyMap<string, number> = new Map()) => {
  const derivation = await deriveOnly({ name: 'spec', text }, sizes)
  return { derivation, graph: errorGraph(derivation.network, derivation.structure, derivation.branches) }
}
type Found = Awaited<ReturnType<typeof graphOf>>

/** Every way, by walking all of them. */
function everyWay(target: Value, { graph }: Found): Hop[][] {
  const walk = (at: Expr): Hop[][] => [
    ...(at === target.expr ? [[]] : []),
    ...graph.hops.get(at)!.flatMap((hop) => walk(hop.to).map((rest) => [hop, ...rest])),
  ]
  return walk(graph.order[0]!)
}

describe.each(Array.from({ length: 25 }, (_, seed) => seed))('random network %i', (seed) => {
  test('counts, lengths, extremes and the list are those of all ways', async () => {
    const found = await graphOf(randomSpec(seed))
    const { graph, derivation } = found
    for (const [value, ways] of countWays(graph)) {
      const all = everyWay(value, found)
      const lengths = all.map((way) => way.reduce((n, hop) => n + stepOf(hop, graph), 0))
      expect(ways.count).toBe(BigInt(all.length))
      // what the loss sends to one of its arguments itself is not the error of that argument, unless nothing else arrives there
      const isDirect = (way: readonly Hop[]): boolean => way.every((h) => h.inLoss)
      const unchanged = all.filter((way) => way.every((h) => h.unchanged || h.inLoss) && (all.every(isDirect) || !isDirect(way)))
      expect(ways.identities).toBe(BigInt(unchanged.length))
      expect([ways.shortest, ways.longest]).toEqual([Math.min(...lengths), Math.max(...lengths)])
      const counted = lengthsOfWays(graph, 'nodes', value)
      for (const [length, n] of counted.entries()) expect(n).toBe(BigInt(lengths.filter((l) => l === length).length))
      const branches = lengthsOfWays(graph, 'branches', value)
      expect(branches.reduce((a, b) => a + b, 0n)).toBe(ways.count)
      const listed = [...waysTo(value, graph)]
      expect(listed.length).toBe(all.length)
      expect(new Set(listed.map((way) => way.map((h) => `${h.from.id}.${h.slot}`).join())).size).toBe(all.length)
      expect(listed.map((way) => way.reduce((n, hop) => n + stepOf(hop, graph), 0))).toEqual([...lengths].sort((a, b) => a - b))
      if (value === derivation.network.loss) continue
      expect(longestWay(value, graph).reduce((n, hop) => n + stepOf(hop, graph), 0)).toBe(ways.longest)
    }
  })

  test('what comes by all ways is the gradient', async () => {
    const { graph, derivation } = await graphOf(randomSpec(seed))
    const { network, gradients } = derivation
    const point = drawPoint(network, seed, 0, 0.3)
    for (const value of gradients.keys()) {
      if (value === network.loss) continue
      // the errors of the loss's arguments are what the loss alone sends them
      const own = (argument: Value): Expr => gradients.get(argument)!.contributions.find((c) => c.consumer === network.loss)!.term
      const terms = [...waysTo(value, graph)].map((way) => errorAlong(way, own, graph))
      const known = evaluate([gradients.get(value)!.total, ...terms], point)
      const gradient = known.get(gradients.get(value)!.total)!
      const total = terms.map((t) => known.get(t)!).reduce((a, b) => zip(a, b, (x, y) => x + y))
      expect(largestGap(total, gradient)).toBeLessThan(1e-9)
    }
  })
})

const stack = readFileSync('samples/residual-stack.yaml', 'utf8')

test('residual stacks have binomial coefficients (Veit et al. 2016)', async () => {
  const { derivation, graph } = await graphOf(stack, new Map([['N', 6]]))
  const start = derivation.network.values.get('z[0]')!
  expect(lengthsOfWays(graph, 'branches', start).map(Number)).toEqual([1, 6, 15, 20, 15, 6, 1])
  expect(countWays(graph).get(start)).toMatchObject({ count: 64n, identities: 1n, shortest: 6, longest: 12 })
})

test('two to the thousandth is counted exactly', () => {
  const { stdout, status } = backproof(['paths', 'samples/residual-stack.yaml', 'z[0]', '--set', 'N=1000', '--format', 'json'])
  expect(status).toBe(0)
  const [path] = JSON.parse(stdout).paths
  expect(BigInt(path.count)).toBe(2n ** 1000n)
  expect(path.lengths.reduce((sum: bigint, n: string) => sum + BigInt(n), 0n)).toBe(2n ** 1000n)
  expect(path.identities).toBe('1')
})

test('shares by length add up to one, and ways of length zero bear the error as it is', async () => {
  const values = JSON.stringify({
    x0: [1, 2],
    'dL/dx2': [3, 4],
    W1: [
      [1, 0],
      [0, 1],
    ],
    V1: [
      [1, 2],
      [3, 4],
    ],
    W2: [
      [0, 1],
      [1, 0],
    ],
    V2: [
      [1, 1],
      [1, 1],
    ],
  })
  const spec = `inputs: {x0: '[d]'}\nparams: {W1: '[d, d]', V1: '[d, d]', W2: '[d, d]', V2: '[d, d]'}\nlayers:\n  - x1 = x0 + V1 @ tanh(W1 @ x0)\n  - x2 = x1 + V2 @ tanh(W2 @ x1)\nloss: L(x2)\n`
  const exact = await evaluateWith({ name: 'spec', text: spec.replaceAll("'", '') }, { name: 'values', text: values })
  const { derivation, evaluation } = exact
  const graph = errorGraph(derivation.network, derivation.structure, derivation.branches)
  const shares = sharesByLength(graph, 'branches', derivation.network.values.get('x0')!, derivation, evaluation)
  expect(shares.length).toBe(3)
  expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12)
  expect(shares.every((s) => s > 0)).toBe(true)
})

test('a way on which nothing changes is told to be one', async () => {
  const { derivation, graph } = await graphOf(readFileSync('samples/two-blocks.yaml', 'utf8'))
  const start = derivation.network.values.get('x0')!
  const [first] = waysTo(start, graph)
  expect(valuesOn(first!, graph).map((v) => v.name)).toEqual(['x2', 'x1', 'x0'])
  expect(errorAlong(first!, () => fill(1, start.expr.shape), graph)).toBe(fill(1, start.expr.shape))
})

test('ten thousand blocks are counted', () => {
  const { stdout, status } = backproof(['paths', 'samples/residual-stack.yaml', 'z[0]', '--set', 'N=10000', '--format', 'json'])
  expect(status).toBe(0)
  expect(JSON.parse(stdout).paths[0]).toMatchObject({ count: (2n ** 10000n).toString(), shortest: 10000, longest: 20000, lengths: null })
})

test.each(readdirSync('samples').filter((f) => f.endsWith('.yaml')))(
  '%s: the table names every input and parameter that the loss depends on',
  (file) => {
    const { stdout, stderr, status } = backproof(['paths', `samples/${file}`])
    if (status === 2) expect(stderr).toContain('--set')
    else expect(stdout).toContain('ways of the error')
  },
)

test('bad calls are answered', () => {
  expect(backproof(['paths', 'samples/residual-stack.yaml'])).toMatchObject({ status: 2, stdout: '' })
  expect(backproof(['paths', 'samples/residual.yaml', 'q'])).toMatchObject({ status: 2, stdout: '' })
  expect(backproof(['paths', 'samples/residual.yaml', 'x', '--list', 'all']).status).toBe(2)
})

test('what a loss sends to an argument that has other uses is told, and is no identity path', () => {
  const spec = `inputs:
  x: [n]
params:
  W: [n, n]
layers:
  - y = W @ x
loss: E = half_sse(y, x)
`
  const [path] = JSON.parse(backproof(['paths', '-', 'x', '--list', '5', '--format', 'json'], spec).stdout).paths
  expect(path.identities).toBe('0')
  expect(path.listed.map((l: { text: string }) => l.text)).toEqual(['x − y', 'Wᵀ ∂E/∂y'])
})

test('a value that no error comes back to has no ways; a constant is none that could have some', () => {
  const spec = `inputs:
  s: [n]
params:
  V: [n, n]
  R: [n, n]
constants:
  t: [n]
layers:
  - q = V @ s
  - b = R @ s
loss: E = half_sse(q, t)
`
  const paths = (...args: string[]) => backproof(['paths', '-', ...args], spec)
  expect(paths().stdout).toMatch(/^ {2}R +0 +0$/m)
  for (const name of ['R', 'b']) expect(paths(name)).toMatchObject({ status: 0, stdout: `0 ways of the error from E back to ${name}\n` })
  expect(JSON.parse(paths('R', '--format', 'json').stdout).paths).toMatchObject([{ of: 'R', count: '0', shortest: null, lengths: [] }])
  expect(paths('t')).toMatchObject({ status: 2, stderr: expect.stringContaining('t is a constant, which has no gradient') })
})
