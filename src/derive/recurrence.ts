/** What follows for a whole loop from one of its steps: the recurrence, its closed form as a product of Jacobians, and the sum over all later steps. */
import { type Dim, dimLayout, minus, plus, sizeSymbol } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { argsOf, inOrder } from '../expr/traverse.ts'
import { typeset } from '../expr/typeset.ts'
import {
  derivative,
  derivativeBy,
  equation,
  joined,
  type Layout,
  Level,
  parenthesised,
  prose,
  row,
  subscript,
  symbol,
  transposed,
  within,
} from '../layout/layout.ts'
import { indexText } from '../network/families.ts'
import { dimInside, nameWith } from '../network/moved.ts'
import type { Carried, Value } from '../network/network.ts'
import { add, multiply } from '../ops/arithmetic.ts'
import type { End, First, LoopDerivation, Statement } from './derive.ts'
import { stretchOf } from './jacobian.ts'
import { mover } from './shift.ts'
import { sourcesOf } from './structure.ts'

const space = symbol(' ')

/** ∂L/∂v|loop: the part of a gradient that comes by one way. */
export const through = (gradient: Layout, mark: string): Layout =>
  row(Level.derivative, [gradient, subscript(symbol('|', '\\big|'), symbol(mark, `\\text{${mark}}`))])

/** Whether the formula of what comes into a step does not hold in the first one: the start of the recursion has other uses. */
export const isPartialAtStart = (value: Value, firsts: readonly First[]): boolean =>
  firsts.some((first) => first.incoming === value && (!first.isAll || first.besides !== undefined))

type Whole = Omit<LoopDerivation, 'statements'>

/** The ends of the recursion, and closed forms for a loop that hands on one value; where there are several, or other ways to the loss, the steps' own formulas say the rest. */
export function statementsOf(whole: Whole): readonly Statement[] {
  const { loop, firsts, ends, unused } = whole
  const recurs = (whole.derivation.network.step?.recurring.size ?? 0) > 0
  const [carried, ...more] = loop.carried
  const atEnds = [
    ...firsts.map((first) => beginning(first, whole)),
    ...ends.map((end) => ending(end, whole)),
    ...unused.map((c) => nothingArrives(c, whole)),
  ]
  if (!carried || more.length > 0) return atEnds
  const context = contextOf(whole, carried)
  if (recurs) return [...atEnds, ...throughTime(context, ends)]
  return bypasses(context)
    ? atEnds
    : [recurrence(context), product(context), ...additive(context), ...atEnds.filter((s) => s.of === carried.outgoing)]
}

type Context = ReturnType<typeof contextOf>

function contextOf({ loop, derivation, firsts }: Whole, carried: Carried) {
  const { index, from, to, mark, step, summands } = loop
  const { structure, network } = derivation
  const at = sizeSymbol(index)
  const i = index === 'i' ? 'j' : 'i'
  const j = index === 'i' || index === 'j' ? 'k' : 'j'
  const start = dimInside(carried.incoming.name.slice(carried.family.length + 1, -1))
  /** The carried value at a step: z[l] for l, and for any other index. */
  const member = (k: Dim): string => `${carried.family}[${indexText(plus(start, minus(k, at)))}]`
  const gradient = (k: Dim): Layout => derivative(network.loss.layout, network.layoutOf(member(k)))
  const stretch = stretchOf(carried.incoming, carried.outgoing, structure, typeset)
  const operator = stretch.isSymmetric ? stretch.layout : transposed(stretch.layout)
  const first = firsts.find(({ incoming }) => incoming === carried.incoming)
  // where the first value is used outside, too, only a part of its error comes through the loop
  const isPartial = first !== undefined && !first.isAll
  // of what starts the recursion another formula holds, where it is used otherwise, too
  const begins = isPartial || first?.besides ? plus(from, 1) : from
  return {
    ...{
      index,
      from,
      to,
      mark,
      at,
      i,
      j,
      step,
      summands,
      carried,
      member,
      gradient,
      operator,
      layout: typeset,
      structure,
      network,
      isPartial,
      begins,
      besides: first?.besides,
    },
    loss: network.loss.name,
    explains: stretch.explains,
  }
}

const text = indexText

/** The words "for l = N−1 … 0": a recursion runs backwards. */
export const backwards = (index: string, from: Dim, to: Dim): Layout =>
  row(Level.relation, [
    prose('for '),
    dimLayout(sizeSymbol(index)),
    symbol(' = '),
    dimLayout(minus(to, 1)),
    symbol(' … ', ',\\dots,'),
    dimLayout(from),
  ])

/** ∂L/∂z[l] = Aᵀ ∂L/∂z[l+1] */
function recurrence({ index, begins, to, at, member, gradient, operator, loss, carried, explains }: Context): Statement {
  return {
    of: carried.incoming,
    left: gradient(at),
    right: applied([operator], gradient(plus(at, 1))),
    remark: backwards(index, begins, to),
    claim: `d${loss}/d${member(at)} = (d${member(plus(at, 1))}/d${member(at)}).T @ d${loss}/d${member(plus(at, 1))}`,
    range: `${index} in range(${text(begins)}, ${text(to)})`,
    shows: [],
    explains,
  }
}

/** ∂L/∂z[0] = ∏ Aᵀ ∂L/∂z[N], in the order of the steps, and what the steps send to z[0] beside: that is compared in numbers. */
function product(context: Context): Statement {
  const { index, from, to, at, mark, member, gradient, operator, loss, carried, isPartial, besides } = context
  const sent = isPartial ? sentBy(loopConsumers(context), member(from), context) : `d${loss}/d${member(from)}`
  return {
    of: carried.first,
    left: isPartial ? through(gradient(from), mark) : gradient(from),
    right: withSum(applied([over('∏', index, from, to, operator)], gradient(to)), besides, context),
    remark: row(Level.relation, [prose('in the order of '), dimLayout(at), prose(', from left to right')]),
    claim:
      sent === undefined || besides
        ? undefined
        : `${sent} = prod((d${member(plus(at, 1))}/d${member(at)}).T for ${index} in range(${text(from)}, ${text(to)})) @ d${loss}/d${member(to)}`,
    shows: [],
    explains: [],
  }
}

/** The nodes that the first step makes of what it starts from. */
const loopConsumers = ({ index, from, step, carried }: Context): string[] =>
  step.filter((v) => sourcesOf(v.expr).has(carried.incoming.expr)).map((v) => nameWith(v.name, new Map([[index, from]])))

/** What some nodes send to a value, as a claim says it; undefined for nodes inside calls, whose names depend on the call. */
const sentBy = (consumers: readonly string[], to: string, { loss }: Context): string | undefined =>
  consumers.length === 0 || consumers.some((c) => c.includes('.')) ? undefined : consumers.map((c) => `d${loss}/d(${to}->${c})`).join(' + ')

/** He et al. 2016, eqs. (5) and (8): where a step adds to a multiple of its input, the error arrives whole, or scaled, and more is added to it. */
function additive({ index, to, at, i, j, member, gradient, loss, carried, structure, network, begins }: Context): Statement[] {
  const root = carried.outgoing.expr.args[0]!
  if (root.op !== add) return []
  const skips = root.args.flatMap((term) => multipleOf(carried.incoming.expr, term) ?? [])
  const others = root.args.filter((term) => !skips.some((skip) => skip.term === term))
  if (skips.length !== 1 || others.length === 0) return []
  const { scale } = skips[0]!
  const scaleValue = scale && structure.valueAt.get(scale)
  if (scale && !scaleValue) return []
  const names = others.map((o) => structure.valueAt.get(o)?.name)
  // the parts are named by the intermediate values, not when a body writes them out with the index of a step
  if (names.some((n) => n === undefined)) return []
  const moved = (name: string, k: string): string => nameWith(name, new Map([[index, sizeSymbol(k)]]))
  const scaleAt = (k: string): Layout => network.layoutOf(moved(scaleValue!.name, k))
  const scaleText = (k: string): string => moved(scaleValue!.name, k)
  const added = joined(
    Level.sum,
    symbol(' + '),
    names.map((name) => network.layoutOf(moved(name!, i))),
  )
  const weighted = scale
    ? scaled(over('∏', j, plus(sizeSymbol(i), 1), to, scaleAt(j)), within(Level.product, added))
    : within(Level.product, added)
  const operator = row(Level.product, [derivativeBy(network.layoutOf(member(at))), space, over('∑', i, at, to, weighted)])
  const whole = scale ? scaled(over('∏', i, at, to, scaleAt(i)), gradient(to)) : gradient(to)
  const difference = `d(${member(plus(sizeSymbol(i), 1))} - ${scale ? `${scaleText(i)} * ` : ''}${member(sizeSymbol(i))})`
  const weight = scale ? `prod(${scaleText(j)} for ${j} in range(${i} + 1, ${text(to)})) * ` : ''
  const front = scale ? `prod(${scaleText(i)} for ${i} in range(${index}, ${text(to)})) * ` : ''
  return [
    {
      of: carried.incoming,
      left: gradient(at),
      right: row(Level.sum, [whole, symbol(' + '), applied([transposed(parenthesised(operator))], gradient(to))]),
      remark: prose(`the error of the last layer arrives ${scale ? 'scaled' : 'whole'}, and more is added`),
      claim: `d${loss}/d${member(at)} = ${front}d${loss}/d${member(to)} + sum(${weight}((${difference}/d${member(at)}).T @ d${loss}/d${member(to)}) for ${i} in range(${index}, ${text(to)}))`,
      range: `${index} in range(${text(begins)}, ${text(to)})`,
      shows: [],
      explains: [],
    },
  ]
}

/** A formula of a step at one index, set. */
const setAt = (formula: Expr, at: Dim, { loop, derivation }: Whole): Layout => typeset(mover(loop.index, at, derivation.network)(formula))

/** ∂L/∂h[0]: the first step sends its error to where the recursion starts. */
function beginning({ of, term, besides, isAll }: First, whole: Whole): Statement {
  const gradient = derivative(whole.derivation.network.loss.layout, of.layout)
  return {
    of,
    left: isAll ? gradient : through(gradient, whole.loop.mark),
    right: withSum(setAt(term, whole.loop.from, whole), besides, { ...whole.loop, layout: typeset }),
    remark: prose('backwards the recursion ends here'),
    claim: undefined,
    shows: besides ? [term, besides] : [term],
    explains: [],
  }
}

/** What comes through the recursion, and what every step sends beside. */
const withSum = (
  recursion: Layout,
  besides: Expr | undefined,
  { index, from, to, layout }: Pick<Context, 'index' | 'from' | 'to' | 'layout'>,
): Layout => (besides ? row(Level.sum, [recursion, symbol(' + '), over('∑', index, from, to, layout(besides))]) : recursion)

/** ∂L/∂h[T]: no next step sends anything to what the last one hands on. */
function ending({ of, term, isAll }: End, whole: Whole): Statement {
  const { loss, layoutOf } = whole.derivation.network
  const at = minus(whole.loop.to, 1)
  const gradient = derivative(loss.layout, layoutOf(nameWith(of.name, new Map([[whole.loop.index, at]]))))
  return {
    of,
    isEnd: true,
    left: isAll ? gradient : through(gradient, whole.loop.mark),
    right: setAt(term, at, whole),
    remark: prose('the last step has no next one'),
    claim: undefined,
    shows: [term],
    explains: [],
  }
}

/** ∂L/∂s[M] = 0: where the recursion starts backwards, nothing uses what the last step hands on. */
function nothingArrives({ outgoing }: Carried, { loop: { index, to }, derivation: { network } }: Whole): Statement {
  const name = nameWith(outgoing.name, new Map([[index, minus(to, 1)]]))
  return {
    of: outgoing,
    left: derivative(network.loss.layout, network.layoutOf(name)),
    right: symbol('0'),
    remark: prose('the recursion starts here: nothing uses what the last step hands on'),
    claim: `d${network.loss.name}/d${name} = 0`,
    shows: [],
    explains: [],
  }
}

/** Back-propagation through time (Werbos 1990): the own errors of all later steps, each through the Jacobians between. */
function throughTime(context: Context, ends: readonly End[]): Statement[] {
  const { index, from, to, at, i, j, step, carried, member, loss, network } = context
  const end = ends.find((e) => e.of === carried.outgoing && e.isAll)
  if (!end || bypasses(context)) return []
  const out = (k: Dim): string => member(plus(k, 1))
  const later = sizeSymbol(i)
  const consumers = step.filter((v) => sourcesOf(v.expr).has(carried.outgoing.expr)).map((v) => nameWith(v.name, new Map([[index, later]])))
  const direct = sourcesOf(network.loss.expr).has(carried.outgoing.expr)
  const own = sentBy([...consumers, ...(direct ? [loss] : [])], out(later), context)
  if (own === undefined) return []
  const [jth, before] = [out(sizeSymbol(j)), member(sizeSymbol(j))]
  const jacobian = transposed(derivative(network.layoutOf(jth), network.layoutOf(before)))
  const error = symbol(`e[${i}]`, `e_{${i}}`)
  const products = over('∏', j, plus(at, 1), plus(later, 1), jacobian)
  return [
    {
      of: carried.outgoing,
      left: derivative(network.loss.layout, network.layoutOf(out(at))),
      right: over('∑', i, at, to, row(Level.product, [within(Level.factor, parenthesised(products)), space, error])),
      remark: prose('back-propagation through time'),
      claim: `d${loss}/d${out(at)} = sum(prod((d${jth}/d${before}).T for ${j} in range(${index} + 1, ${i} + 1)) @ (${own}) for ${i} in range(${index}, ${text(to)}))`,
      range: `${index} in range(${text(from)}, ${text(to)})`,
      shows: [],
      explains: [{ left: error, right: typeset(mover(index, later, network)(end.term)) }],
    },
  ]
}

/** Whether a step's error reaches what came in by other ways than through what is handed on. */
function bypasses({ carried, network }: Context): boolean {
  const { outgoing, incoming } = carried
  return inOrder([network.loss.expr], (e) => (e === outgoing.expr ? [] : e.args)).includes(incoming.expr)
}

/** One layout in front of another, as its factor. */
const scaled = (factor: Layout, of: Layout): Layout => row(Level.product, [within(Level.factor, factor), space, of])

const applied = (operators: readonly Layout[], gradient: Layout): Layout =>
  joined(Level.product, space, [...operators.map((o) => within(Level.factor, o)), gradient])

/** z, or λ z with a factor that does not depend on z. */
function multipleOf(z: Expr, term: Expr): { readonly term: Expr; readonly scale: Expr | undefined } | undefined {
  if (term === z) return { term, scale: undefined }
  if (term.op !== multiply || term.args.length !== 2 || !term.args.includes(z)) return undefined
  let scale = term.args[term.args[0] === z ? 1 : 0]!
  while (scale.op.bare && scale.args.length === 1) scale = scale.args[0]!
  return inOrder([scale], argsOf).includes(z) ? undefined : { term, scale }
}

/** Σ or ∏ over an index that runs from `from` to `to` − 1. */
export const over = (sign: '∑' | '∏', index: string, from: Dim, to: Dim, body: Layout): Layout => ({
  kind: 'big',
  level: Level.hadamard,
  sign,
  below: row(Level.relation, [dimLayout(sizeSymbol(index)), symbol('='), dimLayout(from)]),
  above: dimLayout(minus(to, 1)),
  body: within(Level.product, body),
})

/** l = 0 … N − 1 */
export const rangeLayout = (index: string, from: Dim, to: Dim): Layout =>
  equation(dimLayout(sizeSymbol(index)), row(Level.relation, [dimLayout(from), symbol(' … ', ',\\dots,'), dimLayout(minus(to, 1))]))
