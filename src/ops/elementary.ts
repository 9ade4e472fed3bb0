/** The functions of calculus, entry by entry: powers, exponential, logarithm, sine and their kin; derivatives are written out. */
import type { Expr } from '../expr/expr.ts'
import { call, fence, fraction, type Layout, Level, root, superscript, symbol, within, word } from '../layout/layout.ts'
import { map, zip } from '../tensor/tensor.ts'
import { add, divide, multiply, negate, subtract } from './arithmetic.ts'
import { op } from './define.ts'
import { erfOf } from './erf.ts'
import { fill, numberOf } from './leaves.ts'
import { aligned } from './movement.ts'

/** What is told of a pointwise function. */
export interface Pointwise<A> {
  readonly formula: string
  readonly source: string
  /** The head of its notation, or the whole of it. */
  readonly sign?: Layout
  readonly notation?: (x: Layout) => Layout
  /** The domain that its examples are drawn from. */
  readonly domain?: 'positive'
  value(x: number, attrs: A): number
  /** f′(x) written out; `y` is f(x) itself. */
  derivative(x: Expr, attrs: A, y: Expr): Expr
  /** f′ in terms of y = f(x). */
  output?(y: Expr, attrs: A): Expr
  /** Where it is not smooth: the zeros of these. */
  kinks?(x: number, attrs: A): readonly number[]
}

/** A function of calculus: its derivative is always written out. */
function elementary(name: string, define: Pointwise<object>) {
  const f = op(name, ['x'])({
    why: 'a pointwise function multiplies the error by its derivative',
    formula: define.formula,
    source: define.source,
    examples: [`${name}(x) | x: [n]${define.domain ? ` ${define.domain}` : ''}`],
    align: aligned,
    evaluate: ([x]) => map(x, (v) => define.value(v, {})),
    kinks: ([x]) => (define.kinks?.(0, {}) ?? []).map((_, i) => map(x, (v) => define.kinks!(v, {})[i]!)),
    notation: ([x]) => define.notation?.(x) ?? call(define.sign ?? word(name), [x]),
    vjp: ([x], g, _, y) => [multiply([define.derivative(x, {}, y), g])],
  })
  return f
}

/** Short hands for formulas: numbers, products and sums. */
export const n = fill
export const times = (...factors: Expr[]): Expr => multiply(factors)
export const plus = (...terms: Expr[]): Expr => add(terms)
export const one = n(1)

/** a raised to the power p, entry by entry. */
export const power = op('power', ['a', 'p'])({
  why: 'the power rule',
  formula: 'a^p',
  source: 'NumPy, power',
  examples: ['a ** 3 | a: [n]', 'a ** p | a: [n] positive, p: [n]'],
  align: aligned,
  evaluate: ([a, p]) => zip(a, p, (x, y) => x ** y),
  notation: ([a, p]) => superscript(within(Level.atom, a), p),
  vjp: ([a, p], g) => {
    const exponent = numberOf(p)
    const less = exponent === undefined ? subtract(p, one) : fill(exponent - 1, p.shape)
    return [multiply([p, power(a, less), g]), multiply([log(a), power(a, p), g])]
  },
})

const squaredLayout = (x: Layout): Layout => superscript(within(Level.atom, x), symbol('2'))

export const exp = elementary('exp', {
  formula: 'eˣ',
  source: 'definition',
  sign: symbol('exp', '\\exp'),
  value: Math.exp,
  derivative: (_, __, y) => y,
})

export const log = elementary('log', {
  formula: 'ln x',
  source: 'definition',
  sign: symbol('log', '\\log'),
  domain: 'positive',
  value: Math.log,
  derivative: (x) => divide(one, x),
})

export const log1p = elementary('log1p', {
  formula: 'ln(1 + x)',
  source: 'NumPy, log1p',
  domain: 'positive',
  value: Math.log1p,
  derivative: (x) => divide(one, plus(one, x)),
})

export const sqrt = elementary('sqrt', {
  formula: '√x',
  source: 'definition',
  notation: root,
  domain: 'positive',
  value: Math.sqrt,
  derivative: (_, __, y) => divide(n(0.5), y),
})

export const reciprocal = elementary('reciprocal', {
  formula: '1/x',
  source: 'NumPy, reciprocal',
  notation: (x) => fraction(symbol('1'), x),
  domain: 'positive',
  value: (x) => 1 / x,
  derivative: (x) => negate(divide(one, square(x))),
})

export const rsqrt = elementary('rsqrt', {
  formula: '1/√x',
  source: 'PyTorch, rsqrt',
  notation: (x) => fraction(symbol('1'), root(x)),
  domain: 'positive',
  value: (x) => 1 / Math.sqrt(x),
  derivative: (x, _, y) => negate(divide(times(n(0.5), y), x)),
})

export const square = elementary('square', {
  formula: 'x²',
  source: 'NumPy, square',
  notation: squaredLayout,
  value: (x) => x * x,
  derivative: (x) => times(n(2), x),
})

export const abs = elementary('abs', {
  formula: '|x|',
  source: 'NumPy, abs; sign(0) = 0 at the kink',
  notation: (x) => fence('|', '|', x),
  value: Math.abs,
  derivative: (x) => sign(x),
  kinks: (x) => [x],
})

export const sign = op('sign', ['x'])({
  why: 'the sign is constant almost everywhere: no error passes',
  formula: '−1, 0 or 1',
  source: 'NumPy, sign',
  examples: ['sign(x) | x: [n]'],
  evaluate: ([x]) => map(x, Math.sign),
  kinks: ([x]) => [x],
  notation: ([x]) => call(word('sign'), [x]),
  vjp: () => [null],
})

export const sin = elementary('sin', {
  formula: 'sin x',
  source: 'definition',
  sign: symbol('sin', '\\sin'),
  value: Math.sin,
  derivative: (x) => cos(x),
})

export const cos: typeof sin = elementary('cos', {
  formula: 'cos x',
  source: 'definition',
  sign: symbol('cos', '\\cos'),
  value: Math.cos,
  derivative: (x) => negate(sin(x)),
})

export const erf = elementary('erf', {
  formula: '2/√π ∫₀ˣ exp(−t²) dt',
  source: 'Abramowitz & Stegun 1964, 7.1.1',
  value: erfOf,
  derivative: (x) => times(n(2 / Math.sqrt(Math.PI)), exp(negate(square(x)))),
})
