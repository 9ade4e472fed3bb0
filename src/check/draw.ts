/** Random points: sizes for every symbol, and values for every variable that respect its domain and the spec's assumptions. */
import { fail } from '../diagnostic.ts'
import { isSymbolic, type Sizes, sizeIn } from '../expr/dim.ts'
import { evaluate, type Point } from '../expr/evaluate.ts'
import type { Attr, Expr } from '../expr/expr.ts'
import { concreteShape } from '../expr/shape.ts'
import { argsOf, inOrder } from '../expr/traverse.ts'
import type { Network } from '../network/network.ts'
import { domainOf } from '../ops/leaves.ts'
import { below, normal, normalTensor, type Random, randomFrom, shuffled } from '../tensor/random.ts'
import { full, map, sizeOf, type Tensor, tensor } from '../tensor/tensor.ts'

const attempts = 300
const mostDistinct = 4
/** Sizes are the first so many from two, where the shapes allow it: small tensors show the same mistakes. */
const fewSizes = 4

/** The points of a network, drawn by a seed: the k-th one is always the same. */
export function drawPoint(network: Network, seed: number, k: number, scale: number): Point {
  const random = randomFrom(seed, 'draw', k)
  const sizes = drawSizes(network, random)
  const leaves = [...network.values.values()].map((v) => v.expr).filter((e) => e.args.length === 0)
  // the deeper the network, the smaller its matrices: else a thousand layers overflow
  const gain = Math.min(1, Math.sqrt(16 / network.values.size))
  for (let attempt = 0; attempt < attempts; attempt++) {
    const values = new Map<Expr, Tensor>()
    for (const leaf of leaves) {
      const own = leaf.shape.length > 1 ? scale * gain : scale
      values.set(leaf, network.fixed.get(leaf) ?? drawValue(leaf, sizes, random, own))
    }
    const point = { sizes, values }
    if (
      network.assumptions.every((mask) =>
        evaluate([mask], point)
          .get(mask)!
          .data.every((v) => v !== 0),
      )
    )
      return point
  }
  return fail('no-draw', { why: `${attempts} points were tried, and none of them met every condition under assume` })
}

/** Sizes that differ from each other and exceed one, where the network's shapes allow it. */
function drawSizes(network: Network, random: Random): Sizes {
  const { sizes } = network
  if (sizes.length === 0) return new Map()
  const demands = conditionsOn(network)
  for (let attempt = 0; attempt < attempts; attempt++) {
    // of many symbols some share a size: images of all different sizes would be large
    const distinct = Math.min(sizes.length, mostDistinct)
    const choice = shuffled(
      random,
      Array.from({ length: fewSizes + Math.floor(attempt / 20) }, (_, i) => i + 2),
    )
    const pool = sizes.map((_, i) => choice[i % distinct]!)
    const some = attempt < attempts / 2 ? pool : sizes.map(() => 1 + below(random, 6))
    const drawn = new Map(sizes.map((name, i) => [name, some[i]!]))
    if (demands.every((holds) => holds(drawn))) return drawn
  }
  return fail('no-draw', { why: `no sizes for ${sizes.join(', ')} were found for which every axis has an entry` })
}

/** What sizes must meet, found out once for all points of a network. */
function conditionsOn(network: Network): readonly Condition[] {
  let known = conditions.get(network)
  if (!known) conditions.set(network, (known = conditionsOf([...network.values.values()].map((v) => v.expr))))
  return known
}
const conditions = new WeakMap<Network, readonly Condition[]>()

type Condition = (sizes: Sizes) => boolean

/** Axes have entries; starts, paddings and the like are not negative. */
function conditionsOf(roots: readonly Expr[]): readonly Condition[] {
  /** What must be at least 0, and at least 1. */
  const seen = [new Set<string>(), new Set<string>()] as const
  const found: Condition[] = []
  const demand = (attr: Attr, least: 0 | 1): void => {
    if (Array.isArray(attr)) for (const a of attr) demand(a, least)
    else if (isSymbolic(attr) && !seen[least].has(attr.key)) {
      seen[least].add(attr.key)
      found.push((sizes) => sizeIn(attr, sizes) >= least)
    }
  }
  for (const expr of inOrder(roots, argsOf)) {
    for (const dim of expr.shape) demand(dim, 1)
    for (const key in expr.attrs) demand(expr.attrs[key]!, 0)
  }
  return found
}

export function drawValue(leaf: Expr, sizes: Sizes, random: Random, scale: number): Tensor {
  const shape = concreteShape(leaf.shape, sizes)
  const { kind, classes } = domainOf(leaf)
  const each = (f: () => number): Tensor => map(full(shape, 0), f)
  switch (kind) {
    case 'real':
      return normalTensor(random, shape, scale)
    case 'positive':
      return each(() => scale * Math.exp(0.5 * normal(random)))
    case 'mask':
      return each(() => below(random, 2))
    case 'sign':
      return each(() => 2 * below(random, 2) - 1)
    case 'index':
      return each(() => below(random, sizeIn(classes!, sizes)))
    case 'one_hot':
      return rows(shape, (k) => {
        const hot = below(random, k)
        return Array.from({ length: k }, (_, i) => Number(i === hot))
      })
    case 'simplex':
      return rows(shape, (k) => {
        const weights = Array.from({ length: k }, () => Math.exp(normal(random)))
        const total = weights.reduce((a, b) => a + b, 0)
        return weights.map((w) => w / total)
      })
  }
}

/** A tensor filled row by row along its last axis. */
function rows(shape: readonly number[], row: (size: number) => readonly number[]): Tensor {
  const data = new Float64Array(sizeOf(shape))
  const size = shape.at(-1) ?? 1
  for (let at = 0; at < data.length; at += size) data.set(row(size), at)
  return tensor(shape, data)
}

/** Values for variables that are not the network's: the g that operators are applied to. */
export function withStrangers(roots: readonly Expr[], point: Point, seed: number): Point {
  const values = new Map(point.values)
  const random = randomFrom(seed, 'strangers')
  for (const expr of inOrder(roots, (e) => (point.values.has(e) ? [] : e.args))) {
    if (values.has(expr) || expr.args.length > 0 || expr.op.evaluate) continue
    values.set(expr, normalTensor(random, concreteShape(expr.shape, point.sizes)))
  }
  return { ...point, values }
}

/**
 * The point computed with so many bits fewer: what this changes in a result is rounding. Equal values stay equal, so no
 * maximum has another winner. The split is Veltkamp's (Dekker 1971, A floating-point technique, section 5.7).
 */
export function coarsened(point: Point, bits: number): Point {
  const factor = 2 ** bits + 1
  const coarse = (x: number): number => (Number.isFinite(factor * x) ? factor * x - (factor * x - x) : x)
  return { ...point, round: (value) => map(value, coarse) }
}
