/** Gradients as products of Jacobians: ∂L/∂x = (I + ∂F/∂x)ᵀ ∂L/∂y. */
import type { Expr } from '../expr/expr.ts'
import type { Lookup } from '../expr/table.ts'
import { call, derivative, joined, type Layout, Level, parenthesised, symbol, transposed, within, word } from '../layout/layout.ts'
import type { Network, Value } from '../network/network.ts'
import { add, multiply, negate } from '../ops/arithmetic.ts'
import { fill } from '../ops/leaves.ts'
import { matvec } from '../ops/linear.ts'
import { scalarOf } from '../rewrite/terms.ts'
import type { Branches } from './branches.ts'
import type { Gradient, Gradients } from './reverse.ts'
import { isEnd, type Structure } from './structure.ts'

/** A gradient in operator form, and what the Jacobians in it stand for where that can be written out. */
export interface OperatorForm {
  readonly layout: Layout
  readonly explains: readonly { readonly left: Layout; readonly right: Layout }[]
}

interface Parts {
  readonly network: Network
  readonly structure: Structure
  readonly branches: Branches
  readonly gradients: Gradients
}

/** So many factors are written; the rest stays in the gradient that the last one is applied to. */
const mostFactors = 8

const identity = symbol('I')
const space = symbol(' ')

/**
 * The operator form of gradients: one factor for each stretch between a value and the next one that every way to the loss
 * passes (its immediate post-dominator; Cooper, Harvey & Kennedy 2001). Parameters keep their local form.
 */
export function jacobianForm(parts: Parts, layout: (expr: Expr) => Layout): (g: Gradient) => OperatorForm | undefined {
  const { network, structure, branches } = parts
  const next = postDominators(parts)
  const symbolOf = (value: Value): Layout => derivative(network.loss.layout, value.layout)
  return ({ of, given }) => {
    if (given || of.role === 'param' || (of.role === 'node' && !branches.anchors.has(of))) return undefined
    const factors: Layout[] = []
    const explains: { left: Layout; right: Layout }[] = []
    let at = of
    for (let count = 0; count < mostFactors; count++) {
      const end = next.get(at)
      if (!end || isEnd(end)) break
      const stretch = stretchOf(at, end, structure, layout)
      if (stretch.layout !== identity) factors.push(stretch.isSymmetric ? stretch.layout : transposed(stretch.layout))
      explains.push(...stretch.explains)
      at = end
    }
    if (at === of) return undefined
    const product = [...factors, symbolOf(at)].map((f) => within(Level.factor, f))
    return { layout: joined(Level.product, space, product), explains }
  }
}

/** For each value the next one that every way from it to the loss passes. */
function postDominators({ network, structure, gradients }: Parts): ReadonlyMap<Value, Value> {
  const position = new Map([...network.values.values()].map((v, i) => [v, i]))
  const next = new Map<Value, Value>()
  const meet = (a: Value, b: Value): Value => {
    let [left, right] = [a, b]
    while (left !== right) {
      if (position.get(left)! < position.get(right)!) left = next.get(left)!
      else right = next.get(right)!
    }
    return left
  }
  for (const value of gradients.keys()) {
    const consumers = structure.vertexAt
      .get(value)!
      .uses.map(({ by }) => (isEnd(by.value) ? network.loss : by.value))
      .filter((v) => gradients.has(v))
    if (consumers.length > 0) next.set(value, consumers.reduce(meet))
  }
  return next
}

/** ∂end/∂start: for a sum the sum over its terms, I (first) for the value itself; for a product one term for each factor. */
export function stretchOf(start: Value, end: Value, { valueAt }: Structure, layout: (expr: Expr) => Layout): Stretch {
  const root = end.expr.args[0]!
  if (root === start.expr) return { layout: identity, isSymmetric: true, explains: [] }
  const chain = root.op === add ? undefined : chainOf(end.expr, start.expr, valueAt, layout)
  if (chain) return chain
  const whole = { layout: derivative(end.layout, start.layout), isSymmetric: false, explains: [] }
  const parts = root.op === add ? root.args : isGate(root) ? [root] : []
  const explains: { left: Layout; right: Layout }[] = []
  const identities: Layout[] = []
  const others: Summand[] = []
  for (const term of parts.filter((part) => dependsOn(part, start.expr))) {
    const own = scaledIdentity(term, start.expr, layout)
    const name = valueAt.get(term)
    if (own) identities.push(own)
    else others.push(...summandsOf(term, start, valueAt, layout))
    const inside = name && chainOf(term, start.expr, valueAt, layout)
    if (inside && !own) explains.push({ left: derivative(name.layout, start.layout), right: inside.layout })
  }
  const terms = [...identities, ...others.map((o) => o.layout)]
  if (identities.length === 0 && others.every((o) => o.isBare)) return whole
  return { layout: joined(Level.sum, symbol(' + '), terms), isSymmetric: others.every((o) => o.isDiagonal), explains }
}

interface Summand {
  readonly layout: Layout
  readonly isDiagonal: boolean
  /** It is no more than ∂(…)/∂x. */
  readonly isBare?: boolean
}

/** The Jacobian of a term as a sum: by its name, as a chain, by the product rule, or as ∂(…)/∂x. */
function summandsOf(term: Expr, start: Value, valueAt: Structure['valueAt'], layout: (expr: Expr) => Layout): readonly Summand[] {
  const name = valueAt.get(term)
  if (name) return [{ layout: derivative(name.layout, start.layout), isDiagonal: false }]
  const chain = chainOf(term, start.expr, valueAt, layout)
  if (chain) return [{ layout: chain.layout, isDiagonal: chain.isSymmetric }]
  if (!isGate(term)) return [{ layout: derivative(parenthesised(layout(term)), start.layout), isDiagonal: false, isBare: true }]
  return term.args.flatMap((factor, i): readonly Summand[] => {
    if (!dependsOn(factor, start.expr)) return []
    const { of, isNegative } = varyingPart(factor, start.expr)
    const gate = gateOf(term.args.toSpliced(i, 1), layout, isNegative)
    if (of === start.expr) return [{ layout: gate, isDiagonal: true }]
    return summandsOf(of, start, valueAt, layout).map((inner) => ({
      layout: joined(Level.product, space, [gate, within(Level.factor, inner.layout)]),
      isDiagonal: inner.isDiagonal,
    }))
  })
}

/** The t in 1 − t: what changes, and whether it is subtracted. */
function varyingPart(expr: Expr, to: Expr): { readonly of: Expr; readonly isNegative: boolean } {
  const [only, ...more] = expr.op === add ? expr.args.filter((a) => dependsOn(a, to)) : [expr]
  if (!only || more.length > 0) return { of: expr, isNegative: false }
  return only.op === negate ? { of: only.args[0]!, isNegative: true } : { of: only, isNegative: false }
}

/** A product of vectors, entry by entry. */
const isGate = (expr: Expr): boolean => expr.op === multiply && expr.args.every((a) => a.shape.length === 1)

/** diag(a) for a vector, λ for a scalar in every entry. */
const gateOf = (factors: readonly Expr[], layout: (expr: Expr) => Layout, isNegative = false): Layout => {
  const scalars = factors.flatMap((f) => scalarOf(f) ?? [])
  const vectors = factors.filter((f) => scalarOf(f) === undefined)
  const product = vectors.length > 0 ? multiply(vectors) : fill(1)
  const signed = isNegative ? negate(product) : product
  const diagonal = vectors.length > 0 || isNegative ? [call(word('diag'), [layout(signed)])] : []
  return joined(Level.product, space, [...scalars.map((s) => within(Level.product, layout(s))), ...diagonal])
}

export interface Stretch extends OperatorForm {
  readonly isSymmetric: boolean
}

/** The Jacobian of a term that is the value itself: x, −x, λ x. */
function scaledIdentity(term: Expr, by: Expr, layout: (expr: Expr) => Layout): Layout | undefined {
  if (term === by) return identity
  if (term.op === negate && term.args[0] === by) return { kind: 'row', level: Level.sum, parts: [symbol('−', '-'), identity] }
  if (term.op !== multiply || term.args.at(-1) !== by) return undefined
  const scalars = term.args.slice(0, -1).map(scalarOf)
  if (!scalars.every((s) => s !== undefined && !dependsOn(s, by))) return undefined
  return joined(Level.product, space, [...scalars.map((s) => within(Level.product, layout(s!))), identity])
}

/** A chain of matrices and pointwise functions written out: W₂ diag(relu′(a)) W₁. */
function chainOf(from: Expr, to: Expr, valueAt: Lookup<Value>, layout: (expr: Expr) => Layout): Stretch | undefined {
  const factors: Layout[] = []
  let diagonals = 0
  let at = from
  while (at !== to) {
    if (factors.length > mostFactors) return undefined
    const root = valueAt.has(at) ? at.args[0] : at
    const link = root && (onlyVarying(root, to) ?? linkOf(root, to, layout))
    if (!link) return undefined
    if (link.layout) factors.push(within(Level.factor, link.layout))
    diagonals += Number(link.layout !== undefined && link.isDiagonal)
    at = link.below
  }
  return { layout: joined(Level.product, space, factors), isSymmetric: factors.length === diagonals, explains: [] }
}

/** W x + b changes as W x does. */
function onlyVarying(root: Expr, to: Expr): Link | undefined {
  if (root.op !== add) return undefined
  const [below, ...more] = root.args.filter((a) => dependsOn(a, to))
  return below && more.length === 0 && below !== to ? { layout: undefined, isDiagonal: false, below } : undefined
}

interface Link {
  readonly layout: Layout | undefined
  readonly isDiagonal: boolean
  readonly below: Expr
}

/** One link of a chain: what multiplies, and what stands below. */
function linkOf(root: Expr, to: Expr, layout: (expr: Expr) => Layout): Link | undefined {
  if (root.op === matvec && !dependsOn(root.args[0]!, to)) return { layout: layout(root.args[0]!), isDiagonal: false, below: root.args[1]! }
  const varying = isGate(root) ? root.args.filter((a) => dependsOn(a, to)) : []
  if (varying.length === 1) {
    const others = root.args.filter((a) => a !== varying[0])
    return { layout: gateOf(others, layout), isDiagonal: true, below: varying[0]! }
  }
  const mask = root.shape.length === 1 && root.args.length === 1 ? root.op.slope?.(root.args, root.attrs) : undefined
  return mask && { layout: call(word('diag'), [layout(mask)]), isDiagonal: true, below: root.args[0]! }
}

function dependsOn(expr: Expr, source: Expr): boolean {
  const seen = new Set<Expr>()
  const todo = [expr]
  while (todo.length > 0) {
    const next = todo.pop()!
    if (next === source) return true
    if (seen.has(next)) continue
    seen.add(next)
    for (const arg of next.args) todo.push(arg)
  }
  return false
}
