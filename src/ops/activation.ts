/** Activations: one entry each, with value, derivative and, where there is one, the derivative in terms of the output. */
import type { Expr } from '../expr/expr.ts'
import { call, primed, symbol, word } from '../layout/layout.ts'
import { map, type Tensor } from '../tensor/tensor.ts'
import { divide, greater, greaterEqual, less, multiply, subtract, where } from './arithmetic.ts'
import { type Attributes, choice, number, type Values } from './attributes.ts'
import { op } from './define.ts'
import { abs, erf, exp, n, one, type Pointwise, plus, power, square, times } from './elementary.ts'
import { erfOf } from './erf.ts'
import { aligned, inShape } from './movement.ts'

/** An activation: its derivative prints as f′(x) unless asked for otherwise. */
function activation<const A extends Attributes = Record<never, never>>(
  name: string,
  define: Pointwise<Values<A>>,
  attributes: A = {} as A,
) {
  const head = define.sign ?? word(name)
  const examples = [`${name}(x) | x: [n]`, `${name}(x) | x: [m, n]`]
  const kinksOf = (x: Tensor, attrs: Values<A>) =>
    (define.kinks?.(0, attrs) ?? []).map((_, i) => map(x, (v) => define.kinks!(v, attrs)[i]!))
  const f = op(
    name,
    ['x'],
    attributes,
  )({
    why: 'a pointwise function masks the error with its derivative',
    formula: define.formula,
    source: define.source,
    examples,
    align: aligned,
    evaluate: ([x], attrs) => map(x, (v) => define.value(v, attrs)),
    kinks: ([x], attrs) => kinksOf(x, attrs),
    notation: ([x]) => call(head, [x]),
    slope: ([x], attrs) => prime(x, attrs as never),
    vjp: ([x], g, attrs) => [multiply([prime(x, attrs as never), g])],
  })
  const prime = op(
    `${name}'`,
    ['x'],
    attributes,
  )({
    why: `the derivative of ${name}`,
    formula: `the derivative of ${define.formula}`,
    source: define.source,
    examples: [`${name}'(x) | x: [n]`],
    align: aligned,
    notation: ([x]) => call(primed(head), [x]),
    expand: ([x], attrs) => define.derivative(x, attrs, f(x, attrs as never)),
    guises: {
      explicit: ([x], attrs) => define.derivative(x, attrs, f(x, attrs as never)),
      ...(define.output ? { output: ([x], attrs) => define.output!(f(x, attrs as never), attrs) } : {}),
    },
  })
  return [f, prime] as const
}

export const [relu, reluPrime] = activation('relu', {
  formula: 'max(x, 0)',
  source: 'Nair & Hinton 2010; relu′(0) = 0',
  value: (x) => Math.max(x, 0),
  derivative: (x) => greater(x, n(0)),
  output: (y) => greater(y, n(0)),
  kinks: (x) => [x],
})

export const [leakyRelu, leakyReluPrime] = activation(
  'leaky_relu',
  {
    formula: 'x where x > 0, else slope·x',
    source: 'Maas et al. 2013; PyTorch LeakyReLU',
    value: (x, { negative_slope }) => (x > 0 ? x : negative_slope * x),
    derivative: (x, { negative_slope }) => where(greater(x, n(0)), one, n(negative_slope)),
    kinks: (x) => [x],
  },
  { negative_slope: number(0.01) },
)

export const [elu, eluPrime] = activation(
  'elu',
  {
    formula: 'x where x > 0, else α(eˣ − 1)',
    source: 'Clevert et al. 2016, eq. (15); PyTorch ELU',
    value: (x, { alpha }) => (x > 0 ? x : alpha * Math.expm1(x)),
    derivative: (x, { alpha }) => where(greater(x, n(0)), one, times(n(alpha), exp(x))),
    output: (y, { alpha }) => where(greater(y, n(0)), one, plus(y, n(alpha))),
    kinks: (x) => [x],
  },
  { alpha: number(1) },
)

const seluScale = 1.0507009873554805
const seluAlpha = 1.6732632423543772

export const [selu, seluPrime] = activation('selu', {
  formula: 'λ x where x > 0, else λα(eˣ − 1)',
  source: 'Klambauer et al. 2017, eq. (2)',
  value: (x) => seluScale * (x > 0 ? x : seluAlpha * Math.expm1(x)),
  derivative: (x) => where(greater(x, n(0)), n(seluScale), times(n(seluScale * seluAlpha), exp(x))),
  kinks: (x) => [x],
})

const sigmoidOf = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))

export const [sigmoid, sigmoidPrime] = activation('sigmoid', {
  formula: '1/(1 + exp(−x))',
  source: 'definition',
  sign: symbol('σ', '\\sigma'),
  value: sigmoidOf,
  derivative: (_, __, y) => times(y, subtract(one, y)),
  output: (y) => times(y, subtract(one, y)),
})

const softplusOf = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

export const [softplus, softplusPrime] = activation('softplus', {
  formula: 'ln(1 + eˣ)',
  source: 'Dugas et al. 2001',
  value: softplusOf,
  derivative: (x) => sigmoid(x),
})

export const [logsigmoid, logsigmoidPrime] = activation('logsigmoid', {
  formula: 'ln σ(x)',
  source: 'PyTorch LogSigmoid',
  value: (x) => -softplusOf(-x),
  derivative: (x) => subtract(one, sigmoid(x)),
})

export const [tanh, tanhPrime] = activation('tanh', {
  formula: 'tanh x',
  source: 'definition',
  sign: symbol('tanh', '\\tanh'),
  value: Math.tanh,
  derivative: (_, __, y) => subtract(one, times(y, y)),
  output: (y) => subtract(one, times(y, y)),
})

export const [softsign, softsignPrime] = activation('softsign', {
  formula: 'x/(1 + |x|)',
  source: 'PyTorch Softsign',
  value: (x) => x / (1 + Math.abs(x)),
  derivative: (x) => divide(one, square(plus(one, abs(x)))),
})

export const [silu, siluPrime] = activation('silu', {
  formula: 'x σ(x)',
  source: 'Elfwing et al. 2018; PyTorch SiLU',
  value: (x) => x * sigmoidOf(x),
  derivative: (x) => times(sigmoid(x), plus(one, times(x, subtract(one, sigmoid(x))))),
})

export const [mish, mishPrime] = activation('mish', {
  formula: 'x tanh(softplus(x))',
  source: 'Misra 2019; PyTorch Mish',
  value: (x) => x * Math.tanh(softplusOf(x)),
  derivative: (x) => {
    const t = tanh(softplus(x))
    return plus(t, times(x, sigmoid(x), subtract(one, times(t, t))))
  },
})

const geluCoefficient = Math.sqrt(2 / Math.PI)
const geluInner = (x: number): number => geluCoefficient * (x + 0.044715 * x ** 3)

export const [gelu, geluPrime] = activation(
  'gelu',
  {
    formula: 'x Φ(x) = ½ x (1 + erf(x/√2))',
    source: 'Hendrycks & Gimpel 2016; PyTorch GELU',
    value: (x, { approximate }) =>
      approximate === 'none' ? 0.5 * x * (1 + erfOf(x * Math.SQRT1_2)) : 0.5 * x * (1 + Math.tanh(geluInner(x))),
    derivative(x, { approximate }) {
      if (approximate === 'none') {
        const cdf = times(n(0.5), plus(one, erf(times(n(Math.SQRT1_2), x))))
        return plus(cdf, times(n(1 / Math.sqrt(2 * Math.PI)), x, exp(times(n(-0.5), square(x)))))
      }
      const t = tanh(times(n(geluCoefficient), plus(x, times(n(0.044715), power(x, n(3))))))
      const slope = times(n(geluCoefficient), plus(one, times(n(3 * 0.044715), square(x))))
      return times(n(0.5), plus(one, t, times(x, subtract(one, times(t, t)), slope)))
    },
  },
  { approximate: choice('none', 'tanh') },
)

const between = (x: Expr, lo: number, hi: number): Expr => times(greater(x, n(lo)), less(x, n(hi)))

export const [hardsigmoid, hardsigmoidPrime] = activation('hardsigmoid', {
  formula: 'min(max(x/6 + ½, 0), 1)',
  source: 'PyTorch Hardsigmoid',
  value: (x) => Math.min(Math.max(x / 6 + 0.5, 0), 1),
  derivative: (x) => divide(between(x, -3, 3), n(6)),
  kinks: (x) => [x + 3, x - 3],
})

export const [hardswish, hardswishPrime] = activation('hardswish', {
  formula: 'x hardsigmoid(x)',
  source: 'Howard et al. 2019; PyTorch Hardswish',
  value: (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1),
  derivative: (x) => plus(greaterEqual(x, n(3)), times(between(x, -3, 3), plus(divide(x, n(3)), n(0.5)))),
  kinks: (x) => [x + 3, x - 3],
})

export const [hardtanh, hardtanhPrime] = activation('hardtanh', {
  formula: 'min(max(x, −1), 1)',
  source: 'PyTorch Hardtanh',
  value: (x) => Math.min(Math.max(x, -1), 1),
  derivative: (x) => between(x, -1, 1),
  kinks: (x) => [x + 1, x - 1],
})

export const [relu6, relu6Prime] = activation('relu6', {
  formula: 'min(max(x, 0), 6)',
  source: 'Krizhevsky 2010; PyTorch ReLU6',
  value: (x) => Math.min(Math.max(x, 0), 6),
  derivative: (x) => between(x, 0, 6),
  kinks: (x) => [x, x - 6],
})

/** Leaky ReLU with a learned slope per channel: axis 0 of a vector or [C, H, W], axis 1 of a batch (PyTorch). */
export const prelu = op('prelu', ['x', 'a'])({
  why: 'the error passes where x > 0, scaled by the slope elsewhere; the slope collects it there',
  formula: 'x where x > 0, else a·x',
  source: 'He et al. 2015 (PReLU), eq. (1)',
  examples: ['prelu(x, a) | x: [n], a: [n]', 'prelu(x, a) | x: [m, n], a: [n]', 'prelu(x, a) | x: [n], a: []'],
  notation: (args) => call(word('prelu'), args),
  expand([x, a]) {
    const channel = x.shape.length === 3 ? 0 : x.shape.length === 1 ? 0 : 1
    const slope = a.shape.length === 0 ? a : inShape(a, [...a.shape, ...x.shape.slice(channel + 1).map(() => 1)])
    return where(greater(x, n(0)), x, times(slope, x))
  },
})
