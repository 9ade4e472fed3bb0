/** Derivations of loops whose length is a symbol: one step of the loop is a network of its own, whose errors come from the next step. */
import { fail } from '../diagnostic.ts'
import { plus, sizeSymbol } from '../expr/dim.ts'
import { type Expr, make } from '../expr/expr.ts'
import { argsOf, inOrder, substitute } from '../expr/traverse.ts'
import { derivative, symbol } from '../layout/layout.ts'
import type { Carried, Network, Seed, SymbolicLoop, Value } from '../network/network.ts'
import { add, multiply } from '../ops/arithmetic.ts'
import { fill, named, numberOf, variable } from '../ops/leaves.ts'
import { pullback } from '../ops/pullback.ts'
import { requireApart, sourcesOfStep } from './apart.ts'
import { type Derivation, type DeriveOptions, deriveGradients, type LoopDerivation, type Shared } from './derive.ts'
import { statementsOf, through } from './recurrence.ts'
import { type Contribution, type Gradient, type Gradients, isSeed } from './reverse.ts'
import { mover } from './shift.ts'
import { sourcesOf } from './structure.ts'

/** Derives a network: everything outside its loops, and one step of each loop. */
export function deriveNetwork(network: Network, options: DeriveOptions): Derivation {
  if (network.loops.length === 0) return deriveGradients(network, options)
  requireApart(network)
  const valueAt = new Map([...network.values.values()].map((v) => [v.expr, v]))
  const depends = dependent(network)
  const steps = network.loops.map((loop) => {
    const used = usedBy(loop, valueAt).filter((v) => depends.has(v.expr))
    return deriveStep(loop, used, coefficientsOf(loop, network), network, options)
  })
  const senders = sendersTo(network, steps)
  const outside = deriveGradients(withSeeds(network, senders), options)
  return { ...outside, loops: steps.map((step) => completed(step, (v) => (senders.get(v)?.length ?? 1) === 1, outside.gradients)) }
}

/** What the loss multiplies each sum over the steps by. */
const coefficientsOf = ({ summands }: SymbolicLoop, { loss }: Network): Expr[] =>
  summands.map(({ sum }) => {
    const coefficient = pullback(loss.expr, fill(1), new Set([sum])).get(sum) ?? fill(0)
    const isNumber = inOrder([coefficient]).every((e) => !e.op.fresh && !e.op.atomic)
    return isNumber ? coefficient : fail('not-symbolic', { what: 'a loss that is not linear in its sums over the steps' }, loss.span)
  })

/** What sends errors to the values that loops send errors to: loops, and whatever else uses them outside. */
type Senders = ReadonlyMap<Value, readonly (SymbolicLoop | 'outside')[]>

function sendersTo({ values }: Network, steps: readonly StepDerivation[]): Senders {
  const outer = new Set([...values.values()].filter((v) => v.expr.args.length > 0).flatMap((v) => [...sourcesOf(v.expr)]))
  const senders = new Map<Value, (SymbolicLoop | 'outside')[]>()
  for (const { loop, shared, firsts, ends } of steps) {
    const receivers = [...shared, ...firsts].map((s) => s.of).concat(ends.flatMap((end) => end.last ?? []))
    for (const v of new Set(receivers)) senders.set(v, [...(senders.get(v) ?? (outer.has(v.expr) ? ['outside' as const] : [])), loop])
  }
  return senders
}

/** The network outside of its loops: what they send is known by its name. */
function withSeeds(network: Network, senders: Senders): Network {
  const byLoop = new Map(network.loops.map((loop) => [loop, loopValue(loop)]))
  const seeds = [...senders].map(([v, all]) => {
    const own = all.flatMap((loop): Seed[] =>
      loop === 'outside' ? [] : [{ error: seedOf(v, network, all.length > 1 ? loop.mark : undefined), by: byLoop.get(loop)! }],
    )
    return [v.expr, own] as const
  })
  const loops = [...byLoop.values()].map((v) => [v.name, v] as const)
  return { ...network, values: new Map([...network.values, ...loops]), seeds: new Map(seeds) }
}

/** A loop where a consumer is asked for. */
function loopValue({ name, span }: SymbolicLoop): Value {
  const layout = symbol(name, `\\text{${name}}`)
  const expr = named(name, layout, fill(0))
  return { id: expr.id, name, role: 'loop', expr, layout, span }
}

/** ∂L/∂v, or the part of it that comes through a loop: known from elsewhere. */
function seedOf({ name, layout, expr }: Value, { loss }: Network, mark: string | undefined): Expr {
  const plain = derivative(loss.layout, layout)
  return variable(`dL/d${name}`, expr.shape, mark ? through(plain, mark) : plain)
}

/** Expressions that depend on an input or parameter. */
function dependent({ values }: Network): ReadonlySet<Expr> {
  const found = new Set([...values.values()].filter((v) => v.role === 'input' || v.role === 'param').map((v) => v.expr))
  for (const expr of inOrder(
    [...values.values()].map((v) => v.expr),
    argsOf,
  ))
    if (expr.args.some((a) => found.has(a))) found.add(expr)
  return found
}

/** The values outside a loop that its step uses, not as the start of its recursion. */
function usedBy(loop: SymbolicLoop, valueAt: ReadonlyMap<Expr, Value>): Value[] {
  const incoming = new Set(loop.carried.map((c) => c.incoming.expr))
  return [...sourcesOfStep(loop)].flatMap((e) => (incoming.has(e) ? [] : (valueAt.get(e) ?? [])))
}

/** One step of a loop, before it is known what else sends errors to the same values. */
type StepDerivation = Pick<LoopDerivation, 'loop' | 'derivation' | 'shown'> & {
  readonly [K in 'shared' | 'firsts' | 'ends']: readonly Omit<LoopDerivation[K][number], 'isAll'>[]
}

function deriveStep(
  loop: SymbolicLoop,
  used: readonly Value[],
  coefficients: readonly Expr[],
  network: Network,
  options: DeriveOptions,
): StepDerivation {
  const { carried, step, own, summands } = loop
  const handedOn = new Set(ownErrors(loop).map((c) => c.outgoing.expr))
  const recurs = handedOn.size > 0
  const next = recurs ? nextOf(loop, [...used, ...own], network) : nothingAhead
  const term = summands.length === 0 ? fill(0) : add(summands.map((s, i) => weighted(coefficients[i]!, s.term)))
  const loss = withExpr(network.loss, named(network.loss.name, network.loss.layout, term))
  const start = carried.map((c) => c.incoming)
  const mine = own.filter((v) => isOfStep(v, loop))
  const inputs = [...start, ...mine, ...used].map((v): Value => (v.role === 'node' ? { ...v, role: 'input' } : v))
  const arriving = recurs ? start : carried.map((c) => c.outgoing)
  const body: Network = {
    ...network,
    values: new Map([...inputs, ...step, ...next.nodes, loss].map((v) => [v.name, v])),
    loss,
    lossIsOpaque: false,
    loops: [],
    claims: [],
    modules: [],
    step: {
      index: loop.index,
      recurring: new Set(recurs ? carried.map((c) => c.outgoing.expr) : []),
      ahead: next.ahead,
      shift: mover(loop.index, plus(sizeSymbol(loop.index), 1), network, next.known),
    },
    // where steps have errors of their own, what comes in receives some of the step before it, too
    seeds: new Map([...arriving.map((v) => [v.expr, seedOf(v, network, undefined)] as const), ...next.seeds].map(arrivesAt(loss))),
  }
  const derivation = deriveGradients(body, options)
  const { gradients, structure } = derivation
  const gradientOf = (v: Value): Gradient | undefined => gradients.get(structure.valueAt.get(v.expr)!)
  const hidden = new Set<Expr>(arriving.map((v) => v.expr))
  const shown = [...step, ...mine, ...(recurs ? [] : start)].filter((v) => !hidden.has(v.expr) && gradientOf(v))
  const isStart = (v: Value): boolean => carried.some((c) => c.first === v && gradientOf(c.incoming))
  const shared = used.flatMap((v) => {
    const g = isStart(v) ? undefined : gradientOf(v)
    return g ? [{ of: v, term: g.total }] : []
  })
  const sentTo = (v: Value, isSender: (c: Contribution) => boolean): Expr => sumOf(gradientOf(v), v, isSender, derivation)
  const firsts = carried.flatMap(({ first, incoming }) => {
    if (!gradientOf(incoming)) return []
    const besides = used.includes(first) ? sentTo(first, () => true) : undefined
    return [{ of: first, incoming, term: sentTo(incoming, (c) => !isSeed(incoming, c, body)), besides }]
  })
  const ends = (recurs ? carried : []).flatMap(({ outgoing, last }) =>
    last && !handedOn.has(outgoing.expr) ? [] : [{ of: outgoing, last, term: sentTo(outgoing, (c) => !next.nodes.includes(c.consumer)) }],
  )
  return { loop, derivation, shown, shared, firsts, ends }
}

/** With what follows for the whole loop; of some values it is the only sender, of others one of several. */
function completed(step: StepDerivation, isOnlySender: (v: Value) => boolean, outside: Gradients): LoopDerivation {
  const weighed = <T extends { readonly of: Value; readonly last?: Value | undefined }>(sent: T): T & Pick<Shared, 'isAll'> => ({
    ...sent,
    isAll: isOnlySender(sent.last ?? sent.of),
  })
  const unused = step.loop.carried.filter((c) => !(c.last && outside.has(c.last)) && !step.ends.some((end) => end.of === c.outgoing))
  const whole = { ...step, shared: step.shared.map(weighed), firsts: step.firsts.map(weighed), ends: step.ends.map(weighed), unused }
  return { ...whole, statements: statementsOf(whole) }
}

const arrivesAt =
  (by: Value) =>
  ([expr, error]: readonly [Expr, Expr]): [Expr, readonly Seed[]] => [expr, [{ error, by }]]

/** What some consumers send to a value, without names of its own. */
function sumOf(g: Gradient | undefined, { expr }: Value, isSender: (c: Contribution) => boolean, { names, simplify }: Derivation): Expr {
  const open = new Set(names)
  const opened = (term: Expr): Expr => {
    const [result] = substitute([term], (e) => (open.has(e) ? e.args[0] : undefined))
    return result === term ? term : opened(result!)
  }
  const terms = (g?.contributions ?? []).filter(isSender).map((c) => opened(c.term))
  return terms.length === 0 ? fill(0, expr.shape) : simplify(add(terms))
}

const weighted = (weight: Expr, term: Expr): Expr => (numberOf(weight) === 1 ? term : multiply([weight, term]))

/** What a step hands on and uses itself: its error comes from this step, too, not only from the next one. */
function ownErrors(loop: SymbolicLoop): readonly Carried[] {
  const sources = sourcesOfStep(loop)
  return loop.carried.filter((c) => sources.has(c.outgoing.expr))
}

/** Whether a variable has this step's index, not the next one's. */
const isOfStep = ({ expr }: Value, { step, summands }: SymbolicLoop): boolean =>
  step.some((v) => sourcesOf(v.expr).has(expr)) || summands.some((s) => inOrder([s.term], argsOf).includes(expr))

const withExpr = (value: Value, expr: Expr): Value => ({ ...value, id: expr.id, expr })

/** The next step as far as it matters to this one. */
interface Ahead {
  /** The nodes that use what is handed on. */
  readonly nodes: readonly Value[]
  /** Their errors are known: they are this step's, at the next index. */
  readonly seeds: ReadonlyMap<Expr, Expr>
  readonly ahead: ReadonlyMap<Expr, Value>
  readonly known: ReadonlyMap<string, Expr>
}

const nothingAhead: Ahead = { nodes: [], seeds: new Map(), ahead: new Map(), known: new Map() }

/** Each node of the next step by itself: all that it uses is constant, but for what this step hands on. */
function nextOf({ step, next, carried }: SymbolicLoop, variables: readonly Value[], network: Network): Ahead {
  const hold = ({ name, expr, layout }: Value): Expr => variable(name, expr.shape, layout)
  const handedOn = new Set(carried.map((c) => c.outgoing.expr))
  const held = new Map([...variables, ...next].map((v) => [v.expr, hold(v)]))
  const using = next.flatMap((value, i) => ([...sourcesOf(value.expr)].some((e) => handedOn.has(e)) ? [{ value, now: step[i]! }] : []))
  const nodes = using.map(({ value }): Value => {
    const [body] = substitute([value.expr.args[0]!], (e) => held.get(e) ?? (e.op.atomic ? e : undefined))
    return withExpr(value, make(value.expr.op, [body!]))
  })
  const seeds = nodes.map((v) => [v.expr, seedOf(v, network, undefined)] as const)
  return {
    nodes,
    seeds: new Map(seeds),
    ahead: new Map(seeds.map(([, seed], i) => [seed, using[i]!.now])),
    known: new Map([...held.values(), ...seeds.map(([, seed]) => seed)].map((e) => [e.op.name, e])),
  }
}
