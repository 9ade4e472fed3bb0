/** Reverse mode: each equation sends its error back to the names it uses; where contributions meet they add up. */
import { areSame, argsOf, type Expr, inOrder } from '../expr/expr.ts'
import { type Lookup, type Members, Register, Table } from '../expr/table.ts'
import { derivative, type Layout, Level, row, subscript, symbol } from '../layout/layout.ts'
import type { Network, Value } from '../network/network.ts'
import { add } from '../ops/arithmetic.ts'
import { fill, named } from '../ops/leaves.ts'
import { errorsSent, isSource, type Sent, sumOfSent } from '../ops/pullback.ts'
import { termsOf } from '../rewrite/terms.ts'

/** What one consumer sends back to a value. */
export interface Contribution {
  /** The node (or the loss) whose equation uses the value. */
  readonly consumer: Value
  readonly term: Expr
  /** What each use in that equation sends, where there are several and the term is their sum as it stands. */
  readonly parts: readonly Sent[] | undefined
}

/** The same contribution with other terms. */
export const withTerms = ({ consumer, term, parts }: Contribution, change: (term: Expr) => Expr): Contribution => ({
  consumer,
  term: change(term),
  parts: parts?.map(({ term, via }) => ({ term: change(term), via })),
})

/** ∂L/∂v: the name, which stands for the sum of the contributions. */
export interface Gradient {
  readonly of: Value
  /** A name for `total`; other gradients are written in terms of it. */
  readonly adjoint: Expr
  readonly contributions: readonly Contribution[]
  readonly total: Expr
  /** The derivation starts here: the value is an argument of an opaque loss. */
  readonly given: boolean
}

/** The gradients of every value that the loss depends on, by value. */
export type Gradients = ReadonlyMap<Value, Gradient>

/** What has been worked out of the network's structure: who uses whom. */
export interface Structure {
  /** The value that an expression is the name of. */
  readonly valueAt: Lookup<Value>
  /** Values whose gradient is asked for: those that depend on an input or parameter. */
  readonly varies: Members
  /** Values that depend on an input, not only on parameters: branches of a merge are among these. */
  readonly active: Members
  /** The unnamed expressions of each equation and the names that they end at, arguments first. */
  readonly parts: ReadonlyMap<Value, readonly Expr[]>
  /** The names and variables that each equation uses, in reading order, and how often. */
  readonly sources: Lookup<ReadonlyMap<Expr, number>>
  /** The nodes (and the loss) whose equations use a value, in their order. */
  readonly uses: ReadonlyMap<Value, readonly Use[]>
}

/** A consumer of a value, and how many times its equation uses it. */
export interface Use {
  readonly by: Value
  readonly count: number
}

export function structureOf(network: Network): Structure {
  const valueAt = new Table<Value>()
  const varies = new Table<true>()
  const active = new Table<true>()
  for (const value of network.values.values()) {
    valueAt.set(value.expr, value)
    if (value.role === 'input' || value.role === 'param') varies.set(value.expr, true)
    if (value.role === 'input') active.set(value.expr, true)
  }
  const note = (expr: Expr): void => {
    for (let i = 0; i < expr.args.length; i++) {
      if (varies.has(expr.args[i]!)) varies.set(expr, true)
      if (active.has(expr.args[i]!)) active.set(expr, true)
    }
  }
  const parts = new Register<Value, readonly Expr[]>()
  const sources = new Table<ReadonlyMap<Expr, number>>()
  for (const value of network.values.values()) {
    if (isLeaf(value)) continue
    const own = partsOf(value.expr)
    for (let i = 0; i < own.length; i++) {
      // what is under the name of a value has been seen at that value
      if (!own[i]!.op.atomic) note(own[i]!)
      else if (!valueAt.has(own[i]!)) inOrder([own[i]!], argsOf).forEach(note)
    }
    note(value.expr)
    parts.set(value, own)
    sources.set(value, sourcesIn(own))
  }
  return { valueAt, varies, active, parts, sources, uses: usesOf(network, valueAt, varies, sources) }
}

/** Who uses each value: consumers that the loss is made of, for from others no error comes. */
function usesOf(
  { values, loss, seeds }: Network,
  valueAt: Lookup<Value>,
  varies: Members,
  sources: Structure['sources'],
): Structure['uses'] {
  const reached = new Table<true>()
  reached.set(loss, true)
  for (const seeded of seeds.keys()) reached.set(valueAt.get(seeded)!, true)
  const uses = new Register<Value, Use[]>()
  const none: Use[] = []
  for (const value of values.values()) uses.set(value, none)
  const enter = (used: Value, use: Use): void => {
    const own = uses.get(used)!
    if (own === none) uses.set(used, [use])
    else own.push(use)
  }
  // from the loss back: a consumer is known to matter before what it uses is looked at
  for (const value of [...values.values()].reverse()) {
    if (!reached.has(value) || isLeaf(value)) continue
    const isVarying = varies.has(value.expr)
    sources.get(value)!.forEach((count, source) => {
      const used = valueAt.get(source)
      if (used === undefined) return
      reached.set(used, true)
      if (isVarying) enter(used, { by: value, count })
    })
  }
  for (const own of uses.values()) own.reverse()
  for (const seeded of seeds.keys()) enter(valueAt.get(seeded)!, { by: loss, count: 1 })
  return uses
}

/** Where a network begins: a variable, or a node of another network that this one is a part of. */
const isLeaf = ({ role }: Value): boolean => role !== 'node' && role !== 'loss'

/** How terms are brought into shape, and in which order they are written. */
export interface Rules {
  /** A term by itself. */
  simplify(expr: Expr): Expr
  /** The sum of terms that are simple already: no path may lose its term in another. */
  collect(expr: Expr): Expr
  inReadingOrder(of: Value, contributions: readonly Contribution[]): readonly Contribution[]
  usesInOrder(of: Value, consumer: Value, sent: readonly Sent[]): readonly Sent[]
}

/**
 * The gradients of the loss, one equation a value: ∂L/∂v = Σ over the consumers c of v of (∂c/∂v)ᵀ ∂L/∂c.
 * Linear in the size of the graph. (Griewank & Walther 2008, §3.2.)
 */
export function reverse(network: Network, structure: Structure, rules: Rules): Gradients {
  const { collect, inReadingOrder } = rules
  const { valueAt, varies, uses } = structure
  const arriving = new Table<Contribution[]>()
  const gradients = new Register<Value, Gradient>()
  const order = [...network.values.values()].filter((v) => varies.has(v.expr)).reverse()

  for (const value of order) {
    const isLoss = value === network.loss
    const seed = network.seeds.get(value.expr)
    const own = arriving.get(value) ?? []
    own.reverse()
    if (seed) own.push({ consumer: network.loss, term: seed, parts: undefined })
    const contributions = inReadingOrder(value, own)
    if (!isLoss && contributions.length === 0) continue
    const given =
      contributions.length === 1 &&
      (seed !== undefined || (network.lossIsOpaque && contributions[0]!.consumer === network.loss && uses.get(value)!.length === 1))
    const total = isLoss ? fill(1) : sumOf(contributions, collect)
    const adjoint = isLoss ? total : given ? total : named(`dL/d${value.name}`, derivative(network.loss.layout, value.layout), total)
    gradients.set(value, { of: value, adjoint, contributions, total, given })
    if (isLeaf(value)) continue
    const isDirect = isLoss && network.lossIsOpaque
    for (const { of, sent } of errorsSent(value.expr, adjoint, varies)) {
      const target = valueAt.get(of)!
      const part = isDirect ? directPart(sumOfSent(sent), target, network, structure) : contribution(value, target, sent, rules)
      const others = arriving.get(target)
      if (others) others.push(part)
      else arriving.set(target, [part])
    }
  }
  return gradients
}

/** What a consumer sends, from all its uses of a value. */
function contribution(consumer: Value, target: Value, sent: readonly Sent[], { simplify, usesInOrder }: Rules): Contribution {
  if (sent.length === 1) return { consumer, term: simplify(sent[0]!.term), parts: undefined }
  const uses = usesInOrder(target, consumer, sent)
  const term = simplify(sumOfSent(uses))
  const parts = uses.map(({ term, via }) => ({ term: simplify(term), via }))
  const isTheirSum = areSame(
    parts.flatMap((part) => termsOf(part.term)),
    termsOf(term),
  )
  return { consumer, term, parts: isTheirSum ? parts : undefined }
}

const sumOf = (contributions: readonly Contribution[], collect: (expr: Expr) => Expr): Expr =>
  contributions.length === 1 ? contributions[0]!.term : collect(add(contributions.map((c) => c.term)))

/** The gradient of an opaque loss by its argument: where every derivation starts. Other ways to the loss are added to it. */
function directPart(term: Expr, target: Value, network: Network, { uses }: Structure): Contribution {
  const consumer = network.loss
  const isArgument = consumer.expr.args[0]!.args.filter((a) => a === target.expr).length === 1
  if (!isArgument) return { consumer, term, parts: undefined }
  const plain = derivative(network.loss.layout, target.layout)
  const alone = uses.get(target)!.length === 1
  return { consumer, term: named(`dL/d${target.name}`, alone ? plain : restricted(plain, 'direct'), term), parts: undefined }
}

/** ∂L/∂y|direct */
const restricted = (base: Layout, mark: string): Layout =>
  row(Level.derivative, [base, subscript(symbol('|', '\\big|'), symbol(mark, `\\text{${mark}}`))])

/** The unnamed expressions of an equation and the names and variables that they end at, arguments first. */
const partsOf = (name: Expr): Expr[] => inOrder([name.args[0]!])

/** The names and variables that an equation uses, in reading order, and how often. */
export const sourcesOf = (name: Expr): ReadonlyMap<Expr, number> => sourcesIn(partsOf(name))

/** The same, from the parts of the equation. */
function sourcesIn(parts: readonly Expr[]): ReadonlyMap<Expr, number> {
  const counts = new Map<Expr, number>()
  for (let i = 0; i < parts.length; i++) if (isSource(parts[i]!)) counts.set(parts[i]!, 0)
  for (let i = 0; i < parts.length; i++) {
    const { visible } = parts[i]!
    for (let k = 0; k < visible.length; k++) {
      const count = counts.get(visible[k]!)
      if (count !== undefined) counts.set(visible[k]!, count + 1)
    }
  }
  if (parts.length === 1) counts.set(parts[0]!, 1)
  return counts
}
