/** Expressions without arguments, and names: numbers, sizes, variables, and the wrapper that gives a node its identity. */
import { type Dim, dimLayout } from '../expr/dim.ts'
import { type Expr, leaf, make, type Op } from '../expr/expr.ts'
import { type Shape, scalarShape } from '../expr/shape.ts'
import { type Layout, Level, row, symbol, within } from '../layout/layout.ts'
import { numberLayout } from '../layout/names.ts'
import { full } from '../tensor/tensor.ts'
import { dims, number } from './attributes.ts'
import { op } from './define.ts'

export const ones = symbol('𝟏', '\\mathbf{1}')

const repeated = (one: Layout, shape: readonly Dim[]): Layout =>
  shape.length === 0 ? one : row(Level.product, [within(Level.factor, one), symbol(' '), ones])

/** A number, filled into a shape. */
export const constant = op('constant', [], { value: number(), shape: dims() })({
  why: 'a number receives no error',
  formula: 'value in every entry',
  source: 'definition',
  examples: [],
  shape: (_, { shape }) => shape,
  evaluate: (_, { value }, shape) => full(shape, value),
  notation: (_, { value, shape }) =>
    value === 0 ? symbol('0') : value === 1 && shape.length > 0 ? ones : repeated(numberLayout(value), shape),
  bare: (_, { value }) => numberLayout(value),
  vjp: () => [],
})

/** The number of entries along an axis, as a value: the n in a mean. */
export const extent = op('extent', [], { dim: dims(), shape: dims() })({
  why: 'a size receives no error',
  formula: 'the size in every entry',
  source: 'definition',
  examples: [],
  shape: (_, { shape }) => shape,
  evaluate: (_, { dim }, shape) => full(shape, dim[0] as number),
  notation: (_, { dim, shape }) => repeated(dimLayout(dim[0]!), shape),
  bare: (_, { dim }) => dimLayout(dim[0]!),
  vjp: () => [],
})

export const fill = (value: number, shape: Shape = scalarShape): Expr => constant({ value, shape })

/** A size as a scalar expression. */
export const sizeValue = (dim: Dim, shape: Shape = scalarShape): Expr =>
  typeof dim === 'number' ? fill(dim, shape) : extent({ dim: [dim], shape })

/** The number, if the expression is one (in any shape). */
export const numberOf = (expr: Expr): number | undefined => (expr.op === constant ? (expr.attrs.value as number) : undefined)

/** Where random values of a variable are drawn from. */
export interface Domain {
  readonly kind: 'real' | 'one_hot' | 'index' | 'mask' | 'sign' | 'simplex' | 'positive'
  /** The number of classes of an index. */
  readonly classes?: Dim
}

const real: Domain = { kind: 'real' }

/** The operation of a variable or a name knows its layout, and a variable's where its values are drawn from. */
interface Named extends Op {
  readonly layout: Layout
  readonly domain?: Domain
}

const ownLayout: Op['notation'] = (_, __, { op }) => op.layout!

/** A variable: a leaf with an identity of its own. Its value is given from outside. */
export function variable(name: string, shape: Shape, layout: Layout, domain: Domain = real): Expr {
  const own: Named = { name, why: 'a variable', fresh: true, notation: ownLayout, layout, domain }
  return leaf(own, shape)
}

export const domainOf = ({ op }: Expr): Domain => (op as Partial<Named>).domain ?? real

const sameValue: Op['evaluate'] = (values) => values[0]!

/** The value under a name, which gives it an identity and a gradient of its own. */
export function named(name: string, layout: Layout, value: Expr): Expr {
  const own: Named = {
    name,
    why: 'a name for the same value',
    atomic: true,
    notation: ownLayout,
    evaluate: sameValue,
    layout,
  }
  return make(own, [value])
}
