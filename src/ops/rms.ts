/** Division by a length: the root mean square, and the Euclidean norm. */
import type { Expr, Path } from '../expr/expr.ts'
import { call, fence, fraction, type Layout, Level, prose, symbol, within, word } from '../layout/layout.ts'
import { add, divide, multiply, negate } from './arithmetic.ts'
import { axis, number } from './attributes.ts'
import { op } from './define.ts'
import { sqrt, square } from './elementary.ts'
import { fill } from './leaves.ts'
import { reductionLayout, sum } from './movement.ts'
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
  shiftAndScale,
  statistic,
} from './norm.ts'
import { together } from './pullback.ts'
import { norm } from './reduction.ts'

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
  notation: ([x, r]) => fraction(x, r),
  expand: ([x, r]) => divide(x, r),
})

const superscriptTwo = (x: Layout): Layout => ({ kind: 'superscript', level: Level.atom, base: within(Level.atom, x), mark: symbol('2') })

function unitsOf(x: Expr, gamma: Expr | undefined, { eps }: { readonly eps: number }): Standardised {
  const over = lastAxes.over(x.shape, gamma?.shape)
  const s = rootMeanSquare(x, { axis: over, eps })
  return { xhat: inUnits(x, s), s, over }
}

/** (d − x̂ mean(d ⊙ x̂)) / r, term by term. */
const unitPaths = (d: Expr, { xhat, s, over }: Standardised): readonly Path[] => [
  { through: symbol('x̂', '\\hat{x}'), term: divide(d, s) },
  { through: symbol('r'), term: divide(negate(multiply([xhat, averaged(multiply([d, xhat]), over)])), s) },
]

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
  paths: ([x, gamma], g, attrs) => unitPaths(errorOfStandard(gamma, g, lastAxes), unitsOf(x, gamma, attrs)),
  vjp([x, gamma], g, attrs) {
    const parts = unitsOf(x, gamma, attrs)
    const paths = unitPaths(errorOfStandard(gamma, g, lastAxes), parts)
    const [toGamma] = affineErrors(gamma, undefined, g, parts.xhat, lastAxes)
    return [together(paths), toGamma]
  },
})
const lastAxes: Norm = { over: (x, gamma) => last(x, gamma?.length ?? 1), affine: (x, gamma) => last(x, gamma.length) }

/** (g − y ⟨y, g⟩) / ‖x‖, term by term. */
function unitVectorPaths([x]: readonly [Expr], g: Expr, { axis }: { readonly axis: number }, y: Expr): readonly Path[] {
  const along = { axis: [axis], keepdims: true }
  const length = norm(x, along)
  return [
    { through: prose('the numerator'), term: divide(g, length) },
    { through: fence('‖', '‖', symbol('x')), term: divide(negate(multiply([y, sum(multiply([y, g]), along)])), length) },
  ]
}

export const l2Normalize = op('l2_normalize', ['x'], { axis: axis(-1) })({
  letter: 'u',
  why: 'what points along the unit vector y changes nothing: it is taken off the error, and the rest divided by the norm',
  formula: 'x / ‖x‖',
  source: 'PyTorch, functional.normalize',
  examples: ['l2_normalize(x) | x: [n]', 'l2_normalize(x) | x: [m, n]', 'l2_normalize(x, axis=0) | x: [m, n]'],
  notation: (args) => call(word('l2_normalize'), args),
  expand: ([x], { axis }) => divide(x, norm(x, { axis: [axis], keepdims: true })),
  paths: unitVectorPaths,
  vjp: ([x], g, attrs, y) => [together(unitVectorPaths([x], g, attrs, y))],
})

export const units = [rootMeanSquare, inUnits, rmsNorm, l2Normalize]
