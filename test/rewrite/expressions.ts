/** Random expressions of any shape over symbolic sizes: what the laws are tried on. Signs, numbers and repeats are frequent, so that laws have work. */
import { type Dim, plus, sizeSymbol, times } from '../../src/expr/dim.ts'
import type { Expr } from '../../src/expr/expr.ts'
import { type Shape, sameShape } from '../../src/expr/shape.ts'
import { nameLayout } from '../../src/layout/names.ts'
import { relu, reluPrime, sigmoid, softplus, tanh } from '../../src/ops/activation.ts'
import { add, divide, greater, maximum, multiply, negate, where } from '../../src/ops/arithmetic.ts'
import { abs, exp, log, log1p, power, reciprocal, rsqrt, sqrt, square } from '../../src/ops/elementary.ts'
import { type Domain, domainOf, fill, sizeValue, variable } from '../../src/ops/leaves.ts'
import { dot, matmul, matvec, outer, vecmat } from '../../src/ops/linear.ts'
import { mean } from '../../src/ops/moments.ts'
import { broadcast, concat, embed, inShape, reshape, slice, sum, T } from '../../src/ops/movement.ts'
import { softmax } from '../../src/ops/softmax.ts'
import { below, pick, type Random } from '../random.ts'

export const sizeNames = ['n', 'm']
const [n, m] = sizeNames.map(sizeSymbol) as [Dim, Dim]
const shapes: readonly Shape[] = [[], [n], [m], [n, m], [m, n], [n, n], [m, m]]
const kinds: readonly Domain['kind'][] = ['positive', 'positive', 'simplex', 'mask']

const leaves = shapes.flatMap((shape, s) =>
  kinds
    .filter((kind) => kind === 'positive' || shape.length > 0)
    .map((kind, i) => variable(`v${s}${i}`, shape, nameLayout(`v${s}${i}`), { kind })),
)

/** The variables of all random expressions. */
export const variables = leaves

const isPositive = (leaf: Expr): boolean => domainOf(leaf).kind === 'positive'

const leafOf = (random: Random, shape: Shape, suits: (leaf: Expr) => boolean = () => true): Expr =>
  pick(
    random,
    leaves.filter((leaf) => sameShape(leaf.shape, shape) && suits(leaf)),
  )

/** A random expression of this shape. */
export function expressionOf(random: Random, shape: Shape, depth: number): Expr {
  if (shape.length > 2) return broadcast(expressionOf(random, shape.slice(1), depth), { shape })
  if (depth <= 0) return below(random, 4) === 0 ? fill(pick(random, [0, 1, 2, -1, 0.5]), shape) : leafOf(random, shape)
  const x = (of: Shape = shape): Expr => expressionOf(random, of, depth - 1)
  const positive = (): Expr => leafOf(random, shape, isPositive)
  const scalar = (): Expr => broadcast(x([]), { shape })
  const number = (): Expr => fill(pick(random, [0, 1, 2, 3, -1, -2, 0.5]), shape)
  const other = (): Dim => pick(random, [n, m])
  const same = x()
  const denominator = positive()
  const rules: (() => Expr)[] = [
    () => add([same, x(), same]),
    () => add([x(), negate(same), same, number()]),
    () => add([multiply([number(), same]), multiply([same, number()])]),
    () => add([multiply([same, x()]), multiply([same, x()])]),
    () => multiply([same, x(), same]),
    () => multiply([number(), x(), number()]),
    () => multiply([scalar(), x()]),
    () => multiply([negate(x()), negate(same)]),
    () => multiply([number(), negate(add([same, negate(x())]))]),
    () => negate(x()),
    () => negate(negate(same)),
    () => divide(x(), positive()),
    () => divide(x(), pick(random, [fill(2, shape), fill(-4, shape), sizeValue(n, shape)])),
    () => divide(divide(same, positive()), positive()),
    () => divide(multiply([fill(3, shape), same]), fill(6, shape)),
    () => multiply([reciprocal(positive()), x()]),
    () => power(positive(), fill(pick(random, [0, 1, 2, 3, -1, 0.5]), shape)),
    () => multiply([power(positive(), fill(2, shape)), positive()]),
    () => square(x()),
    () => reciprocal(positive()),
    () => sqrt(positive()),
    () => multiply([sqrt(positive()), rsqrt(positive())]),
    () => square(sqrt(positive())),
    () => log(multiply([exp(x()), positive()])),
    () => exp(add([same, negate(denominator)])),
    () => pick(random, [log(add([fill(1, shape), exp(same)])), log1p(exp(same))]),
    () => log(pick(random, [sigmoid(denominator), add([fill(1, shape), negate(sigmoid(denominator))])])),
    () => pick(random, [sigmoid(negate(same)), softplus(negate(same)), softplus(abs(same))]),
    () => reciprocal(add([fill(1, shape), exp(negate(same))])),
    () => divide(x(), sizeValue(times(n, m), shape)),
    () => relu(x()),
    () => multiply([reluPrime(same), relu(same)]),
    () => multiply([denominator, add([divide(x(), denominator), negate(same)])]),
    () => divide(multiply([x(), broadcast(sum(x([n])), { shape })]), sizeValue(n, shape)),
    () => divide(x(), multiply([denominator, denominator])),
    () => tanh(x()),
    () => add([divide(x(), denominator), divide(same, denominator)]),
    () => add([divide(x(), denominator), negate(divide(same, denominator))]),
    () => multiply([divide(same, denominator), x(), divide(same, denominator)]),
    () => multiply([greater(x(), fill(0, shape)), greater(same, fill(0, shape)), greater(same, fill(0, shape))]),
    () => where(greater(same, x()), x(), fill(0, shape)),
    () => where(greater(same, x()), fill(1, shape), fill(0, shape)),
    () => maximum(x(), fill(0, shape)),
    () => reshape(reshape(x(), { shape: [...shape, 1] }), { shape }),
    () => broadcast(x(), { shape }),
    () => sum(x([other(), ...shape]), { axis: [0] }),
    () => sum(broadcast(x(), { shape: [other(), ...shape] }), { axis: [0] }),
    () => sum(multiply([x([other(), ...shape]), fill(2, [])]), { axis: [0] }),
    ...rulesByRank(random, shape, depth),
  ]
  return pick(random, rules)()
}

function rulesByRank(random: Random, shape: Shape, depth: number): (() => Expr)[] {
  const of = (inner: Shape): Expr => expressionOf(random, inner, depth - 1)
  const k = pick(random, [n, m])
  const [r, c] = shape as [Dim, Dim]
  const whole = shape.map(() => 1)
  const all: (() => Expr)[] = [() => slice(of(shape), { start: shape.map(() => 0), size: shape, step: whole, drop: [] })]
  if (shape.length === 0) {
    return [
      () => dot(of([k]), of([k])),
      () => sum(of([k])),
      () => sum(multiply([of([k]), of([k])])),
      () => sum(of([n, m])),
      () => mean(of([k])),
      () => sum(softmax(of([k]))),
    ]
  }
  if (shape.length === 1) {
    return [
      ...all,
      () => matvec(of([r, k]), of([k])),
      () => shared((A) => add([matvec(A, of([k])), matvec(A, of([k]))]), of([r, k])),
      () =>
        slice(embed(of(shape), { shape: [plus(r, k)], start: [k], step: [1], drop: [] }), { start: [k], size: [r], step: [1], drop: [] }),
      () => slice(embed(of([k]), { shape: [plus(r, k)], start: [r], step: [1], drop: [] }), { start: [0], size: [r], step: [1], drop: [] }),
      () => matvec(T(of([k, r])), of([k])),
      () => vecmat(of([k]), of([k, r])),
      () => matvec(negate(of([r, k])), divide(of([k]), fill(2, [k]))),
      () => matvec(of([r, k]), multiply([broadcast(of([]), { shape: [k] }), of([k])])),
      () => matvec(of([r, k]), multiply([fill(3, [k]), of([k])])),
      () => matvec(fill(0, [r, k]), of([k])),
      () => sum(of([r, k]), { axis: [1] }),
      () => sum(outer(of([r]), of([k])), { axis: [1] }),
      () => softmax(of(shape)),
      () => slice(concat([of(shape), of(shape)]), { start: [r], size: [r], step: [1], drop: [] }),
      () => inShape(sum(of([r, k]), { axis: [1], keepdims: true }), shape),
      () => broadcast(of([]), { shape }),
      () => sum(broadcast(of(shape), { shape: [k, r] }), { axis: [0] }),
    ]
  }
  return [
    ...all,
    () => T(of([c, r])),
    () => T(T(of(shape))),
    () => T(sum(of([k, c, r]), { axis: [0] })),
    () => sum(T(broadcast(of([c, r]), { shape: [k, c, r] })), { axis: [0] }),
    () => T(negate(of([c, r]))),
    () => matmul(of([r, k]), of([k, c])),
    () => shared((A) => add([matmul(A, of([k, c])), negate(matmul(A, of([k, c])))]), of([r, k])),
    () => shared((a) => add([outer(a, of([c])), outer(a, of([c]))]), of([r])),
    () => matmul(matmul(of([r, k]), of([k, k])), of([k, c])),
    () => T(matmul(T(of([k, c])), of([k, r]))),
    () => T(matmul(of([c, k]), T(of([r, k])))),
    () => T(outer(of([c]), of([r]))),
    () => outer(of([r]), of([c])),
    () => outer(matvec(of([r, k]), of([k])), of([c])),
    () => broadcast(of([c]), { shape }),
    () => broadcast(broadcast(of([]), { shape: [c] }), { shape }),
    () => broadcast(sum(of(shape), { axis: [1], keepdims: true }), { shape }),
    () => T(broadcast(of([]), { shape: [c, r] })),
    () => matmul(of([r, k]), multiply([broadcast(of([]), { shape: [k, c] }), of([k, c])])),
    () => softmax(of(shape)),
  ]
}

/** What is made of one expression that stands in it more than once. */
const shared = (f: (x: Expr) => Expr, x: Expr): Expr => f(x)

/** A shape for a random expression. */
export const shapeFor = (random: Random): Shape => pick(random, shapes)
