/** Elementwise arithmetic: sums, products, quotients, powers, comparisons and choices. */
import type { Expr } from '../expr/expr.ts'
import { call, fence, fraction, joined, type Layout, Level, row, symbol, within, word } from '../layout/layout.ts'
import { numberLayout } from '../layout/names.ts'
import { map, type Tensor, zip } from '../tensor/tensor.ts'
import { number } from './attributes.ts'
import { op } from './define.ts'
import { fill, numberOf } from './leaves.ts'
import { aligned, allArguments, broadcast } from './movement.ts'

const minusSign = symbol('−', '-')
const [plus, minus] = [symbol(' + '), symbol(' − ', ' - ')]
const [space, dot, odot] = [symbol(' '), symbol('·', ' \\cdot '), symbol(' ⊙ ', ' \\odot ')]

/** a + b + …; a summand that is negated prints with its sign. */
export const add = op('add', ['...terms'])({
  why: 'the sum copies the error to every summand',
  formula: 'a + b + …',
  source: 'He et al. 2015, eq. (1) for the residual sum',
  passes: allArguments,
  examples: ['a + b | a: [n], b: [n]', 'a + b + a | a: [m, n], b: [n]', 'a - b | a: [n], b: []'],
  align: aligned,
  evaluate: (terms) => inHalves(terms),
  notation(terms, _, { args }) {
    const first = withoutSign(terms[0]!, args[0]!)
    const parts = first ? [minusSign, first] : [terms[0]!]
    for (let i = 1; i < terms.length; i++) {
      const positive = withoutSign(terms[i]!, args[i]!)
      parts.push(positive ? minus : plus, positive ?? within(Level.hadamard, terms[i]!))
    }
    return row(Level.sum, parts)
  },
  vjp: (terms, g) => terms.map(() => g),
})

/** Adds halves of halves: the rounding of a sum of n terms grows with log n, not with n (Higham 2002, §4.2). */
function inHalves(terms: readonly Tensor[]): Tensor {
  if (terms.length === 1) return terms[0]!
  const half = terms.length >> 1
  return zip(inHalves(terms.slice(0, half)), inHalves(terms.slice(half)), (x, y) => x + y)
}

/** What stands behind the minus of a term, if it has one. */
function withoutSign(term: Layout, expr: Expr): Layout | undefined {
  const bare = expr.op === broadcast ? expr.args[0]! : expr
  if (bare.op === negate && term.kind === 'row' && term.parts[0] === minusSign) return term.parts[1]
  const value = term.kind === 'symbol' ? numberOf(expr) : undefined
  return value !== undefined && value < 0 ? numberLayout(-value) : undefined
}

/** −a */
export const negate = op('negate', ['a'])({
  why: 'the sign goes back with the error',
  formula: '−a',
  source: 'definition',
  passes: allArguments,
  examples: ['-a | a: [n]'],
  align: aligned,
  evaluate: ([a]) => map(a, (x) => -x),
  notation: ([a]) => row(Level.sum, [minusSign, within(Level.hadamard, a)]),
  vjp: (_, g) => [negate(g)],
})

/** a − b */
export const subtract = (a: Expr, b: Expr): Expr => add([a, negate(b)])

/** Whether a factor prints like a number before a product: it has no axes of its own. */
const isScalarFactor = (arg: Expr): boolean =>
  arg.shape.length === 0 || (arg.op.bare !== undefined && (arg.args[0]?.shape.length ?? 0) === 0)

/** The one factor that is not a scalar; beside numbers, a scalar too. */
function scaledFactor({ args }: Expr): readonly Expr[] {
  const tensors = args.filter((a) => !isScalarFactor(a))
  const factors = tensors.length > 0 ? tensors : args.filter((a) => numberOf(a) === undefined)
  return factors.length === 1 ? factors : []
}

/** Factors one beside the other; before a number stands a dot: 2·3 x. */
function sideBySide(level: Level, factors: readonly Layout[]): Layout {
  if (factors.length === 1) return factors[0]!
  const parts = factors.flatMap((factor, i) => (i === 0 ? [factor] : [beginsWithDigit(factor) ? dot : space, factor]))
  return row(level, parts)
}

function beginsWithDigit(layout: Layout): boolean {
  let first: Layout | undefined = layout
  while (first?.kind === 'row' || first?.kind === 'fraction') first = first.kind === 'row' ? first.parts[0] : first.over
  return first?.kind === 'symbol' && /^[\d\xbc-\xbe]/.test(first.text)
}

/** a ⊙ b ⊙ …; numbers and scalars stand before it. */
export const multiply = op('multiply', ['...factors'])({
  linear: 'each',
  why: 'a product gates the error of each factor by the other one',
  formula: 'a ⊙ b',
  source: 'product rule; Srivastava et al. 2015, eq. (2) for gates',
  passes: scaledFactor,
  examples: ['a * b | a: [n], b: [n]', 'a * b * a | a: [m, n], b: [n]', 'a * b | a: [n], b: []'],
  align: aligned,
  evaluate: ([first, ...rest]) => rest.reduce((product, factor) => zip(product, factor, (a, b) => a * b), first!),
  reason: ({ args }) =>
    args.filter((a) => !isScalarFactor(a)).length < 2
      ? 'a factor scales the error'
      : 'a product gates the error of each factor by the other one',
  notation(factors, _, { args }) {
    const scalars: Layout[] = []
    const tensors: Layout[] = []
    for (let i = 0; i < factors.length; i++) {
      if (isScalarFactor(args[i]!)) scalars.push(within(Level.product, factors[i]!))
      else tensors.push(factors[i]!)
    }
    if (tensors.length < 2) {
      const rest = scalars.length > 0 ? tensors.map((t) => within(Level.product, t)) : tensors
      return sideBySide(Level.product, [...scalars, ...rest])
    }
    const pointwise = joined(
      Level.hadamard,
      odot,
      // read from the left, (a ⊙ b) ⊙ c needs no parentheses
      tensors.map((t, i) => (i === 0 && t.level === Level.hadamard ? t : within(Level.factor, t))),
    )
    return sideBySide(Level.hadamard, [...scalars, pointwise])
  },
  vjp: (factors, g) => factors.map((_, i) => (factors.length === 1 ? g : multiply([...factors.slice(0, i), ...factors.slice(i + 1), g]))),
})

/** a / b */
export const divide = op('divide', ['a', 'b'])({
  linear: [0],
  why: 'the numerator gets the error divided by the denominator, the denominator gets that times the quotient, with its sign changed',
  formula: 'a / b',
  source: 'quotient rule',
  passes: ({ args: [a, b] }) => (isScalarFactor(b!) ? [a!] : []),
  examples: ['a / b | a: [n], b: [n] positive', 'a / b | a: [n], b: [] positive'],
  align: aligned,
  evaluate: ([a, b]) => zip(a, b, (x, y) => x / y),
  notation: ([a, b]) => fraction(a, b),
  vjp: ([, b], g, _, y) => [divide(g, b), negate(divide(multiply([y, g]), b))],
})

const prettyMarks: Readonly<Record<string, string>> = { '>=': '≥', '<=': '≤', '!=': '≠', '==': '=' }

const comparison = (name: string, mark: string, latex: string, holds: (x: number, y: number) => boolean) =>
  op(name, ['a', 'b'])({
    why: 'a comparison is constant almost everywhere: no error passes',
    formula: `1 where a ${mark} b, else 0`,
    source: 'NumPy, comparisons',
    examples: [`a ${name === 'equal' ? '==' : mark} b | a: [n], b: [n]`],
    align: aligned,
    evaluate: ([a, b]) => zip(a, b, (x, y) => Number(holds(x, y))),
    kinks: ([a, b]) => [zip(a, b, (x, y) => x - y)],
    notation: ([a, b]) =>
      row(Level.atom, [symbol('1', '\\mathbf{1}'), fence('[', ']', row(Level.relation, [a, symbol(prettyMarks[mark] ?? mark, latex), b]))]),
    vjp: () => [null, null],
  })

export const greater = comparison('greater', '>', ' > ', (x, y) => x > y)
export const greaterEqual = comparison('greater_equal', '>=', ' \\ge ', (x, y) => x >= y)
export const less = comparison('less', '<', ' < ', (x, y) => x < y)
export const lessEqual = comparison('less_equal', '<=', ' \\le ', (x, y) => x <= y)
export const equal = comparison('equal', '==', ' = ', (x, y) => x === y)
export const notEqual = comparison('not_equal', '!=', ' \\ne ', (x, y) => x !== y)

/** The larger (or smaller) of two, entry by entry; at a tie each gets half of the error. */
const extremum = (name: string, better: (x: number, y: number) => number, wins: typeof greater) => {
  const self = op(name, ['a', 'b'])({
    why: 'the error goes to the winner; a tie shares it equally',
    formula: `${name === 'maximum' ? 'max' : 'min'}(a, b)`,
    source: 'the subgradient that treats both alike',
    examples: [`${name}(a, b) | a: [n], b: [n]`],
    align: aligned,
    evaluate: ([a, b]) => zip(a, b, better),
    kinks: ([a, b]) => [zip(a, b, (x, y) => x - y)],
    notation: ([a, b]) => call(symbol(name === 'maximum' ? 'max' : 'min', name === 'maximum' ? '\\max' : '\\min'), [a, b]),
    vjp: ([a, b], g) => {
      const share = (mine: Expr, other: Expr) => add([wins(mine, other), multiply([fill(0.5, g.shape), equal(mine, other)])])
      return [multiply([share(a, b), g]), multiply([share(b, a), g])]
    },
  })
  return self
}

export const maximum = extremum('maximum', Math.max, greater)
export const minimum = extremum('minimum', Math.min, less)

/** a where the mask is not zero, b elsewhere. */
export const where = op('where', ['mask', 'a', 'b'])({
  why: 'each side gets the error where it was chosen',
  formula: 'a where mask, else b',
  source: 'NumPy, where',
  examples: ['where(m, a, b) | m: [n] mask, a: [n], b: [n]', 'where(a > b, a, b) | a: [n], b: [n]'],
  align: aligned,
  evaluate: ([mask, a, b]) => ({ shape: mask.shape, data: mask.data.map((m, i) => (m !== 0 ? a.data[i]! : b.data[i]!)) }),
  notation: (args) => call(word('where'), args),
  vjp: ([mask, a], g) => {
    const nothing = fill(0, a.shape)
    return [null, where(mask, g, nothing), where(mask, nothing, g)]
  },
})

/** x kept between two numbers. */
export const clip = op('clip', ['x'], { lo: number(), hi: number() })({
  why: 'the error passes where x lies between the bounds',
  formula: 'min(max(x, lo), hi)',
  source: 'NumPy, clip',
  examples: ['clip(x, -1, 0.5) | x: [n]'],
  align: aligned,
  evaluate: ([x], { lo, hi }) => map(x, (v) => Math.min(Math.max(v, lo), hi)),
  kinks: ([x], { lo, hi }) => [map(x, (v) => v - lo), map(x, (v) => v - hi)],
  notation: ([x], { lo, hi }) => call(word('clip'), [x, symbol(String(lo)), symbol(String(hi))]),
  vjp: ([x], g, { lo, hi }) => [multiply([greaterEqual(x, fill(lo)), lessEqual(x, fill(hi)), g])],
})

/** x, through which no error passes. */
export const stopGradient = op('stop_gradient', ['x'])({
  why: 'declared constant: no error passes',
  formula: 'x',
  source: 'Abadi et al. 2015 (TensorFlow), stop_gradient',
  examples: ['stop_gradient(x) | x: [n]'],
  frozen: true,
  evaluate: ([x]) => x,
  notation: ([x]) => call(word('sg'), [x]),
  vjp: () => [null],
})
