/** Normalisations: statistics along some axes, x̂ = (x − mean(x)) / s, and an affine map per channel. */
import { fail } from '../diagnostic.ts'
import { divided } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, sameShape, shapeText } from '../expr/shape.ts'
import { call, fraction, joined, type Layout, Level, root, row, subscript, symbol, within, word } from '../layout/layout.ts'
import { numberLayout } from '../layout/names.ts'
import { add, divide, multiply, subtract } from './arithmetic.ts'
import { axes, axis, number, whole } from './attributes.ts'
import { op } from './define.ts'
import { sqrt, square } from './elementary.ts'
import { fill } from './leaves.ts'
import { centred, mean, variance } from './moments.ts'
import { aligned, broadcast, inShape, reductionLayout, sum } from './movement.ts'
import { norm } from './reduction.ts'

const statistic = { axis: axes(), eps: number(1e-5) }
const keep = (x: Shape, over: readonly number[]): Shape => x.map((d, a) => (over.includes(a) ? 1 : d))
const averaged = (x: Expr, over: readonly number[]): Expr => mean(x, { axis: over, keepdims: true })
const plusEps = (of: Layout, eps: number): Layout => root(row(Level.sum, [of, symbol(' + '), numberLayout(eps)]))

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

/** r: the root mean square. */
const rootMeanSquare = op(
  'rms',
  ['x'],
  statistic,
)({
  letter: 'r',
  why: 'an entry receives itself in units of r, shared among the entries',
  formula: '√(mean(x²) + eps), the axes kept with length 1',
  source: 'Zhang & Sennrich 2019, eq. (4)',
  examples: ['rms(x) | x: [n]', 'rms(x, axis=1) | x: [m, n]'],
  shape: ([x], { axis }) => keep(x, axis),
  notation: ([x], { axis, eps }, { args: [source] }) =>
    plusEps(reductionLayout('mean', superscriptTwo(x), axis, source!.shape.length), eps),
  expand: ([x], { axis, eps }) => sqrt(add([averaged(square(x), axis), fill(eps)])),
})

/** x̂ = x / r */
const inUnits = op('in_units', ['x', 'r'])({
  letter: 'x̂',
  why: 'the error is divided by r, and r receives what x̂ bears of it',
  formula: 'x / r',
  source: 'Zhang & Sennrich 2019, eq. (4)',
  examples: ['in_units(x, r) | x: [m, n], r: [m, 1] positive'],
  shape: ([x]) => x,
  notation: ([x, r]) => fraction(x, r),
  expand: ([x, r]) => divide(x, r),
})

const superscriptTwo = (x: Layout): Layout => ({ kind: 'superscript', level: Level.atom, base: within(Level.atom, x), mark: symbol('2') })

/** One normalisation: along which axes of x, and along which axes its scale and shift run. */
interface Norm {
  readonly over: (x: Shape, gamma: Shape | undefined) => readonly number[]
  readonly affine: (x: Shape, gamma: Shape) => readonly number[]
}

/** γ or β in the shape of x. */
const along = (p: Expr, x: Shape, at: readonly number[]): Expr =>
  broadcast(
    inShape(
      p,
      x.map((d, a) => (at.includes(a) ? d : 1)),
    ),
    { shape: x },
  )
/** The error of γ or β: summed over everything that it was repeated along. */
const gathered = (g: Expr, p: Shape, at: readonly number[]): Expr =>
  inShape(sum(g, { axis: g.shape.flatMap((_, a) => (at.includes(a) ? [] : [a])) }), p)

function checkAffine(name: string, x: Shape, params: readonly (Shape | undefined)[], { affine }: Norm): void {
  for (const p of params) {
    const expected = p && affine(x, p).map((a) => x[a]!)
    if (p && !sameShape(p, expected!))
      fail('shapes', {
        what: `gamma and beta of ${name} have the shape ${shapeText(expected!)}`,
        detail: `${shapeText(p)} for ${shapeText(x)}`,
      })
  }
}

const shiftAndScale = ([xhat, gamma, beta]: readonly [Expr, Expr | undefined, Expr | undefined], { affine }: Norm): Expr => {
  const scaled = gamma ? multiply([along(gamma, xhat.shape, affine(xhat.shape, gamma.shape)), xhat]) : xhat
  return beta ? add([scaled, along(beta, xhat.shape, affine(xhat.shape, beta.shape))]) : scaled
}

/** d: the error of x̂. */
const scaledError = op('scaled_error', ['gamma', 'g'])({
  letter: 'd',
  linear: 'each',
  why: 'each factor gets the error times the other',
  formula: 'γ ⊙ g',
  source: 'Ioffe & Szegedy 2015, §3',
  examples: ['scaled_error(a, g) | a: [n], g: [m, n]'],
  align: aligned,
  shape: ([gamma]) => gamma,
  notation: (args) => joined(Level.hadamard, symbol(' ⊙ ', ' \\odot '), args),
  expand: (args) => multiply(args),
})

/** (d − mean(d) − x̂ mean(d ⊙ x̂)) / s: straight through x̂, through the mean, and through s. */
const standardError = (d: Expr, xhat: Expr, s: Expr, over: readonly number[]): Expr =>
  divide(subtract(subtract(d, averaged(d, over)), multiply([xhat, averaged(multiply([d, xhat]), over)])), s)

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
    vjp([x, gamma, beta], g, { eps }) {
      const over = rule.over(x.shape, gamma?.shape)
      const s = spread(x, { axis: over, eps })
      const xhat = standardise(x, s, { axis: over })
      const at = gamma ? rule.affine(x.shape, gamma.shape) : []
      const d = gamma ? scaledError(along(gamma, x.shape, at), g) : g
      return [
        standardError(d, xhat, s, over),
        gamma ? gathered(multiply([g, xhat]), gamma.shape, at) : null,
        beta ? gathered(g, beta.shape, at) : null,
      ]
    },
  })

const last = (x: Shape, count: number): readonly number[] => x.map((_, a) => a).slice(-count)
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
  vjp([x, gamma, beta], g, { groups, eps }) {
    const inGroups = inShape(x, grouped(x.shape, groups))
    const over = last(inGroups.shape, 3)
    const s = spread(inGroups, { axis: over, eps })
    const xhat = standardise(inGroups, s, { axis: over })
    const at = perChannel.affine(x.shape, [])
    const d = gamma ? scaledError(along(gamma, x.shape, at), g) : g
    return [
      inShape(standardError(inShape(d, inGroups.shape), xhat, s, over), x.shape),
      gamma ? gathered(multiply([g, inShape(xhat, x.shape)]), gamma.shape, at) : null,
      beta ? gathered(g, beta.shape, at) : null,
    ]
  },
})
const perChannel: Norm = { over: () => [], affine: (x) => [channelAxis(x)] }

const rmsNorm = op('rms_norm', ['x', 'gamma?'], { eps: number(1e-5) })({
  joins: true,
  why: 'two paths, for the scaled error: straight through, and through the root mean square',
  formula: 'γ ⊙ x / √(mean(x²) + eps)',
  source: 'Zhang & Sennrich 2019, eq. (4); PyTorch, RMSNorm over the axes of gamma, else the last one',
  examples: ['rms_norm(x, gamma) | x: [n, d], gamma: [d]', 'rms_norm(x) | x: [d]'],
  shape([x, gamma]) {
    checkAffine('rms_norm', x, [gamma], lastAxes)
    return x
  },
  notation: (args) =>
    call(
      word('rms_norm'),
      args.filter((a) => a !== undefined),
    ),
  expand([x, gamma], { eps }) {
    const over = lastAxes.over(x.shape, gamma?.shape)
    return shiftAndScale([divide(x, sqrt(add([averaged(square(x), over), fill(eps)]))), gamma, undefined], lastAxes)
  },
  vjp([x, gamma], g, { eps }) {
    const over = lastAxes.over(x.shape, gamma?.shape)
    const r = rootMeanSquare(x, { axis: over, eps })
    const d = gamma ? scaledError(along(gamma, x.shape, over), g) : g
    const xhat = inUnits(x, r)
    return [
      divide(subtract(d, multiply([xhat, averaged(multiply([d, xhat]), over)])), r),
      gamma ? gathered(multiply([g, xhat]), gamma.shape, over) : null,
    ]
  },
})
const lastAxes: Norm = { over: (x, gamma) => last(x, gamma?.length ?? 1), affine: (x, gamma) => last(x, gamma.length) }

export const l2Normalize = op('l2_normalize', ['x'], { axis: axis(-1) })({
  why: 'what points along the unit vector y changes nothing: it is taken off the error, and the rest divided by the norm',
  formula: 'x / ‖x‖',
  source: 'PyTorch, functional.normalize',
  examples: ['l2_normalize(x) | x: [n]', 'l2_normalize(x) | x: [m, n]', 'l2_normalize(x, axis=0) | x: [m, n]'],
  shape: ([x]) => x,
  notation: (args) => call(word('l2_normalize'), args),
  expand: ([x], { axis }) => divide(x, norm(x, { axis: [axis], keepdims: true })),
  vjp: ([x], g, { axis }, y) => [
    divide(subtract(g, multiply([y, sum(multiply([y, g]), { axis: [axis], keepdims: true })])), norm(x, { axis: [axis], keepdims: true })),
  ],
})

export const norms = [
  spread,
  scaledError,
  standardise,
  rootMeanSquare,
  inUnits,
  layerNorm,
  batchNorm,
  instanceNorm,
  groupNorm,
  rmsNorm,
  l2Normalize,
]
