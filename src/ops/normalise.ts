/** Normalisations: statistics along some axes, x̂ = (x − mean(x)) / s, and an affine map per channel. */
import { fail } from '../diagnostic.ts'
import { divided } from '../expr/dim.ts'
import type { Expr, Path } from '../expr/expr.ts'
import { type Shape, sameShape, shapeText } from '../expr/shape.ts'
import { call, fraction, Level, row, subscript, symbol, within, word } from '../layout/layout.ts'
import { add, divide, multiply, negate } from './arithmetic.ts'
import { axes, number, whole } from './attributes.ts'
import { op } from './define.ts'
import { sqrt } from './elementary.ts'
import { fill } from './leaves.ts'
import { centred, variance } from './moments.ts'
import { broadcast, inShape, reductionLayout } from './movement.ts'
import {
  affineErrors,
  averaged,
  checkAffine,
  errorOfStandard,
  keep,
  last,
  type Norm,
  plusEps,
  type Standardised,
  scaledError,
  shiftAndScale,
  statistic,
} from './norm.ts'
import { together } from './pullback.ts'

/** s: by how much centred values are divided. */
const spread = op(
  'spread',
  ['x'],
  statistic,
)({
  letter: 's',
  why: 'an entry receives its distance from the mean in units of s, shared among the entries',
  formula: '√(var(x) + eps), the axes kept with length 1',
  source: 'Ioffe & Szegedy 2015, algorithm 1',
  examples: ['spread(x) | x: [n]', 'spread(x, axis=1) | x: [m, n]'],
  shape: ([x], { axis }) => keep(x, axis),
  notation: ([x], { axis, eps }, { args: [source] }) => plusEps(reductionLayout('var', x, axis, source!.shape.length), eps),
  expand: ([x], { axis, eps }) => sqrt(add([variance(x, { axis, keepdims: true }), fill(eps)])),
})

/** x̂: values with mean 0, in units of s. */
const standardise = op('standardise', ['x', 's'], { axis: axes() })({
  letter: 'x̂',
  why: 'the error is divided by s; its mean is taken off, for the mean was; and s receives what x̂ bears of it',
  formula: '(x − mean(x)) / s',
  source: 'Ioffe & Szegedy 2015, algorithm 1',
  examples: ['standardise(x, s, axis=1) | x: [m, n], s: [m, 1] positive'],
  shape([x, s], { axis }) {
    if (!sameShape(s, keep(x, axis)))
      fail('shapes', { what: 'there is one s for each mean', detail: `${shapeText(x)} and ${shapeText(s)}` })
    return x
  },
  notation: ([x, s], { axis }, { args: [source] }) =>
    fraction(row(Level.sum, [x, symbol(' − ', ' - '), within(Level.hadamard, reductionLayout('mean', x, axis, source!.shape.length))]), s),
  expand: ([x, s], { axis }) => divide(centred(x, axis), s),
})

function standardised(x: Expr, over: readonly number[], eps: number): Standardised {
  const s = spread(x, { axis: over, eps })
  return { xhat: standardise(x, s, { axis: over }), s, over }
}

/** (d − mean(d) − x̂ mean(d ⊙ x̂)) / s, term by term. That x − μ sums to zero leaves σ² no path through μ. */
const standardPaths = (d: Expr, { xhat, s, over }: Standardised): readonly Path[] => [
  { through: symbol('x̂', '\\hat{x}'), term: divide(d, s) },
  { through: symbol('μ', '\\mu'), term: divide(negate(broadcast(averaged(d, over), { shape: d.shape })), s) },
  { through: symbol('σ²', '\\sigma^2'), term: divide(negate(multiply([xhat, averaged(multiply([d, xhat]), over)])), s) },
]

const threePaths = 'three paths, for the scaled error: straight through, through the mean, and through the variance'

const normalisation = (name: string, source: string, examples: readonly string[], rule: Norm, checkImage: (x: Shape) => void = () => {}) =>
  op(name, ['x', 'gamma?', 'beta?'], { eps: number(1e-5) })({
    joins: true,
    why: threePaths,
    formula: `γ ⊙ (x − mean(x)) / √(var(x) + eps) + β`,
    source,
    examples,
    shape([x, gamma, beta]) {
      checkImage(x)
      checkAffine(name, x, [gamma, beta], rule)
      return x
    },
    notation: (args) =>
      call(
        word(name),
        args.filter((a) => a !== undefined),
      ),
    expand([x, gamma, beta], { eps }) {
      const over = rule.over(x.shape, gamma?.shape)
      return shiftAndScale(
        [divide(centred(x, over), sqrt(add([variance(x, { axis: over, keepdims: true }), fill(eps)]))), gamma, beta],
        rule,
      )
    },
    paths: ([x, gamma], g, { eps }) =>
      standardPaths(errorOfStandard(gamma, g, rule), standardised(x, rule.over(x.shape, gamma?.shape), eps)),
    vjp([x, gamma, beta], g, { eps }) {
      const parts = standardised(x, rule.over(x.shape, gamma?.shape), eps)
      const paths = standardPaths(errorOfStandard(gamma, g, rule), parts)
      return [together(paths), ...affineErrors(gamma, beta, g, parts.xhat, rule)]
    },
  })

const channelAxis = (x: Shape): number => (x.length === 3 ? 0 : 1)
const allBut = (x: Shape, a: number): readonly number[] => x.map((_, i) => i).filter((i) => i !== a)

const layerNorm = normalisation(
  'layer_norm',
  'Ba et al. 2016, eq. (4); PyTorch, LayerNorm over the axes of gamma, else the last one',
  [
    'layer_norm(x, gamma, beta) | x: [n, d], gamma: [d], beta: [d]',
    'layer_norm(x, gamma) | x: [d], gamma: [d]',
    'layer_norm(x) | x: [2, n, d]',
  ],
  { over: (x, gamma) => last(x, gamma?.length ?? 1), affine: (x, gamma) => last(x, gamma.length) },
)

function checkBatch(x: Shape): void {
  if (x.length !== 2 && x.length < 4)
    fail('shapes', { what: 'batch_norm takes a batch [N, C] or [N, C, H, W]', detail: `this has the shape ${shapeText(x)}` })
}

const batchNorm = normalisation(
  'batch_norm',
  'Ioffe & Szegedy 2015, algorithm 1 and §3; PyTorch, BatchNorm2d while training',
  ['batch_norm(x, gamma, beta) | x: [n + 1, c], gamma: [c], beta: [c]', 'batch_norm(x) | x: [n, c, h, w]'],
  { over: (x) => allBut(x, 1), affine: () => [1] },
  checkBatch,
)

function checkPicture(x: Shape): void {
  if (x.length < 3 || x.length > 4)
    fail('shapes', { what: 'instance_norm takes an image [C, H, W] or a batch of them', detail: `this has the shape ${shapeText(x)}` })
}

const instanceNorm = normalisation(
  'instance_norm',
  'Ulyanov et al. 2016, eq. (1); PyTorch, InstanceNorm2d',
  ['instance_norm(x, gamma, beta) | x: [n, c, h, w], gamma: [c], beta: [c]', 'instance_norm(x) | x: [c, h, w]'],
  { over: (x) => last(x, 2), affine: (x) => [channelAxis(x)] },
  checkPicture,
)

/** The channels in groups: [N, G, C/G, H, W]. */
const grouped = (x: Shape, groups: number): Shape => {
  const at = channelAxis(x)
  return [...x.slice(0, at), groups, divided(x[at]!, groups)!, ...x.slice(at + 1)]
}

const groupsOf = (x: Expr, { groups, eps }: { readonly groups: number; readonly eps: number }): Standardised => {
  const inGroups = inShape(x, grouped(x.shape, groups))
  return standardised(inGroups, last(inGroups.shape, 3), eps)
}

/** The paths with all shapes in groups. */
const groupPaths = (gamma: Expr | undefined, g: Expr, parts: Standardised): readonly Path[] =>
  standardPaths(inShape(errorOfStandard(gamma, g, perChannel), parts.xhat.shape), parts)

const groupNorm = op('group_norm', ['x', 'gamma?', 'beta?'], { groups: whole(undefined, 1), eps: number(1e-5) })({
  joins: true,
  why: threePaths,
  formula: 'γ ⊙ (x − mean(x)) / √(var(x) + eps) + β, statistics over the channels of a group',
  source: 'Wu & He 2018, eqs. (1)–(6); PyTorch, GroupNorm',
  slots: ['x', 'groups', 'gamma', 'beta', 'eps'],
  examples: ['group_norm(x, 2, gamma, beta) | x: [n, 4, h, w], gamma: [4], beta: [4]', 'group_norm(x, 2) | x: [2*c, h, w]'],
  shape([x, gamma, beta], { groups }) {
    if (x.length < 3 || x.length > 4 || divided(x[channelAxis(x)]!, groups) === undefined)
      fail('shapes', { what: `group_norm takes images whose channels make ${groups} groups`, detail: `this has the shape ${shapeText(x)}` })
    checkAffine('group_norm', x, [gamma, beta], perChannel)
    return x
  },
  notation: ([x, gamma, beta], { groups }) =>
    call(subscript(word('group_norm'), symbol(String(groups))), [x, ...(gamma ? [gamma] : []), ...(beta ? [beta] : [])]),
  expand([x, gamma, beta], { groups, eps }) {
    const inGroups = inShape(x, grouped(x.shape, groups))
    const over = last(inGroups.shape, 3)
    const s = sqrt(add([variance(inGroups, { axis: over, keepdims: true }), fill(eps)]))
    return shiftAndScale([inShape(divide(centred(inGroups, over), s), x.shape), gamma, beta], perChannel)
  },
  paths: ([x, gamma], g, attrs) =>
    groupPaths(gamma, g, groupsOf(x, attrs)).map(({ through, term }) => ({ through, term: inShape(term, x.shape) })),
  vjp([x, gamma, beta], g, attrs) {
    const parts = groupsOf(x, attrs)
    const error = inShape(together(groupPaths(gamma, g, parts)), x.shape)
    return [error, ...affineErrors(gamma, beta, g, inShape(parts.xhat, x.shape), perChannel)]
  },
})
const perChannel: Norm = { over: () => [], affine: (x) => [channelAxis(x)] }

export const norms = [spread, scaledError, standardise, layerNorm, batchNorm, instanceNorm, groupNorm]
