/** Laws of linear maps: what moves out of them, and what happens when two of them meet. */
import { type Dim, plus, sameDim, product as size, sizeSymbol } from '../expr/dim.ts'
import { type Expr, make } from '../expr/expr.ts'
import { type Shape, sameShape } from '../expr/shape.ts'
import { divide, multiply, negate } from '../ops/arithmetic.ts'
import { oneHot } from '../ops/gather.ts'
import { constant, domainOf, extent, fill, numberOf, sizeValue } from '../ops/leaves.ts'
import { matmul, matvec, outer, vecmat } from '../ops/linear.ts'
import { broadcast, embed, inShape, reshape, slice, sum, swapsLastTwo, T, transpose } from '../ops/movement.ts'
import type { Law } from './engine.ts'
import { type Equation, equation, wildcard } from './pattern.ts'
import { isZero, product, repeat, repeating, scalarOf } from './terms.ts'

const isLinearIn = (expr: Expr, slot: number): boolean => expr.op.linear === 'each' || (expr.op.linear?.includes(slot) ?? false)

/** W (−x) = −(W x), W (s x) = s (W x), W (x/s) = (W x)/s, W 0 = 0. */
const factorsMoveOut: Law = {
  name: 'a scalar moves out of a linear map',
  on: (op) => op.linear !== undefined && op.align === undefined,
  over: [constant, negate, divide, multiply],
  apply(expr) {
    for (let slot = 0; slot < expr.args.length; slot++) {
      if (!isLinearIn(expr, slot)) continue
      const arg = expr.args[slot]!
      const applied = (x: Expr): Expr => remade(expr, slot, x)
      if (isZero(arg)) return fill(0, expr.shape)
      if (arg.op === negate) return negate(applied(arg.args[0]!))
      if (arg.op === divide) {
        const scalar = scalarOf(arg.args[1]!)
        if (scalar) return divide(applied(arg.args[0]!), repeat(scalar, expr.shape))
      }
      const [over, under] = arg.op === divide ? [arg.args[0]!, arg.args[1]!] : [arg, undefined]
      if (over.op !== multiply) continue
      const scalars = over.args.filter((f) => scalarOf(f) !== undefined)
      const rest = product(over.args.filter((f) => scalarOf(f) === undefined))
      if (scalars.length > 0 && rest)
        return multiply([...scalars.map((s) => repeat(scalarOf(s)!, expr.shape)), applied(under ? divide(rest, under) : rest)])
    }
    return null
  },
}

/** The same map of another argument. */
const remade = (expr: Expr, slot: number, x: Expr): Expr =>
  make(
    expr.op,
    expr.args.map((a, i) => (i === slot ? x : a)),
    expr.attrs,
  )

const sums: Law = {
  name: 'sums of copies and of nothing',
  on: [sum],
  apply({ args: [x], attrs, shape }) {
    const axis = attrs.axis as readonly number[]
    if (axis.every((a) => x!.shape[a] === 1)) return inShape(x!, shape)
    const number = numberOf(x!)
    const count = size(axis.map((a) => x!.shape[a]!))
    if (number !== undefined) return multiply([sizeValue(count, shape), fill(number, shape)])
    const scalar = scalarOf(x!)
    if (scalar && x!.shape.length > 0) return multiply([sizeValue(count, shape), repeat(scalar, shape)])
    return null
  },
}

/** Probabilities sum to one: what `is: one_hot` and `is: simplex` declare, and what is made of numbers of classes. */
const distributions: Law = {
  name: 'probabilities sum to one',
  on: [sum],
  apply({ args: [x], attrs, shape }) {
    const axis = attrs.axis as readonly number[]
    const { kind } = domainOf(x!)
    const isDistribution =
      (kind === 'one_hot' || kind === 'simplex' || x!.op === oneHot) && axis.length === 1 && axis[0] === x!.shape.length - 1
    return isDistribution ? fill(1, shape) : null
  },
}

const copies: Law = {
  name: 'copies of copies are copies',
  on: [broadcast],
  apply({ args: [x], shape }) {
    if (sameShape(x!.shape, shape)) return x!
    if (x!.op === broadcast) return broadcast(x!.args[0]!, { shape })
    if (x!.op === reshape && addsOnlyAxesInFront(x!)) return broadcast(x!.args[0]!, { shape })
    const scalar = x!.shape.length > 0 ? scalarOf(x!) : x!.op === constant || x!.op === extent ? x! : undefined
    return scalar ? repeat(scalar, shape) : null
  },
}

/** Broadcasting adds such axes of its own accord. */
const addsOnlyAxesInFront = ({ args: [x], shape }: Expr): boolean => {
  const added = shape.length - x!.shape.length
  return added > 0 && shape.slice(0, added).every((d) => d === 1) && sameShape(shape.slice(added), x!.shape)
}

const reshapes: Law = {
  name: 'only the last shape counts',
  on: [reshape],
  apply({ args: [x], shape }) {
    if (sameShape(x!.shape, shape)) return x!
    if (x!.op === reshape) return inShape(x!.args[0]!, shape)
    const scalar = scalarOf(x!)
    return scalar && (x!.shape.length > 0 || numberOf(scalar) !== undefined) ? repeat(scalar, shape) : null
  },
}

const slices: Law = {
  name: 'a slice of everything is everything',
  on: [slice, embed],
  apply({ args: [x], attrs, shape }) {
    const whole = (attrs.start as readonly Dim[]).every((s) => s === 0) && (attrs.step as readonly Dim[]).every((s) => s === 1)
    return whole && sameShape(x!.shape, shape) && (attrs.drop as readonly Dim[]).length === 0 ? x! : null
  },
}

/** A slice of what was put between zeros: all of it, or only zeros. */
const slicesOfEmbedded: Law = {
  name: 'what was put between zeros is taken out again',
  on: [slice],
  over: [embed],
  apply({ args: [x], attrs, shape }) {
    if ((x!.attrs.drop as readonly Dim[]).length > 0) return null
    const dims = (of: Expr['attrs'], key: string): readonly Dim[] => of[key] as readonly Dim[]
    const [from, to, step] = [dims(attrs, 'start'), dims(x!.attrs, 'start'), dims(x!.attrs, 'step')]
    if ([...step, ...dims(attrs, 'step')].some((s) => s !== 1)) return null
    const [taken, put] = [dims(attrs, 'size'), x!.args[0]!.shape]
    const isBeside = from.some((start, i) => sameDim(start, plus(to[i]!, put[i]!)) || sameDim(plus(start, taken[i]!), to[i]!))
    if (isBeside) return fill(0, shape)
    return dims(attrs, 'drop').length === 0 && from.every((start, i) => sameDim(start, to[i]!) && sameDim(taken[i]!, put[i]!))
      ? x!.args[0]!
      : null
  },
}

function inOrder(perm: readonly number[]): boolean {
  for (let i = 0; i < perm.length; i++) if (perm[i] !== i) return false
  return true
}

const transposes: Law = {
  name: 'transposes compose',
  on: [transpose],
  over: [transpose],
  apply({ args: [x], attrs }) {
    const inner = x!.attrs.perm as readonly number[]
    const perm = (attrs.perm as readonly number[]).map((axis) => inner[axis]!)
    return inOrder(perm) ? x!.args[0]! : transpose(x!.args[0]!, { perm })
  },
}

const axesInOrder: Law = {
  name: 'transposes compose',
  on: [transpose],
  apply: ({ args: [x], attrs }) => (inOrder(attrs.perm as readonly number[]) ? x! : null),
}

const transposedCopies: Law = {
  name: 'transposes compose',
  on: [transpose],
  over: repeating,
  apply({ args: [x], shape }) {
    const scalar = scalarOf(x!)
    return scalar ? repeat(scalar, shape) : null
  },
}

/** A stack of copies has the transposes of what was copied, and a sum of matrices is transposed term by term. */
const stacks: Law = {
  name: 'the matrices of a stack are transposed one by one',
  on: [transpose],
  over: [broadcast, sum],
  apply({ args: [x], attrs, shape }) {
    const [of] = x!.args
    if (!of || !swapsLastTwo(attrs.perm as readonly number[])) return null
    const isCopied = x!.op === broadcast && of.shape.length >= 2 && sameShape(of.shape.slice(-2), x!.shape.slice(-2))
    if (isCopied) return broadcast(T(of), { shape })
    const before = of.shape.length - 2
    const isSummed = x!.op === sum && shape.length === 2 && (x!.attrs.axis as readonly number[]).every((a) => a < before)
    return isSummed ? sum(T(of), x!.attrs) : null
  },
}

const symbols = ['k', 'm', 'n'].map(sizeSymbol) as [Dim, Dim, Dim]
const [k, m, n] = symbols
const [a, b] = [wildcard('a', [m]), wildcard('b', [n])]
const C = wildcard('C', [m, n])

/** Laws of products of matrices, or of matrices in batches over these leading axes. */
function productEquations(lead: Shape): readonly Equation[] {
  const matrix = (name: string, rows: Dim, columns: Dim): Expr => wildcard(name, [...lead, rows, columns])
  const [A, B] = [matrix('A', m, k), matrix('B', k, n)]
  const [At, Bt] = [matrix('A', k, m), matrix('B', n, k)]
  return [
    equation('the transpose of AᵀB is BᵀA', T(matmul(T(At), B)), matmul(T(B), At)),
    equation('the transpose of ABᵀ is BAᵀ', T(matmul(A, T(Bt))), matmul(Bt, T(A))),
  ]
}

/** No batch; a batch; a batch of heads. */
const leads: readonly Shape[] = [[], [sizeSymbol('h')], [sizeSymbol('b'), sizeSymbol('h')]]

/** Laws of two lines: (AᵀB)ᵀ = BᵀA and its kin. */
export const matrixEquations = [
  ...leads.flatMap(productEquations),
  equation('the transpose of abᵀ is baᵀ', T(outer(a, b)), outer(b, a)),
  equation('xᵀA is Aᵀx, as a vector', vecmat(a, C), matvec(T(C), a)),
]

/** Copies print alike inside and outside; inside they meet what cancels them. */
const copiesInside: Law = {
  name: 'copies of a product are products of copies',
  on: [broadcast],
  over: [multiply, divide],
  apply: ({ args: [x], shape }) =>
    make(
      x!.op,
      x!.args.map((a) => broadcast(a, { shape })),
    ),
}

export const printedMaps: readonly Law[] = [copiesInside]

export const mapLaws: readonly Law[] = [
  factorsMoveOut,
  sums,
  distributions,
  copies,
  reshapes,
  slices,
  slicesOfEmbedded,
  transposes,
  axesInOrder,
  transposedCopies,
  stacks,
  ...matrixEquations,
]
