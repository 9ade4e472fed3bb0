/** Attention, rotary positions, and dropout. */
import { fail } from '../diagnostic.ts'
import { dimLayout, divided, sameDim } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, sameShape, shapeText } from '../expr/shape.ts'
import {
  call,
  fraction,
  joined,
  type Layout,
  Level,
  parenthesised,
  root,
  row,
  subscript,
  symbol,
  transposed,
  within,
  word,
} from '../layout/layout.ts'
import { numberLayout } from '../layout/names.ts'
import { map, type Tensor } from '../tensor/tensor.ts'
import { divide, multiply, subtract, where } from './arithmetic.ts'
import { tril } from './arrange.ts'
import { flag, number, numberOr, numberThat } from './attributes.ts'
import { op } from './define.ts'
import { sqrt } from './elementary.ts'
import { fill, sizeValue } from './leaves.ts'
import { matmul } from './linear.ts'
import { sum, T } from './movement.ts'
import { softmax } from './softmax.ts'

const settings = { causal: flag(false), scale: numberOr('1/√d') }
interface Settings {
  readonly causal: boolean
  readonly scale: number | null
}

/** S · scale, which is 1/√d unless told. */
const scaled = (S: Expr, Q: Expr, { scale }: Settings): Expr =>
  scale === null ? divide(S, sqrt(sizeValue(Q.shape.at(-1)!))) : multiply([fill(scale), S])

/** −∞ for what may not be seen: by the mask, or because it comes later. */
function hidden(S: Expr, mask: Expr | undefined, causal: boolean): Expr {
  const seen = mask ? where(mask, S, fill(-Infinity)) : S
  return causal ? where(tril(fill(1, S.shape)), seen, fill(-Infinity)) : seen
}

const scoreShape = (Q: Shape, K: Shape): Shape => [...Q.slice(0, -1), K.at(-2)!]

function check(Q: Shape, K: Shape, V: Shape, mask: Shape | undefined): void {
  const leads = [K, V].every((s) => sameShape(s.slice(0, -2), Q.slice(0, -2)))
  if (Q.length < 2 || !leads || !sameDim(Q.at(-1)!, K.at(-1)!) || !sameDim(K.at(-2)!, V.at(-2)!)) {
    fail('shapes', {
      what: 'attention takes queries [n, d], keys [m, d] and values [m, v], with the same leading axes',
      detail: [Q, K, V].map(shapeText).join(', '),
    })
  }
  if (mask && !sameShape(mask, scoreShape(Q, K)) && !sameShape(mask, scoreShape(Q, K).slice(-2)))
    fail('shapes', {
      what: 'a mask says for each query which keys it may see',
      detail: `${shapeText(mask)}, not ${shapeText(scoreShape(Q, K))}`,
    })
}

/** P: how much of each value each query takes. */
const weights = op(
  'attention_weights',
  ['Q', 'K', 'mask?'],
  settings,
)({
  letter: 'P',
  why: 'queries and keys get the error of their scores through each other; what is hidden gets none',
  formula: 'softmax(Q Kᵀ / √d)',
  source: 'Vaswani et al. 2017, eq. (1)',
  examples: [
    'attention_weights(Q, K) | Q: [n, d], K: [m, d]',
    'attention_weights(Q, K, M) | Q: [n, d], K: [5, d], M: [n, 5] mask',
    'attention_weights(Q, K, causal=True, scale=0.5) | Q: [2, n, d], K: [2, n, d]',
  ],
  shape([Q, K, mask]) {
    check(Q, K, K, mask)
    return scoreShape(Q, K)
  },
  notation([Q, K, mask], { causal, scale }, { args: [q] }) {
    const scores = joined(Level.product, symbol(' '), [Q, transposed(K)])
    const body =
      scale === null
        ? fraction(scores, root(dimLayout(q!.shape.at(-1)!)))
        : row(Level.product, [numberLayout(scale), symbol(' '), within(Level.product, scores)])
    const head = causal ? subscript(word('softmax'), symbol('j≤i', 'j \\le i')) : word('softmax')
    return call(head, mask ? [body, keyword('mask', mask)] : [body])
  },
  expand: ([Q, K, mask], attrs) => softmax(hidden(scaled(matmul(Q, T(K)), Q, attrs), mask, attrs.causal)),
})

const keyword = (name: string, value: Layout): Layout => row(Level.relation, [symbol(`${name}=`, `\\text{${name}}=`), value])

/** dP: the error of the weights. */
const weightError = op('weight_error', ['dO', 'V'])({
  letter: 'dP',
  linear: 'each',
  why: 'each factor gets the error through the other',
  formula: 'dO Vᵀ',
  source: 'Dao et al. 2022, appendix B.2',
  examples: ['weight_error(D, V) | D: [n, v], V: [m, v]', 'weight_error(D, V) | D: [2, n, v], V: [2, m, v]'],
  shape([dO, V]) {
    check(dO, V, V, undefined)
    return scoreShape(dO, V)
  },
  notation: ([dO, V]) => joined(Level.product, symbol(' '), [within(Level.product, dO), within(Level.factor, transposed(V))]),
  expand: ([dO, V]) => matmul(dO, T(V)),
})

/** dS: what the rows of P make of the error of P. */
const scoreError = op('score_error', ['P', 'dP'])({
  letter: 'dS',
  why: 'P enters twice; dP enters along P and through the mean under P',
  formula: 'P ⊙ (dP − rowsum(dP ⊙ P))',
  source: 'Dao et al. 2022, appendix B.2',
  examples: ['score_error(P, D) | P: [n, m], D: [n, m]'],
  notation: ([P, dP]) => {
    const sum = call(word('rowsum'), [joined(Level.hadamard, hadamard, [dP, within(Level.hadamard, P)])])
    return joined(Level.hadamard, hadamard, [P, parenthesised(row(Level.sum, [dP, symbol(' − ', ' - '), sum]))])
  },
  expand: ([P, dP]) => multiply([P, subtract(dP, sum(multiply([dP, P]), { axis: [P.shape.length - 1], keepdims: true }))]),
})
const hadamard = symbol(' ⊙ ', ' \\odot ')

/** Each query takes the values of the keys that are like it. */
const attention = op(
  'attention',
  ['Q', 'K', 'V', 'mask?'],
  settings,
)({
  why: 'the values get the error through the transposed weights, queries and keys through the scores of the softmax, each by the other',
  formula: 'softmax(Q Kᵀ / √d) V; keys that the mask hides (0) or that come later (causal) have score −∞',
  source: 'Vaswani et al. 2017, eq. (1); PyTorch, scaled_dot_product_attention with a boolean mask; Dao et al. 2022, appendix B.2',
  examples: [
    'attention(Q, K, V) | Q: [n, d], K: [m, d], V: [m, v]',
    'attention(Q, K, V, causal=True) | Q: [2, n, d], K: [2, n, d], V: [2, n, v]',
    'attention(Q, K, V, mask=M, scale=0.5) | Q: [n, d], K: [5, d], V: [5, v], M: [n, 5] mask',
  ],
  shape([Q, K, V, mask]) {
    check(Q, K, V, mask)
    return [...Q.slice(0, -1), V.at(-1)!]
  },
  notation: ([Q, K, V, mask], { causal, scale }) =>
    call(word('attention'), [
      Q,
      K,
      V,
      ...(mask ? [keyword('mask', mask)] : []),
      ...(causal ? [keyword('causal', word('True'))] : []),
      ...(scale === null ? [] : [keyword('scale', numberLayout(scale))]),
    ]),
  expand: ([Q, K, V, mask], attrs) => matmul(softmax(hidden(scaled(matmul(Q, T(K)), Q, attrs), mask, attrs.causal)), V),
  vjp([Q, K, V, mask], g, attrs) {
    const P = weights(Q, K, mask, attrs)
    const dS = scoreError(P, weightError(g, V))
    return [scaled(matmul(dS, K), Q, attrs), scaled(matmul(T(dS), Q), Q, attrs), matmul(T(P), g), null]
  },
})

/** Each pair of entries 2i, 2i + 1 of the row at position t, turned by the angle t · base^(−2i/d). */
function turned(x: Tensor, base: number, sign: number): Tensor {
  const [length, width] = x.shape.slice(-2) as [number, number]
  const result = map(x, (v) => v)
  for (let i = 0; i < x.data.length; i += 2) {
    const angle = sign * (Math.floor(i / width) % length) * base ** (-(i % width) / width)
    const [a, b, cos, sin] = [x.data[i]!, x.data[i + 1]!, Math.cos(angle), Math.sin(angle)]
    result.data[i] = a * cos - b * sin
    result.data[i + 1] = b * cos + a * sin
  }
  return result
}

/** Rotary position embedding. */
const rope = op('rope', ['x'], { base: number(10000), inverse: flag(false) })({
  linear: 'each',
  why: 'a rotation is undone by its transpose: the error is turned back by the same angles',
  formula: 'pairs (x₂ᵢ, x₂ᵢ₊₁) at position t turned by t · base^(−2i/d)',
  source: 'Su et al. 2021, eq. (34)',
  examples: ['rope(x) | x: [n, 2*k]', 'rope(x, base=100) | x: [2, n, 4]', 'rope(x, inverse=True) | x: [n, 2]'],
  shape([x]) {
    if (x.length < 2 || divided(x.at(-1)!, 2) === undefined)
      fail('shapes', { what: 'rope turns pairs in rows [n, 2*k]', detail: `this has the shape ${shapeText(x)}` })
    return x
  },
  evaluate: ([x], { base, inverse }) => turned(x, base, inverse ? -1 : 1),
  notation: ([x], { inverse }) => call(inverse ? transposed(word('rope')) : word('rope'), [x]),
  vjp: (_, g, { base, inverse }) => [rope(g, { base, inverse: !inverse })],
})

/** Dropout with the mask that was drawn. */
const dropout = op('dropout', ['x', 'mask'], { p: numberThat('a probability from 0 to less than 1', 0.5, (p) => p >= 0 && p < 1) })({
  why: 'what was dropped gets no error; what was kept gets it scaled as it was itself',
  formula: 'x ⊙ mask / (1 − p)',
  source: 'Srivastava et al. 2014, §10 (inverted); PyTorch, Dropout with p=0.5',
  examples: ['dropout(x, m) | x: [n], m: [n]', 'dropout(x, m, p=0.1) | x: [m, n], m: [m, n]'],
  linear: 'each',
  shape([x, mask]) {
    if (!sameShape(x, mask))
      fail('shapes', { what: 'dropout takes a mask of the shape of x', detail: `${shapeText(x)} and ${shapeText(mask)}` })
    return x
  },
  notation: (args) => call(word('dropout'), args),
  expand: ([x, mask], { p }) => divide(multiply([x, mask]), fill(1 - p)),
})

export const attentions = [weights, weightError, scoreError, attention, rope, dropout]
