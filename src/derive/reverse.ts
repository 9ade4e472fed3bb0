/** Reverse mode: each equation sends its error back to the names it uses; where contributions meet they add up. */
import { areSame, type Expr } from '../expr/expr.ts'
import { Register } from '../expr/table.ts'
import { inOrder } from '../expr/traverse.ts'
import { derivative, type Layout, Level, row, subscript, symbol } from '../layout/layout.ts'
import type { Network, Value } from '../network/network.ts'
import { add } from '../ops/arithmetic.ts'
import { fill, named } from '../ops/leaves.ts'
import { errorsSent, type Sent, sumOfSent } from '../ops/pullback.ts'
import { termsOf } from '../rewrite/terms.ts'
import { extended, type Structure, type Vertex } from './structure.ts'

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
  /** How many times what the value sends back mentions the name; where that is often, perhaps more. */
  readonly mentions: number
}

/** So many mentions are often. */
export const often = 2

/** The gradients of every value that the loss depends on, by value. */
export type Gradients = ReadonlyMap<Value, Gradient>

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
 * Linear in the size of the graph. (Griewank & Walther 2008, §3.2.) Each is visited as soon as it is complete, after its consumers'.
 */
export function reverse(network: Network, structure: Structure, rules: Rules, visit?: (gradient: Gradient) => void): Gradients {
  const { simplify, collect, inReadingOrder } = rules
  const { vertices, vertexAt, varies } = structure
  const arriving = new Array<Contribution[]>(vertices.length).fill([])
  const gradients = new Register<Value, Gradient>()

  const enter = ({ place }: Vertex, part: Contribution): void => {
    arriving[place] = extended(arriving[place]!, part)
  }

  /** One operation on names, as most equations are, sends each error as its rule says it. Tells how often they mention `error`. */
  const sendFromOne = (via: Expr, { value, sources }: Vertex, error: Expr): number => {
    const terms = via.op.vjp!(via.args, error, via.attrs, value.expr)
    let mentions = 0
    for (let slot = 0; slot < sources.length; slot++) {
      const { of } = sources[slot]!
      const sent = terms[slot]
      if (!sent || !of?.varies) continue
      const term = simplify(sent)
      enter(of, { consumer: value, term, parts: undefined })
      if (mentions < often) mentions += timesIn(term, error)
    }
    return mentions
  }

  const send = (by: Vertex, error: Expr): number => {
    const { value, parts, sources } = by
    if (sources.length === 0) return 0
    const isDirect = value === network.loss && network.lossIsOpaque
    const [via] = parts
    if (parts.length === 1 && via!.args.length === sources.length && via!.op.vjp && !isDirect) return sendFromOne(via!, by, error)
    let mentions = 0
    for (const { of, sent } of errorsSent(value.expr, error, varies)) {
      const target = vertexAt.get(of)!
      const part = isDirect ? directPart(sumOfSent(sent), target, network) : contribution(value, target.value, sent, rules)
      enter(target, part)
      mentions += timesIn(part.term, error)
    }
    return mentions
  }

  for (let place = vertices.length - 1; place >= 0; place--) {
    const vertex = vertices[place]!
    const { value, uses } = vertex
    if (!vertex.varies) continue
    const isLoss = value === network.loss
    const arrived = arriving[place]!.reverse()
    const seeds = network.seeds.get(value.expr)
    const own = seeds ? arrived.concat(seeds.map(({ error, by }) => ({ consumer: by, term: error, parts: undefined }))) : arrived
    const contributions = own.length > 1 ? inReadingOrder(value, own) : own
    if (!isLoss && contributions.length === 0) continue
    const given =
      contributions.length === 1 &&
      (seeds !== undefined || (network.lossIsOpaque && contributions[0]!.consumer === network.loss && uses.length === 1))
    const total = isLoss ? fill(1) : sumOf(contributions, collect)
    const adjoint = isLoss || given ? total : named(`dL/d${value.name}`, derivative(network.loss.layout, value.layout), total)
    const mentions = send(vertex, adjoint)
    const gradient: Gradient = { of: value, adjoint, contributions, total, given, mentions }
    gradients.set(value, gradient)
    visit?.(gradient)
  }
  return gradients
}

/** Whether what a value receives comes from outside of the network. */
export const isSeed = ({ expr }: Value, { term }: Contribution, { seeds }: Network): boolean =>
  seeds.get(expr)?.some(({ error }) => error === term) ?? false

/** How many times a formula mentions a name. */
function timesIn(formula: Expr, name: Expr): number {
  if (formula === name) return 1
  const { visible } = formula
  let count = 0
  let isFlat = true
  for (let i = 0; i < visible.length; i++) {
    if (visible[i] === name) count++
    else if (visible[i]!.visible.length > 0) isFlat = false
  }
  if (isFlat || count >= often) return count
  const below = inOrder(visible)
  for (let i = 0; i < below.length; i++) for (let k = 0; k < below[i]!.visible.length; k++) if (below[i]!.visible[k] === name) count++
  return count
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
function directPart(term: Expr, { value: target, uses }: Vertex, network: Network): Contribution {
  const consumer = network.loss
  const isArgument = consumer.expr.args[0]!.args.filter((a) => a === target.expr).length === 1
  if (!isArgument) return { consumer, term, parts: undefined }
  const plain = derivative(network.loss.layout, target.layout)
  const alone = uses.length === 1
  return { consumer, term: named(`dL/d${target.name}`, alone ? plain : restricted(plain, 'direct'), term), parts: undefined }
}

/** ∂L/∂y|direct */
const restricted = (base: Layout, mark: string): Layout =>
  row(Level.derivative, [base, subscript(symbol('|', '\\big|'), symbol(mark, `\\text{${mark}}`))])
