/** Reads the examples of operations: 'softmax(z) | z: [n, k]' is a call in spec syntax and the shapes of its arguments. */
import { type Dim, sizeSymbol } from '../src/expr/dim.ts'
import type { Expr } from '../src/expr/expr.ts'
import { nameLayout } from '../src/layout/names.ts'
import { expressionOf } from '../src/network/expression.ts'
import { namesIn } from '../src/network/names.ts'
import type { Scope } from '../src/network/network.ts'
import { dimOf } from '../src/network/sizes.ts'
import { parseExpression } from '../src/network/syntax.ts'
import type { Operation } from '../src/ops/define.ts'
import { type Domain, variable } from '../src/ops/leaves.ts'

export interface Example {
  readonly expr: Expr
  readonly variables: readonly Expr[]
  readonly sizes: readonly string[]
}

/** Cases that documentation has no room for: other axes, ranks, flags and domains, by the operation's name. */
const more: Readonly<Record<string, readonly string[]>> = {
  add: ['a + b - c + 2 | a: [m, n], b: [n], c: [m, 1]', 'a + a | a: [n]'],
  multiply: ['a * b | a: [m, 1], b: [1, n]', 'a * a * a | a: [n]'],
  divide: ['a / b | a: [n], b: [m, n] positive', '1 / b | b: [n] positive', 'a / a | a: [n] positive'],
  power: ['a ** -2 | a: [n] positive', 'a ** 0.5 | a: [m, n] positive', '2 ** p | p: [n]', 'a ** 1 | a: [n]'],
  where: ['where(m, a, 0) | m: [n] mask, a: [n]', 'where(m, a, b) | m: [m, 1] mask, a: [n], b: []'],
  maximum: ['maximum(a, 0) | a: [n]', 'maximum(a, b) | a: [m, n], b: [n]'],
  minimum: ['minimum(a, 0) | a: [n]'],
  matmul: ['A.T @ A | A: [m, n]', 'A @ B | A: [m, n], B: [2, n, k]'],
  outer: ['outer(a, a) | a: [n]'],
  dot: ['a @ a | a: [n]'],
  broadcast_to: ['broadcast_to(x, [2, m, n]) | x: [m, 1]', 'broadcast_to(x, [m, n]) | x: [1, 1]', 'broadcast_to(x, [n]) | x: [n]'],
  sum: ['sum(x, axis=[0, 2], keepdims=True) | x: [2, m, n]', 'sum(x, axis=-2) | x: [2, m, n]', 'sum(x) | x: []'],
  mean: ['mean(x, axis=1, keepdims=True) | x: [m, n]', 'mean(x, axis=[0, 2]) | x: [2, m, n]', 'mean(x) | x: [n]'],
  reshape: ['reshape(x, [m*n]) | x: [m, n]', 'reshape(x, [n, 1, m]) | x: [m, n]'],
  transpose: ['transpose(x) | x: [2, m, n]', 'x.mT | x: [2, m, n]'],
  slice: ['x[1:, 0] | x: [m, n]', 'x[-1] | x: [m, n]', 'x[::2, 1:3] | x: [4, 5]', 'x[0, :, 1] | x: [2, m, n]', 'x[:, None] | x: [n]'],
  embed: ['embed(x, [m, n], [1, 0], [1, 1], [0]) | x: [n]', 'embed(x, [2*n], [1], [2], []) | x: [n]'],
  concat: ['concat([a, b], axis=-1) | a: [2, m, 1], b: [2, m, n]', 'concat([a, a, b]) | a: [m, 2], b: [n, 2]'],
  stack: [
    'stack([a, b, a], axis=1) | a: [m, n], b: [m, n]',
    'stack([a, b], axis=-1) | a: [n], b: [n]',
    'stack([sum(a), dot(a, b)]) | a: [n], b: [n]',
  ],
  softmax: ['softmax(x, axis=1) | x: [2, m, n]', 'softmax(x, axis=-2) | x: [m, n]'],
  log_softmax: ['log_softmax(x, axis=0) | x: [m, n]', 'log_softmax(x, axis=1) | x: [2, m, n]'],
  mse: ['mse(y, t, reduction="sum") | y: [m, n], t: [m, n]', 'mse(y, y / 2) | y: [n]'],
  half_sse: ['half_sse(y, 2 * y) | y: [n]'],
  cross_entropy: [
    'cross_entropy(z, t, reduction="none") | z: [n], t: [n] simplex',
    'cross_entropy(z, t) | z: [2, m, n], t: [2, m, n]',
    'cross_entropy(z, t, reduction="none", label_smoothing=0.2) | z: [m, n], t: [m, n]',
  ],
  bce_with_logits: ['bce_with_logits(z, t, reduction="none") | z: [m, n], t: [m, n]', 'bce_with_logits(z, t) | z: [n], t: [n] mask'],
  gelu: ['gelu(x, approximate="tanh") | x: [n]'],
  "gelu'": ['gelu\'(x, approximate="tanh") | x: [n]'],
  elu: ['elu(x, alpha=0.3) | x: [n]'],
  "elu'": ["elu'(x, alpha=0.3) | x: [n]"],
  leaky_relu: ['leaky_relu(x, negative_slope=0.3) | x: [n]'],
  "leaky_relu'": ["leaky_relu'(x, negative_slope=0.3) | x: [n]"],
  max: ['max(x, axis=[0, 2]) | x: [2, m, n]', 'max(x) | x: [m, n]'],
  min: ['min(x, axis=-1, keepdims=True) | x: [2, m, n]'],
  prod: ['prod(x, axis=0, keepdims=True) | x: [m, n]', 'prod(x, axis=[0, 1]) | x: [2, m, n]'],
  logsumexp: ['logsumexp(x, axis=0, keepdims=True) | x: [m, n]', 'logsumexp(x) | x: [m, n]'],
  norm: ['norm(x, axis=[1, 2]) | x: [2, m, n]', 'norm(x, axis=0, keepdims=True) | x: [m, n]'],
  argmax: ['argmax(x) | x: [m, n]', 'argmax(x, axis=0, keepdims=True) | x: [m, n]'],
  cumsum: ['cumsum(x, axis=1) | x: [2, m, n]', 'cumsum(x, axis=-2, reverse=True) | x: [m, n]'],
  flip: ['flip(x, axis=1) | x: [2, m, n]'],
  roll: ['roll(x, 2) | x: [5]', 'roll(x, -1, axis=1) | x: [2, m, n]', 'roll(x, 0) | x: [n]'],
  repeat: ['repeat(x, k) | x: [n, k]', 'repeat(x, 2, axis=1) | x: [2, m, n]'],
  tril: ['tril(x, 1) | x: [m, n]'],
  unsqueeze: ['unsqueeze(x, 1) | x: [m, n]', 'unsqueeze(x, -2) | x: [m, n]'],
  linear: ['linear(x, W, b) | x: [d], W: [k, d], b: [k]', 'linear(x, x) | x: [n, n]'],
  bilinear: ['bilinear(x, W, x) | x: [m], W: [k, m, m]'],
  einsum: [
    'einsum("ij,kj", A, B) | A: [m, n], B: [k, n]',
    'einsum("ij,ij->", A, B) | A: [m, n], B: [m, n]',
    'einsum("ijk->ki", A) | A: [2, m, n]',
    'einsum("i,j,k->jki", a, b, c) | a: [m], b: [n], c: [2]',
    'einsum("ij,ij->ij", A, A) | A: [m, n]',
    'einsum(",i->i", s, a) | s: [], a: [n]',
  ],
  conv1d: ['conv1d(x, W, dilation=2, groups=2) | x: [n, 4, h + 3], W: [2*k, 2, 2]', 'conv1d(x, x) | x: [3, 3, 3]'],
  conv2d: [
    'conv2d(x, W, stride=[2, 1], padding=[1, 0], dilation=[1, 2]) | x: [n, c, 5, 6], W: [k, c, 3, 2]',
    'conv2d(x, W, padding=1, groups=c) | x: [c, h, w], W: [c, 1, 3, 3]',
    'conv2d(x, W, b, groups=2) | x: [2, 4, 3, 3], W: [2, 2, 2, 2], b: [2]',
  ],
  conv_transpose2d: ['conv_transpose2d(x, W, stride=[2, 3], dilation=2, groups=2) | x: [n, 4, 2, 3], W: [4, k, 2, 2]'],
  conv2d_weight_grad: ['conv2d_weight_grad(x, g, [2, 3], padding=1, groups=2) | x: [n, 4, 3, 3], g: [n, 2, 4, 3]'],
  max_pool2d: ['max_pool2d(x, 3, stride=1) | x: [c, h + 2, w + 2]', 'max_pool2d(x, [1, 2], padding=[0, 1]) | x: [n, c, h, w]'],
  avg_pool2d: ['avg_pool2d(x, 3, stride=2) | x: [n, c, 7, 5]'],
  unfold: ['unfold(x, 2, dilation=2) | x: [n, 3, 4]'],
  layer_norm: ['layer_norm(x, gamma, beta, 0.5) | x: [2, m, n], gamma: [m, n], beta: [m, n]', 'layer_norm(x, x) | x: [n]'],
  batch_norm: ['batch_norm(x, gamma, beta, eps=0.1) | x: [m, n, 2, 2], gamma: [n], beta: [n]'],
  group_norm: ['group_norm(x, groups=1, gamma=gamma) | x: [m, n, 2, 2], gamma: [n]'],
  rms_norm: ['rms_norm(x, gamma) | x: [2, m, n], gamma: [m, n]'],
  var: ['var(x, axis=[0, 2]) | x: [2, m, n]', 'var(x, ddof=1) | x: [m, n]'],
  std: ['std(x, axis=-1, ddof=1) | x: [2, m, n]'],
  attention: [
    'attention(Q, K, V, M, causal=True) | Q: [2, 3, d], K: [2, 3, d], V: [2, 3, v], M: [3, 3] positive',
    'attention(X, X, X) | X: [n, d]',
  ],
  cosine_similarity: ['cosine_similarity(x, y, axis=0) | x: [m, n], y: [m, n]'],
  huber: ['huber(y, t, reduction="none", delta=2) | y: [n], t: [n]'],
  l1: ['l1(y, t, reduction="none") | y: [n], t: [n]'],
  nll: ['nll(y, t, reduction="none") | y: [2, m, n], t: [2, m, n]', 'nll(y, t) | y: [3], t: [] index(3)'],
  bce: ['bce(sigmoid(z), t, reduction="none") | z: [n], t: [n]'],
  dropout: ['dropout(x, x, p=0) | x: [n]'],
  rope: ['rope(x, base=2) | x: [2, m, n, 4]'],
  upsample: ['upsample(x, [1, 3]) | x: [n, c, h, w]'],
  diag: ['diag(x) * diag(x) | x: [n]'],
  prelu: ['prelu(x, a) | x: [3, m, n], a: [3]', 'prelu(x, x) | x: [n]'],
}

/** The examples of an operation, from its definition and from here. */
export const examplesOf = ({ name, examples }: Operation): readonly string[] => [...examples, ...(more[name] ?? [])]

/** Operations that have examples here. */
export const withMore = Object.keys(more)

const whole = (text: string) => ({ start: 0, end: text.length, text, exact: false })

/** The expression of an example, with a variable for each argument. */
export function exampleOf(example: string): Example {
  const [call, given] = example.split(' | ') as [string, string]
  const dims = new Map<string, Dim>()
  const variables = new Map<string, Expr>()
  for (const [, name, shape, domain, classes] of given.matchAll(/(\w+): \[([^\]]*)\](?: (\w+)(?:\((\d+)\))?)?/g)) {
    const ast = parseExpression(whole(`[${shape}]`))
    if (ast.kind !== 'list') throw new Error(example)
    const read = (text: typeof ast): Dim[] =>
      text.items.map((item) =>
        dimOf(item, dims, (n) =>
          dims.set(
            n,
            dimOf({ kind: 'name', start: item.start, end: item.end, name: n }, new Map(), () => {}),
          ),
        ),
      )
    const values = { kind: (domain ?? 'real') as Domain['kind'], ...(classes ? { classes: Number(classes) } : {}) }
    variables.set(name!, variable(name!, read(ast), nameLayout(name!), values))
  }
  for (const { name } of namesIn(parseExpression(whole(call))))
    if (!variables.has(name) && !dims.has(name)) dims.set(name, sizeSymbol(name))
  const scope: Scope = { values: variables, families: new Map(), functions: new Map(), dims, text: call, broken: new Set() }
  return { expr: expressionOf(parseExpression(whole(call)), scope), variables: [...variables.values()], sizes: [...dims.keys()] }
}
