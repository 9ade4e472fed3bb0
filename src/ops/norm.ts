/** What all normalisations share: statistics along some axes, an affine map per channel, and the errors of the two. */
import { fail } from '../diagnostic.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, sameShape, shapeText } from '../expr/shape.ts'
import { joined, type Layout, Level, root, row, symbol } from '../layout/layout.ts'
import { numberLayout } from '../layout/names.ts'
import { add, multiply } from './arithmetic.ts'
import { axes, number } from './attributes.ts'
import { op } from './define.ts'
import { mean } from './moments.ts'
import { aligned, broadcast, inShape, sum } from './movement.ts'

export const statistic = { axis: axes(), eps: number(1e-5) }
export const keep = (x: Shape, over: readonly number[]): Shape => x.map((d, a) => (over.includes(a) ? 1 : d))
export const averaged = (x: Expr, over: readonly number[]): Expr => mean(x, { axis: over, keepdims: true })
export const plusEps = (of: Layout, eps: number): Layout => root(eps === 0 ? of : row(Level.sum, [of, symbol(' + '), numberLayout(eps)]))

/** One normalisation: along which axes of x, and along which axes its scale and shift run. */
export interface Norm {
  readonly over: (x: Shape, gamma: Shape | undefined) => readonly number[]
  readonly affine: (x: Shape, gamma: Shape) => readonly number[]
}

export const last = (x: Shape, count: number): readonly number[] => x.map((_, a) => a).slice(-count)

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

export function checkAffine(name: string, x: Shape, params: readonly (Shape | undefined)[], { affine }: Norm): void {
  for (const p of params) {
    const expected = p && affine(x, p).map((a) => x[a]!)
    if (p && !sameShape(p, expected!))
      fail('shapes', {
        what: `gamma and beta of ${name} have the shape ${shapeText(expected!)}`,
        detail: `${shapeText(p)} for ${shapeText(x)}`,
      })
  }
}

export const shiftAndScale = ([xhat, gamma, beta]: readonly [Expr, Expr | undefined, Expr | undefined], { affine }: Norm): Expr => {
  const scaled = gamma ? multiply([along(gamma, xhat.shape, affine(xhat.shape, gamma.shape)), xhat]) : xhat
  return beta ? add([scaled, along(beta, xhat.shape, affine(xhat.shape, beta.shape))]) : scaled
}

/** d: the error of x̂. */
export const scaledError = op('scaled_error', ['gamma', 'g'])({
  letter: 'd',
  linear: 'each',
  why: 'each factor gets the error times the other',
  formula: 'γ ⊙ g',
  source: 'Ioffe & Szegedy 2015, §3',
  examples: ['scaled_error(a, g) | a: [n], g: [m, n]'],
  align: aligned,
  notation: (args) => joined(Level.hadamard, symbol(' ⊙ ', ' \\odot '), args),
  expand: (args) => multiply(args),
})

/** The error of x̂, by the name that it has in print. */
export const errorOfStandard = (gamma: Expr | undefined, g: Expr, { affine }: Norm): Expr =>
  gamma ? scaledError(along(gamma, g.shape, affine(g.shape, gamma.shape)), g) : g

/** The errors of γ and β. */
export const affineErrors = (gamma: Expr | undefined, beta: Expr | undefined, g: Expr, xhat: Expr, { affine }: Norm) =>
  [
    gamma ? gathered(multiply([g, xhat]), gamma.shape, affine(g.shape, gamma.shape)) : null,
    beta ? gathered(g, beta.shape, affine(g.shape, beta.shape)) : null,
  ] as const

/** x̂ with what it is made of. */
export interface Standardised {
  readonly xhat: Expr
  /** What it is divided by. */
  readonly s: Expr
  readonly over: readonly number[]
}
