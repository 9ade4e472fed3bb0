/** The form in which two expressions are compared: names opened, sums multiplied out, products sorted, matrix products bracketed to the right. */
import { type Dim, factorsIn, keyOf } from '../expr/dim.ts'
import { type Attr, definition, type Expr, make } from '../expr/expr.ts'
import { inOrder } from '../expr/traverse.ts'
import { add, divide, multiply, negate } from '../ops/arithmetic.ts'
import { power, reciprocal, rsqrt, sqrt, square } from '../ops/elementary.ts'
import { extent, fill, numberOf, sizeValue } from '../ops/leaves.ts'
import { dot, matmul, matvec, outer } from '../ops/linear.ts'
import { broadcast, inShape, reshape, sum, swapsLastTwo, T, transpose } from '../ops/movement.ts'
import { type Law, type Rewriter, rewriter } from './engine.ts'
import { exponentials } from './exponentials.ts'
import { mapLaws } from './maps.ts'
import { collectProducts } from './products.ts'
import { constantAlongSum, oneAxisAtATime } from './reductions.ts'
import { collectSums, negativeNumbers } from './sums.ts'
import { product, termsOf } from './terms.ts'

/** A sum is multiplied out only while it stays smaller than this. */
const mostTerms = 120

const openDefinitions: Law = { name: 'by definition', on: (op) => op.expand !== undefined, apply: (expr) => definition(expr) ?? null }

const asProducts: Law = {
  name: 'quotients and roots are powers',
  on: [divide, square, reciprocal, sqrt, rsqrt],
  apply({ op, args: [a, b] }) {
    const to = (p: number, of = a!): Expr => power(of, fill(p))
    if (op === divide) return multiply([a!, to(-1, b!)])
    return to(op === square ? 2 : op === reciprocal ? -1 : op === sqrt ? 0.5 : -0.5)
  },
}

/** x² x⁻¹ = x; powers of products and of powers come apart (whole powers only, or of what is positive anyway). */
const collectPowers: Law = {
  name: 'powers of one base are collected',
  on: [multiply],
  apply({ args }) {
    const exponents = new Map<Expr, number>()
    for (const arg of args) {
      const [base, p] = basePower(arg)
      exponents.set(base, (exponents.get(base) ?? 0) + p)
    }
    if (exponents.size === args.length) return null
    return (
      product([...exponents].filter(([, p]) => p !== 0).map(([base, p]) => (p === 1 ? base : power(base, fill(p))))) ??
      fill(1, args[0]!.shape)
    )
  },
}

function basePower(expr: Expr): readonly [Expr, number] {
  const p = expr.op === power ? numberOf(expr.args[1]!) : undefined
  return p === undefined ? [expr, 1] : [expr.args[0]!, p]
}

const powersOfPowers: Law = {
  name: 'powers of products and powers',
  on: [power],
  apply({ args: [base, exponent], shape }) {
    const p = numberOf(exponent!)
    if (p === undefined) return null
    if (p === 1) return base!
    if (p === 0) return fill(1, shape)
    const value = numberOf(base!)
    if (value !== undefined) return fill(value ** p, shape)
    if (base!.op === power && Number.isInteger(p)) {
      const inner = numberOf(base!.args[1]!)
      if (inner !== undefined) return power(base!.args[0]!, fill(inner * p))
    }
    if (base!.op === multiply && Number.isInteger(p)) return multiply(base!.args.map((f) => power(f, fill(p))))
    if (base!.op === add && (p === 2 || p === 3) && base!.args.length ** p <= mostTerms)
      return add(tuples(base!.args, p).map((t) => multiply(t)))
    return null
  },
}

/** All ways to pick one of the terms, p times over. */
const tuples = (terms: readonly Expr[], p: number): Expr[][] =>
  p === 0 ? [[]] : tuples(terms, p - 1).flatMap((rest) => terms.map((term) => [...rest, term]))

const multiplyOut: Law = {
  name: 'products are multiplied out',
  on: [multiply],
  apply({ args }) {
    const at = args.findIndex((a) => a.op === add)
    if (at < 0 || args.reduce((n, a) => n * termsOf(a).length, 1) > mostTerms) return null
    return add(termsOf(args[at]!).map((term) => multiply(args.map((a, i) => (i === at ? term : a)))))
  },
}

const negatedSum: Law = {
  name: 'the sign of a sum is that of its terms',
  on: [negate],
  apply: ({ args: [of] }) => (of!.op === add ? add(of!.args.map(negate as (x: Expr) => Expr)) : null),
}

/** f(a + b) = f(a) + f(b) for every linear map. */
const additive: Law = {
  name: 'linear maps are additive',
  on: (op) => op.linear !== undefined && op !== multiply,
  apply(expr) {
    const { linear } = expr.op
    const at = expr.args.findIndex((a, i) => a.op === add && a.args.length <= mostTerms && (linear === 'each' || linear!.includes(i)))
    if (at < 0) return null
    return add(
      expr.args[at]!.args.map((term) =>
        make(
          expr.op,
          expr.args.map((a, i) => (i === at ? term : a)),
          expr.attrs,
        ),
      ),
    )
  },
}

/** What moves entries passes through what works entry by entry. */
const movesInside: Law = {
  name: 'entries move before they are worked on',
  on: [broadcast, transpose, reshape],
  apply({ op, args: [x], attrs, shape }) {
    if (x!.op.align === undefined || x!.op === add) return null
    const inner = x!.args.map((a) => (op === transpose ? make(op, [a], attrs) : make(op, [a], { shape })))
    return make(x!.op, inner, x!.attrs)
  },
}

const productsOfSizes: Law = {
  name: 'a size that is a product is a product of sizes',
  on: [extent],
  apply({ attrs, shape }) {
    const sizes = factorsIn((attrs.dim as readonly Dim[])[0]!)
    return sizes.length > 1 ? multiply(sizes.map((size) => sizeValue(size, shape))) : null
  },
}

const keptAxes: Law = {
  name: 'axes that a sum keeps are put back',
  on: [sum],
  apply: ({ args: [x], attrs, shape }) =>
    attrs.keepdims === true ? inShape(sum(x!, { axis: attrs.axis as readonly number[] }), shape) : null,
}

const matrixProducts: Law = {
  name: 'matrix products are bracketed to the right',
  on: [matmul, matvec, outer, transpose, dot],
  apply({ op, args: [a, b], attrs }) {
    if (op === dot) return sum(multiply([a!, b!]))
    if (op === transpose) {
      if (a!.op === matmul && swapsLastTwo(attrs.perm as readonly number[])) return matmul(T(a!.args[1]!), T(a!.args[0]!))
      return null
    }
    if (a!.op === matmul && op !== outer) return rebuilt(op, a!.args[0]!, rebuilt(op, a!.args[1]!, b!))
    if (op === matvec && a!.op === outer)
      return multiply([broadcast(sum(multiply([a!.args[1]!, b!])), { shape: a!.args[0]!.shape }), a!.args[0]!])
    if (op === matmul && b!.op === outer) return outer(matvec(a!, b!.args[0]!), b!.args[1]!)
    if (op === matmul && a!.op === outer) return outer(a!.args[0]!, matvec(T(b!), a!.args[1]!))
    return null
  },
}

const rebuilt = (op: Expr['op'], a: Expr, b: Expr): Expr => make(op, [a, b])

/** The order of what commutes: by structure, never by creation. */
const sorted: Law = {
  name: 'what commutes is put in order',
  on: [add, multiply],
  apply({ op, args }) {
    const order = [...args].sort((a, b) => compare(orderKey(a), orderKey(b)))
    return order.every((a, i) => a === args[i]) ? null : make(op, order)
  },
}

/** Numbers come first, as the laws of products want them. */
const orderKey = (expr: Expr): string => (numberOf(expr) === undefined ? structureKey(expr) : '')

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const keys = new WeakMap<Expr, string>()

/** A short digest of an expression's structure. */
function structureKey(root: Expr): string {
  for (const expr of inOrder([root], (e) => (keys.has(e) ? [] : e.args))) {
    if (keys.has(expr)) continue
    const attrs = Object.values(expr.attrs).map(attrKey).join(';')
    const whole = `${expr.op.name}(${expr.args.map((a) => keys.get(a)).join(',')})${attrs}[${expr.shape.map(keyOf)}]`
    keys.set(expr, whole.length < 40 ? whole : digest(whole))
  }
  return keys.get(root)!
}

const attrKey = (attr: Attr): string =>
  Array.isArray(attr)
    ? `(${attr.map(attrKey).join(',')})`
    : typeof attr === 'object' && attr !== null && 'key' in attr
      ? attr.key
      : String(attr)

/** Two 32-bit FNV-1a hashes. */
function digest(text: string): string {
  let [a, b] = [0x811c9dc5, 0x01000193]
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193)
    b = Math.imul(b ^ text.charCodeAt(i), 0x85ebca6b)
  }
  return `#${(a >>> 0).toString(36)}${(b >>> 0).toString(36)}`
}

export const canonicalLaws: readonly Law[] = [
  openDefinitions,
  asProducts,
  ...collectSums,
  ...collectProducts,
  powersOfPowers,
  collectPowers,
  multiplyOut,
  negatedSum,
  ...negativeNumbers,
  additive,
  ...mapLaws,
  matrixProducts,
  movesInside,
  productsOfSizes,
  keptAxes,
  constantAlongSum,
  oneAxisAtATime,
  ...exponentials,
  sorted,
]

/** A rewriter to the canonical form: names are opened first, except those that `keep` holds fast. */
export function canonicaliser(keep: (name: Expr) => boolean): Rewriter {
  const rewrite = rewriter(canonicalLaws)
  return (expr, trace) => rewrite(opened(expr, keep), trace)
}

/** The expression without its names. */
function opened(expr: Expr, keep: (name: Expr) => boolean): Expr {
  const below = (e: Expr): readonly Expr[] => (keep(e) ? [] : e.args)
  const memo = new Map<Expr, Expr>()
  for (const e of inOrder([expr], below)) {
    const args = below(e).map((a) => memo.get(a)!)
    memo.set(e, keep(e) || args.length === 0 ? e : e.op.atomic ? args[0]! : make(e.op, args, e.attrs))
  }
  return memo.get(expr)!
}
