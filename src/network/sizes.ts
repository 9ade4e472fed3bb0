/** Reads what is not a tensor from the syntax tree: sizes, numbers, flags, words and lists of them. */
import { fail } from '../diagnostic.ts'
import { type Dim, divided, floorDivide, isSymbolic, minus, plus, sizeSymbol, times } from '../expr/dim.ts'
import type { Attr } from '../expr/expr.ts'
import type { Ast } from './ast.ts'

/** Sizes by name; a name that it lacks is a symbol where `open` says so. */
export type SizeScope = ReadonlyMap<string, Dim>

const words: Readonly<Record<string, Attr>> = { True: true, False: false, None: null }

/** The value of an attribute, or undefined if the tree is not one (a tensor expression). */
export function attributeOf(ast: Ast, sizes: SizeScope): Attr | undefined {
  switch (ast.kind) {
    case 'string':
      return ast.value
    case 'list': {
      const items = ast.items.map((item) => attributeOf(item, sizes))
      return items.includes(undefined) ? undefined : (items as Attr[])
    }
    case 'name':
      return Object.hasOwn(words, ast.name) ? words[ast.name] : sizes.get(ast.name)
    default:
      return arithmetic(ast, (inner) => {
        const value = attributeOf(inner, sizes)
        return typeof value === 'number' || isSymbolic(value) ? value : undefined
      })
  }
}

/** A size in a shape; unknown names are symbols, which `declare` is told of. */
export function dimOf(ast: Ast, sizes: SizeScope, declare: (name: string) => void): Dim {
  if (ast.kind === 'name') {
    const known = sizes.get(ast.name)
    if (known !== undefined) return known
    declare(ast.name)
    return sizeSymbol(ast.name)
  }
  const dim = arithmetic(ast, (inner) => dimOf(inner, sizes, declare))
  if (dim === undefined || (typeof dim === 'number' && !Number.isInteger(dim))) {
    fail('bad-dim', { what: 'this', found: 'a size is a whole number, a symbol, or a sum, product or quotient of them' }, ast)
  }
  return dim
}

/** Sums, products and exact quotients of sizes and numbers. */
function arithmetic(ast: Ast, read: (ast: Ast) => Dim | undefined): Dim | undefined {
  const all = (items: readonly (Dim | undefined)[]): readonly Dim[] | undefined =>
    items.includes(undefined) ? undefined : (items as Dim[])
  switch (ast.kind) {
    case 'number':
      return ast.value
    case 'negate': {
      const of = read(ast.of)
      return of === undefined ? undefined : times(-1, of)
    }
    case 'sum': {
      const terms = all(ast.terms.map((t) => read(t.term)))
      return terms?.reduce<Dim>((sum, term, i) => (ast.terms[i]!.negative ? minus(sum, term) : plus(sum, term)), 0)
    }
    case 'product': {
      const factors = all([ast.first, ...ast.rest.map((r) => r.factor)].map(read))
      return factors?.slice(1).reduce<Dim | undefined>((result, factor, i) => combined(result, ast.rest[i]!.sign, factor), factors[0])
    }
    default:
      return undefined
  }
}

function combined(a: Dim | undefined, sign: string, b: Dim): Dim | undefined {
  if (a === undefined || sign === '@') return undefined
  if (sign === '*') return times(a, b)
  if (sign === '//') return floorDivide(a, b)
  return typeof a === 'number' && typeof b === 'number' ? a / b : divided(a, b)
}
