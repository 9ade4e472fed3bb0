/** Derivations of loops whose length is a symbol: one step of the loop is a network of its own, whose errors come from the next step. */
import { type Expr, inOrder, make, substitute } from '../expr/expr.ts'
import { derivative, symbol } from '../layout/layout.ts'
import type { Network, SymbolicLoop, Value } from '../network/network.ts'
import { add, multiply } from '../ops/arithmetic.ts'
import { fill, named, numberOf, variable } from '../ops/leaves.ts'
import { pullback } from '../ops/pullback.ts'
import { type Derivation, type DeriveOptions, deriveGradients, type LoopDerivation, type Shared } from './derive.ts'
import { statementsOf, through } from './recurrence.ts'
import { sourcesOf } from './reverse.ts'

/** Derives a network: everything outside its loops, and one step of each loop. */
export function deriveNetwork(network: Network, options: DeriveOptions): Derivation {
  if (network.loops.length === 0) return deriveGradients(network, options)
  const valueAt = new Map([...network.values.values()].map((v) => [v.expr, v]))
  const outer = new Set([...network.values.values()].filter((v) => v.expr.args.length > 0).flatMap((v) => [...sourcesOf(v.expr).keys()]))
  const depends = dependent(network)
  const used = network.loops.map((loop) => usedBy(loop, valueAt).filter((v) => depends.has(v.expr)))
  const receivers = new Set(network.loops.flatMap((loop, i) => [...loop.carried.map((c) => c.first), ...used[i]!]))
  const seeds = new Map([...receivers].map((v) => [v.expr, seedOf(v, network, outer.has(v.expr) ? 'loop' : undefined)] as const))
  const outside = deriveGradients({ ...network, seeds }, options)
  const loops = network.loops.map((loop, i) => {
    const coefficients = loop.summands.map(({ sum }) => pullback(network.loss.expr, fill(1), new Set([sum])).get(sum) ?? fill(0))
    return deriveLoop(loop, used[i]!, coefficients, network, outer, options)
  })
  return { ...outside, loops }
}

/** ∂L/∂v, or the part of it that comes through a loop: known from elsewhere. */
function seedOf({ name, layout, expr }: Value, { loss }: Network, mark: string | undefined): Expr {
  const plain = derivative(loss.layout, layout)
  return variable(`d${loss.name}/d${name}`, expr.shape, mark ? through(plain, mark) : plain)
}

/** Expressions that depend on an input or parameter. */
function dependent({ values }: Network): ReadonlySet<Expr> {
  const found = new Set([...values.values()].filter((v) => v.role === 'input' || v.role === 'param').map((v) => v.expr))
  for (const expr of inOrder([...values.values()].map((v) => v.expr))) if (expr.args.some((a) => found.has(a))) found.add(expr)
  return found
}

/** The values outside a loop that its step uses, not as the start of its recursion. */
function usedBy({ step, carried, summands }: SymbolicLoop, valueAt: ReadonlyMap<Expr, Value>): Value[] {
  const sources = [...step.map((v) => v.expr), ...summands.map((s) => named('', symbol(''), s.term))].flatMap((e) => [
    ...sourcesOf(e).keys(),
  ])
  const incoming = new Set(carried.map((c) => c.incoming.expr))
  return [...new Set(sources)].flatMap((e) => (incoming.has(e) ? [] : (valueAt.get(e) ?? [])))
}

function deriveLoop(
  loop: SymbolicLoop,
  used: readonly Value[],
  coefficients: readonly Expr[],
  network: Network,
  outer: ReadonlySet<Expr>,
  options: DeriveOptions,
): LoopDerivation {
  const { carried, step, next, own, summands } = loop
  const outgoing = new Set(carried.map((c) => c.outgoing.expr))
  const inStep = [...step.map((v) => v.expr), ...summands.map((s) => named('', symbol(''), s.term))].flatMap((e) => [
    ...sourcesOf(e).keys(),
  ])
  const hasOwnErrors = inStep.some((e) => outgoing.has(e))
  const mine = own.filter((v) => isOfStep(v, loop))
  const arriving = hasOwnErrors ? own.filter((v) => v.role === 'input' && !mine.includes(v)) : []
  const others = hasOwnErrors ? nextOf(loop, [...used, ...own.filter((v) => v.role !== 'input')]) : []
  const ends = hasOwnErrors ? carried.map((c) => others[next.indexOf(c.after)]!) : carried.map((c) => c.outgoing)
  const term = summands.length === 0 ? fill(0) : add(summands.map((s, i) => weighted(coefficients[i]!, s.term)))
  const loss: Value = { ...network.loss, expr: named(network.loss.name, network.loss.layout, term) }
  const start = carried.map((c) => c.incoming)
  const inputs = [...start, ...mine, ...arriving, ...used].map((v): Value => (v.role === 'node' ? { ...v, role: 'input' } : v))
  const body: Network = {
    ...network,
    values: new Map([...inputs, ...step, ...others, loss].map((v) => [v.name, v])),
    loss,
    lossIsOpaque: false,
    loops: [],
    claims: [],
    modules: [],
    // where the steps have errors of their own, what comes in receives some of the step before it, too
    step: loop.index,
    seeds: new Map([...ends, ...(hasOwnErrors ? start : [])].map((v) => [v.expr, seedOf(v, network, undefined)])),
  }
  const derivation = deriveGradients(body, options)
  const { gradients, structure } = derivation
  const gradientOf = (v: Value) => gradients.get(structure.valueAt.get(v.expr)!)
  const hidden = new Set<Expr>([...(hasOwnErrors ? start : ends), ...others].map((v) => v.expr))
  const shown = [...step, ...mine, ...(hasOwnErrors ? [] : start)].filter((v) => !hidden.has(v.expr) && gradientOf(v))
  const shared = used.flatMap((v): Shared[] => {
    const g = gradientOf(v)
    if (!g) return []
    return [{ of: v, term: g.total, isAll: !outer.has(v.expr) }]
  })
  const result = { loop, derivation, shown, shared, hasOwnErrors }
  return { ...result, statements: statementsOf(result, network.loss.name) }
}

const weighted = (weight: Expr, term: Expr): Expr => (numberOf(weight) === 1 ? term : multiply([weight, term]))

/** Whether a variable has this step's index, not the next one's. */
const isOfStep = ({ expr }: Value, { step, summands }: SymbolicLoop): boolean =>
  step.some((v) => sourcesOf(v.expr).has(expr)) || summands.some((s) => inOrder([s.term]).includes(expr))

/**
 * The nodes of the next step, as what is handed on to it sees them: their parameters are constant, and so is what they
 * hand on themselves, for its error is known.
 */
function nextOf({ next, carried }: SymbolicLoop, variables: readonly Value[]): Value[] {
  const after = new Set(carried.map((c) => c.after))
  const hold = ({ name, expr, layout }: Value): Expr => variable(name, expr.shape, layout)
  const renewed = new Map(variables.map((v) => [v.expr, hold(v)]))
  return next.map((value) => {
    const [body] = substitute([value.expr.args[0]!], (e) => renewed.get(e) ?? (e.op.atomic ? e : undefined))
    const expr = make(value.expr.op, [body!])
    renewed.set(value.expr, after.has(value) ? hold(value) : expr)
    return { ...value, expr }
  })
}
