/** Laws written as equations between two expressions over wildcards: A.T.T = A. */
import { type Dim, isSymbolic, keyOf, sameDim, symbolName, withSizes } from '../expr/dim.ts'
import { type Attr, type Expr, make, type Op } from '../expr/expr.ts'
import type { Shape } from '../expr/shape.ts'
import { nameLayout } from '../layout/names.ts'
import { constant, variable } from '../ops/leaves.ts'
import type { Law } from './engine.ts'

/** A law that is one equation; both sides are kept, so that tests can evaluate them and documentation can print them. */
export interface Equation extends Law {
  readonly left: Expr
  readonly right: Expr
}

const wildcards = new WeakSet<Op>()

/** A wildcard of this shape; symbols in the shape stand for any size. */
export function wildcard(name: string, shape: Shape): Expr {
  const expr = variable(name, shape, nameLayout(name))
  wildcards.add(expr.op)
  return expr
}

/** The law left = right. Sizes on the right must occur on the left. */
export const equation = (name: string, left: Expr, right: Expr): Equation => ({
  name,
  left,
  right,
  on: [left.op],
  over: left.args.map(({ op }) => op).filter((op) => !wildcards.has(op)),
  apply(expr) {
    const bound: Binding = { exprs: new Map(), sizes: new Map() }
    return matches(left, expr, bound) ? instance(right, bound) : null
  },
})

interface Binding {
  readonly exprs: Map<Expr, Expr>
  readonly sizes: Map<string, Dim>
}

function matches(pattern: Expr, expr: Expr, bound: Binding): boolean {
  if (wildcards.has(pattern.op)) {
    const known = bound.exprs.get(pattern)
    if (known) return known === expr
    if (!matchesShape(pattern.shape, expr.shape, bound)) return false
    bound.exprs.set(pattern, expr)
    return true
  }
  if (pattern.op !== expr.op || pattern.args.length !== expr.args.length) return false
  if (pattern.op === constant && pattern.attrs.value !== expr.attrs.value) return false
  return matchesAttrs(pattern, expr, bound) && pattern.args.every((arg, i) => matches(arg, expr.args[i]!, bound))
}

function matchesShape(pattern: Shape, shape: Shape, bound: Binding): boolean {
  return pattern.length === shape.length && pattern.every((dim, i) => matchesDim(dim, shape[i]!, bound))
}

function matchesDim(pattern: Dim, dim: Dim, bound: Binding): boolean {
  const name = symbolName(pattern)
  if (name === undefined) return sameDim(withSizes(pattern, bound.sizes), dim)
  const known = bound.sizes.get(name)
  if (known !== undefined) return sameDim(known, dim)
  bound.sizes.set(name, dim)
  return true
}

const matchesAttrs = (pattern: Expr, expr: Expr, bound: Binding): boolean =>
  Object.keys(pattern.attrs).every((key) => matchesAttr(pattern.attrs[key]!, expr.attrs[key]!, bound))

function matchesAttr(pattern: Attr, attr: Attr, bound: Binding): boolean {
  if (isSymbolic(pattern)) return (typeof attr === 'number' || isSymbolic(attr)) && matchesDim(pattern, attr, bound)
  if (Array.isArray(pattern))
    return Array.isArray(attr) && attr.length === pattern.length && pattern.every((p, i) => matchesAttr(p, attr[i], bound))
  return pattern === attr || (isSymbolic(attr) && keyOf(attr) === pattern)
}

function instance(pattern: Expr, bound: Binding): Expr {
  const known = bound.exprs.get(pattern)
  if (known) return known
  const attr = (a: Attr): Attr => (isSymbolic(a) ? withSizes(a, bound.sizes) : Array.isArray(a) ? a.map(attr) : a)
  const attrs = Object.fromEntries(Object.entries(pattern.attrs).map(([k, v]) => [k, attr(v)]))
  return make(
    pattern.op,
    pattern.args.map((a) => instance(a, bound)),
    attrs,
  )
}
