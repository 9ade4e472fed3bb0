/** Linear algebra beyond products: layers, inverses, diagonals, and sums over indices (einsum). */
import { fail } from '../diagnostic.ts'
import { type Dim, sameDim } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, shapeText } from '../expr/shape.ts'
import { call, joined, type Layout, Level, row, subscript, superscript, symbol, transposed, within, word } from '../layout/layout.ts'
import { solved } from '../tensor/solve.ts'
import { full, reshape, stridesOf, type Tensor } from '../tensor/tensor.ts'
import { add, negate } from './arithmetic.ts'
import { string } from './attributes.ts'
import { op } from './define.ts'
import { matmul, outer, product } from './linear.ts'
import { broadcast, inShape, sum, T } from './movement.ts'

const space = symbol(' ')
const plus = symbol(' + ')
const withBias = (value: Expr, b: Expr | undefined): Expr => (b ? add([value, broadcast(b, { shape: value.shape })]) : value)

function square(name: string, a: Shape): Dim {
  if (a.length !== 2 || !sameDim(a[0]!, a[1]!))
    fail('shapes', { what: `${name} takes a square matrix`, detail: `this has the shape ${shapeText(a)}` })
  return a[0]!
}

/** x Wᵀ + b, with one row of W for each output. */
export const linear = op('linear', ['x', 'W', 'b?'])({
  why: 'the input gets the error through the weights, the weights get error times input, the bias the sum of errors',
  formula: 'x Wᵀ + b',
  source: 'PyTorch, Linear',
  examples: [
    'linear(x, W, b) | x: [n, d], W: [k, d], b: [k]',
    'linear(x, W) | x: [d], W: [k, d]',
    'linear(x, W, b) | x: [2, n, d], W: [k, d], b: [k]',
  ],
  shape([x, w, b]) {
    const fits = x.length > 0 && w.length === 2 && sameDim(x.at(-1)!, w[1]!) && (!b || (b.length === 1 && sameDim(b[0]!, w[0]!)))
    if (!fits) {
      fail('shapes', {
        what: 'linear(x, W, b) takes x: […, d], W: [k, d] and b: [k]',
        detail: [x, w, ...(b ? [b] : [])].map(shapeText).join(', '),
      })
    }
    return [...x.slice(0, -1), w[0]!]
  },
  notation([x, w, b], _, { args: [source] }) {
    const isVector = source!.shape.length === 1
    const factors = isVector ? [w, x] : [x, transposed(w)]
    const value = joined(
      Level.product,
      space,
      factors.map((f) => within(Level.product, f)),
    )
    return b ? joined(Level.sum, plus, [value, within(Level.sum, b)]) : value
  },
  expand: ([x, w, b]) => withBias(x.shape.length === 1 ? product(w, x) : product(x, T(w)), b),
})

/** yₖ = x₁ᵀ Wₖ x₂ + bₖ */
export const bilinear = op('bilinear', ['x1', 'W', 'x2', 'b?'])({
  why: 'each input gets the error through the weights and the other input',
  formula: 'yₖ = Σᵢⱼ x1ᵢ Wₖᵢⱼ x2ⱼ + bₖ',
  source: 'PyTorch, Bilinear',
  examples: ['bilinear(x, W, z) | x: [m], W: [k, m, n], z: [n]', 'bilinear(x, W, z, b) | x: [2, m], W: [k, m, n], z: [2, n], b: [k]'],
  shape([x, w, z, b]) {
    const fits =
      w.length === 3 && x.length === z.length && x.length > 0 && x.length < 3 && sameDim(x.at(-1)!, w[1]!) && sameDim(z.at(-1)!, w[2]!)
    if (!fits || (b && !sameDim(b[0]!, w[0]!)))
      fail('shapes', { what: 'bilinear(x1, W, x2) takes x1: [m], W: [k, m, n] and x2: [n]', detail: [x, w, z].map(shapeText).join(', ') })
    return [...x.slice(0, -1), w[0]!]
  },
  notation: ([x, w, z, b]) => {
    const value = joined(Level.product, space, [within(Level.factor, transposed(x)), within(Level.factor, w), within(Level.factor, z)])
    return b ? joined(Level.sum, plus, [value, b]) : value
  },
  expand: ([x, w, z, b]) => withBias(einsum([x, w, z], { equation: x.shape.length === 1 ? 'i,kij,j->k' : 'ni,kij,nj->nk' }), b),
})

/** A vector on the diagonal of a matrix, or the diagonal of a matrix. */
export const diag = op('diag', ['x'])({
  linear: 'each',
  why: 'only the diagonal is used: only there the error passes',
  formula: 'the matrix with x on its diagonal, or the diagonal of x',
  source: 'NumPy, diag',
  examples: ['diag(x) | x: [n]', 'diag(A) | A: [n, n]'],
  shape: ([x]) => (x.length === 1 ? [x[0]!, x[0]!] : [square('diag', x)]),
  evaluate([x]) {
    const n = x.shape[0]!
    if (x.shape.length === 2) return { shape: [n], data: Float64Array.from({ length: n }, (_, i) => x.data[i * (n + 1)]!) }
    const result = full([n, n], 0)
    for (let i = 0; i < n; i++) result.data[i * (n + 1)] = x.data[i]!
    return result
  },
  notation: ([x]) => call(word('diag'), [x]),
  vjp: (_, g) => [diag(g)],
})

/** Σ Aᵢᵢ */
export const trace = op('trace', ['A'])({
  linear: 'each',
  why: 'every entry of the diagonal gets the error',
  formula: 'Σᵢ Aᵢᵢ',
  source: 'Petersen & Pedersen 2012, eq. (99)',
  examples: ['trace(A) | A: [n, n]', 'trace(A @ B) | A: [m, n], B: [n, m]'],
  shape([a]) {
    square('trace', a)
    return []
  },
  notation: ([a]) => call(word('tr'), [a]),
  expand: ([a]) => sum(diag(a)),
})

/** A⁻¹ */
export const inv = op('inv', ['A'])({
  why: 'the error passes through the transposed inverse on both sides, with its sign changed',
  formula: 'A⁻¹',
  source: 'Giles 2008, §2.2.3',
  examples: ['inv(A) | A: [n, n]'],
  shape: ([a]) => [square('inv', a), a[0]!],
  evaluate([a]) {
    const n = a.shape[0]!
    const identity = full([n, n], 0)
    for (let i = 0; i < n; i++) identity.data[i * (n + 1)] = 1
    return solved(a, identity)
  },
  notation: ([a]) => superscript(a, symbol('−1', '-1')),
  vjp: (_, g, __, y) => [negate(matmul(matmul(T(y), g), T(y)))],
})

/** A⁻¹ b, without the inverse. */
export const solve = op('solve', ['A', 'b'])({
  linear: [1],
  why: 'the error is solved for with the transposed matrix',
  formula: 'the x with A x = b',
  source: 'Giles 2008, §2.3.1',
  examples: ['solve(A, b) | A: [n, n], b: [n]', 'solve(A, B) | A: [n, n], B: [n, k]'],
  shape([a, b]) {
    const n = square('solve', a)
    if (b.length === 0 || b.length > 2 || !sameDim(b[0]!, n))
      fail('shapes', { what: 'solve(A, b) takes A: [n, n] and b: [n] or [n, k]', detail: `${shapeText(a)} and ${shapeText(b)}` })
    return b
  },
  evaluate: ([a, b], _, shape) => reshape(solved(a, reshape(b, [shape[0]!, shape[1] ?? 1])), shape),
  notation: ([a, b]) => joined(Level.product, space, [superscript(a, symbol('−1', '-1')), within(Level.factor, b)]),
  vjp: ([a], g, _, x) => {
    const back = solve(T(a), g)
    return [negate(x.shape.length === 1 ? outer(back, x) : matmul(back, T(x))), back]
  },
})

interface Indices {
  readonly operands: readonly string[]
  readonly result: string
}

/** 'ij,jk->ik': the letters of each operand and of the result; without an arrow the letters that stand once, in order. */
function indicesOf(equation: string): Indices {
  const [left, right] = equation.replaceAll(' ', '').split('->') as [string, string?]
  const once = [...new Set(left.replaceAll(',', ''))].filter((c) => left.split(c).length === 2).sort()
  return { operands: left.split(','), result: right ?? once.join('') }
}

function sizesOf({ operands, result }: Indices, shapes: readonly Shape[]): ReadonlyMap<string, Dim> {
  const what = (why: string, detail: string): never => fail('shapes', { what: `einsum: ${why}`, detail })
  if (operands.length !== shapes.length)
    what('the equation names another number of operands', `${operands.length}, but ${shapes.length} are given`)
  const sizes = new Map<string, Dim>()
  operands.forEach((letters, i) => {
    const shape = shapes[i]!
    if (!/^[a-zA-Z]*$/.test(letters)) what('indices are letters', letters)
    if (letters.length !== shape.length) what(`${letters} needs ${letters.length} axes`, shapeText(shape))
    if (new Set(letters).size < letters.length) what('an index may stand once in an operand', letters)
    ;[...letters].forEach((c, axis) => {
      const known = sizes.get(c)
      if (known !== undefined && !sameDim(known, shape[axis]!)) what(`${c} has two sizes`, shapes.map(shapeText).join(', '))
      sizes.set(c, shape[axis]!)
    })
  })
  for (const c of result) if (!sizes.has(c)) what(`${c} stands in the result only`, result)
  return sizes
}

function contracted({ operands, result }: Indices, args: readonly Tensor[], shape: readonly number[]): Tensor {
  const letters = [...new Set([...result, ...operands.join('')])]
  const sizes = letters.map((c) => args[operands.findIndex((o) => o.includes(c))]!.shape[operands.find((o) => o.includes(c))!.indexOf(c)]!)
  const stride = (own: string, strides: readonly number[]) => letters.map((c) => (own.includes(c) ? strides[own.indexOf(c)]! : 0))
  const from = operands.map((o, i) => stride(o, stridesOf(args[i]!.shape)))
  const to = stride(result, stridesOf(shape))
  const out = full(shape, 0)
  const count = sizes.reduce((n, d) => n * d, 1)
  for (let k = 0; k < count; k++) {
    const at = new Array<number>(args.length).fill(0)
    let target = 0
    for (let l = letters.length - 1, rest = k; l >= 0; l--) {
      const place = rest % sizes[l]!
      rest = (rest - place) / sizes[l]!
      target += place * to[l]!
      for (let i = 0; i < at.length; i++) at[i]! += place * from[i]![l]!
    }
    out.data[target]! += args.reduce((product, arg, i) => product * arg.data[at[i]!]!, 1)
  }
  return out
}

/** A product summed over the indices that the result does not have. */
export const einsum = op('einsum', ['...operands'], { equation: string() })({
  linear: 'each',
  attributesFirst: true,
  why: 'each operand gets the error times all others, summed over the indices that it lacks',
  formula: 'the product of the operands, summed over the indices that stand left of -> alone',
  source: 'NumPy, einsum; Laue, Mitterreiter & Giesen 2018',
  examples: [
    'einsum("ij,jk->ik", A, B) | A: [m, k], B: [k, n]',
    'einsum("i,kij,j->k", x, W, z) | x: [m], W: [k, m, n], z: [n]',
    'einsum("bij,bjk->bik", A, B) | A: [2, m, k], B: [2, k, n]',
    'einsum("ij->i", A) | A: [m, n]',
  ],
  shape(shapes, { equation }) {
    const indices = indicesOf(equation)
    const sizes = sizesOf(indices, shapes)
    return [...indices.result].map((c) => sizes.get(c)!)
  },
  evaluate: (args, { equation }, shape) => contracted(indicesOf(equation), args, shape),
  notation(args, { equation }) {
    const { operands, result } = indicesOf(equation)
    const summed = [...new Set(operands.join(''))].filter((c) => !result.includes(c))
    const factors = joined(
      Level.product,
      space,
      args.map((a, i): Layout => (operands[i] === '' ? within(Level.factor, a) : subscript(a, symbol(operands[i]!)))),
    )
    if (summed.length === 0) return factors
    return { kind: 'big', level: Level.product, sign: '∑', below: row(Level.relation, [symbol(summed.join(''))]), body: factors }
  },
  vjp(args, g, { equation }) {
    const { operands, result } = indicesOf(equation)
    return args.map((arg, k) => {
      const others = args.filter((_, i) => i !== k)
      const letters = operands.filter((_, i) => i !== k)
      const reachable = [...operands[k]!].filter((c) => [result, ...letters].some((o) => o.includes(c)))
      const back = einsum([g, ...others], { equation: `${[result, ...letters].join(',')}->${reachable.join('')}` })
      // what stood in this operand alone was summed away: each entry gets the error
      const open = [...operands[k]!].map((c, axis) => (reachable.includes(c) ? arg.shape[axis]! : 1))
      return reachable.length === open.length ? back : broadcast(inShape(back, open), { shape: arg.shape })
    })
  },
})
