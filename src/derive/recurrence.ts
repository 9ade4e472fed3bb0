/** What follows for a whole loop from one of its steps: the recurrence, its closed form as a product of Jacobians, and the sum over all later steps. */
import { type Dim, dimLayout, minus, plus, sizeSymbol } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { dimText } from '../expr/shape.ts'
import { type TypesetMemo, typeset } from '../expr/typeset.ts'
import {
  derivative,
  equation,
  joined,
  type Layout,
  Level,
  parenthesised,
  row,
  subscript,
  symbol,
  transposed,
  within,
} from '../layout/layout.ts'
import { fullNameLayout } from '../layout/names.ts'
import { indexText } from '../network/families.ts'
import type { Carried, Value } from '../network/network.ts'
import { add, multiply } from '../ops/arithmetic.ts'
import type { LoopDerivation, Statement } from './derive.ts'
import { stretchOf } from './jacobian.ts'
import { sourcesOf } from './reverse.ts'

const space = symbol(' ')

/** ∂L/∂v|loop: the part of a gradient that comes by one way. */
export const through = (gradient: Layout, mark: string): Layout =>
  row(Level.derivative, [gradient, subscript(symbol('|', '\\big|'), symbol(mark, `\\text{${mark}}`))])

/** What holds for a loop that hands on one value; for several the steps' own formulas say all there is. */
export function statementsOf(whole: Omit<LoopDerivation, 'statements'>, lossName: string): readonly Statement[] {
  const { loop, hasOwnErrors } = whole
  const [carried, ...more] = loop.carried
  if (!carried || more.length > 0) return []
  const context = contextOf(whole, carried, lossName)
  if (hasOwnErrors) return carried.last ? [first(context)] : [first(context), throughTime(context)]
  return [recurrence(context), product(context), ...additive(context)]
}

type Context = ReturnType<typeof contextOf>

function contextOf({ loop, derivation }: Omit<LoopDerivation, 'statements'>, carried: Carried, loss: string) {
  const { index, from, to, step, next } = loop
  const { structure, network } = derivation
  const memo: TypesetMemo = new Map()
  const layout = (expr: Expr): Layout => typeset(expr, memo)
  const at = sizeSymbol(index)
  const i = index === 'i' ? 'j' : 'i'
  const j = index === 'i' || index === 'j' ? 'k' : 'j'
  const start = startOf(carried)
  /** The carried value at a step: z[l] for l, and for any other index. */
  const member = (k: Dim): string => `${carried.family}[${indexText(plus(start, minus(k, at)))}]`
  const nameLayout = (name: string): Layout =>
    name === carried.incoming.name ? carried.incoming.layout : fullNameLayout(name, () => undefined, true)
  const gradient = (k: Dim): Layout => derivative(network.loss.layout, nameLayout(member(k)))
  const stretch = stretchOf(carried.incoming, carried.outgoing, structure, layout)
  const operator = stretch.isSymmetric ? stretch.layout : transposed(stretch.layout)
  return {
    index,
    from,
    to,
    at,
    i,
    j,
    step,
    next,
    carried,
    member,
    nameLayout,
    gradient,
    operator,
    layout,
    loss,
    structure,
    network,
    explains: stretch.explains,
  }
}

/** The index that the carried value has at the beginning of a step: l, or t − 1. */
function startOf({ incoming, family }: Carried): Dim {
  const text = incoming.name.slice(family.length + 1, -1)
  const [, symbolName = text, sign, offset = '0'] = /^([^+-]+)(?:([+-])(\d+))?$/.exec(text) ?? []
  return plus(sizeSymbol(symbolName), sign === '-' ? -Number(offset) : Number(offset))
}

const text = indexText

/** ∂L/∂z[l] = Aᵀ ∂L/∂z[l+1] */
function recurrence({ index, from, to, at, member, gradient, operator, loss }: Context): Statement {
  return {
    left: gradient(at),
    right: applied([operator], gradient(plus(at, 1))),
    remark: `for ${index} = ${dimText(minus(to, 1))} … ${dimText(from)}`,
    claim: `d${loss}/d${member(at)} = (d${member(plus(at, 1))}/d${member(at)}).T @ d${loss}/d${member(plus(at, 1))}`,
    range: `${index} in range(${text(from)}, ${text(to)})`,
  }
}

/** ∂L/∂z[0] = ∏ Aᵀ ∂L/∂z[N], in the order of the steps. */
function product({ index, from, to, at, member, gradient, operator, loss }: Context): Statement {
  return {
    left: gradient(from),
    right: applied([over('∏', index, from, to, operator)], gradient(to)),
    remark: `in the order of ${index}, from left to right`,
    claim: `d${loss}/d${member(from)} = prod((d${member(plus(at, 1))}/d${member(at)}).T for ${index} in range(${text(from)}, ${text(to)})) @ d${loss}/d${member(to)}`,
  }
}

/** He et al. 2016, eqs. (5) and (8): where a step adds to a multiple of its input, the error arrives whole, or scaled, and more is added to it. */
function additive({ index, from, to, at, i, j, member, gradient, loss, carried, layout, structure, nameLayout }: Context): Statement[] {
  const root = carried.outgoing.expr.args[0]!
  if (root.op !== add) return []
  const skips = root.args.filter((term) => isMultipleOf(term, carried.incoming.expr))
  const others = root.args.filter((term) => !skips.includes(term))
  if (skips.length !== 1 || others.length === 0) return []
  const scale = scaleOf(skips[0]!)
  const scaleValue = scale && structure.valueAt.get(scale)
  if (scale && !scaleValue) return []
  const moved = (layoutOrName: string, k: string): string => layoutOrName.replaceAll(`[${index}]`, `[${k}]`)
  const scaleAt = (k: string): Layout => nameLayout(moved(scaleValue!.name, k))
  const scaleText = (k: string): string => moved(scaleValue!.name, k)
  const end = { text: text(to), dim: to }
  const names = others.map((o) => structure.valueAt.get(o))
  const added = joined(
    Level.sum,
    symbol(' + '),
    others.map((o, n) => (names[n] ? nameLayout(moved(names[n].name, i)) : layout(o))),
  )
  const lowest = sizeSymbol(index)
  const weighted = scale
    ? row(Level.product, [over('∏', j, plus(sizeSymbol(i), 1), to, scaleAt(j)), space, within(Level.product, added)])
    : within(Level.product, added)
  const sum = parenthesised(over('∑', i, lowest, to, weighted))
  const operator = row(Level.product, [
    rowOf([symbol('∂', '\\partial '), symbol('/', ' / '), symbol('∂', '\\partial '), nameLayout(member(at))]),
    space,
    sum,
  ])
  const whole = scale ? row(Level.product, [within(Level.factor, over('∏', i, lowest, to, scaleAt(i))), space, gradient(to)]) : gradient(to)
  const difference = `d(${member(plus(sizeSymbol(i), 1))} - ${scale ? `${scaleText(i)} * ` : ''}${member(sizeSymbol(i))})`
  const weight = scale ? `prod(${scaleText(j)} for ${j} in range(${i} + 1, ${end.text})) * ` : ''
  const first = scale ? `prod(${scaleText(i)} for ${i} in range(${index}, ${end.text})) * ` : ''
  // the parts are named by the intermediate values, not when a body writes them out with the index of a step
  if (names.some((n) => n === undefined)) return []
  return [
    {
      left: gradient(at),
      right: row(Level.sum, [whole, symbol(' + '), applied([transposed(parenthesised(operator))], gradient(to))]),
      remark: scale
        ? 'the error of the last layer arrives scaled, and more is added'
        : 'the error of the last layer arrives whole, and more is added',
      claim: `d${loss}/d${member(at)} = ${first}d${loss}/d${member(to)} + sum(${weight}((${difference}/d${member(at)}).T @ d${loss}/d${member(to)}) for ${i} in range(${index}, ${end.text}))`,
      range: `${index} in range(${text(from)}, ${text(to)})`,
    },
  ]
}

/** ∂L/∂h[0]: the first step sends its error to where the recursion starts. */
function first({ from, member, nameLayout, gradient, loss }: Context): Statement {
  const next = plus(from, 1)
  return {
    left: gradient(from),
    right: applied([transposed(derivative(nameLayout(member(next)), nameLayout(member(from))))], gradient(next)),
    remark: 'where the recursion starts',
    claim: `d${loss}/d${member(from)} = (d${member(next)}/d${member(from)}).T @ d${loss}/d${member(next)}`,
  }
}

/** Back-propagation through time (Werbos 1990): the own errors of all later steps, each through the Jacobians between. */
function throughTime({ index, from, to, at, i, j, step, carried, member, nameLayout, loss, network }: Context): Statement {
  const out = (k: Dim): string => member(plus(k, 1))
  const consumers = step.filter((v) => sourcesOf(v.expr).has(carried.outgoing.expr))
  const direct = sourcesOf(network.loss.expr).has(carried.outgoing.expr)
  const named = (v: Value, k: string): string => v.name.replaceAll(`[${index}]`, `[${k}]`)
  const toConsumers = [...consumers.map((v) => named(v, i)), ...(direct ? [loss] : [])]
  const own = toConsumers.map((c) => `d${loss}/d(${out(sizeSymbol(i))}->${c})`).join(' + ')
  const jacobian = transposed(derivative(nameLayout(out(sizeSymbol(j))), nameLayout(member(sizeSymbol(j)))))
  const ownLayout = symbol(`e[${i}]`, `e_{${i}}`)
  const products = over('∏', j, plus(at, 1), plus(sizeSymbol(i), 1), jacobian)
  const body = row(Level.product, [within(Level.factor, parenthesised(products)), space, ownLayout])
  return {
    left: derivative(network.loss.layout, nameLayout(out(at))),
    right: over('∑', i, at, to, body),
    remark: `back-propagation through time; e[${i}] is what step ${i} itself sends to ${out(sizeSymbol(i))}`,
    claim: `d${loss}/d${out(at)} = sum(prod((d${out(sizeSymbol(j))}/d${member(sizeSymbol(j))}).T for ${j} in range(${index} + 1, ${i} + 1)) @ (${own}) for ${i} in range(${index}, ${text(to)}))`,
    range: `${index} in range(${text(from)}, ${text(to)})`,
  }
}

const rowOf = (parts: readonly Layout[]): Layout => row(Level.product, parts)

const applied = (operators: readonly Layout[], gradient: Layout): Layout =>
  joined(Level.product, space, [...operators.map((o) => within(Level.factor, o)), gradient])

const isMultipleOf = (term: Expr, value: Expr): boolean => term === value || (term.op === multiply && term.args.includes(value))

/** The scalar in λ z, if there is one. */
function scaleOf(term: Expr): Expr | undefined {
  if (term.op !== multiply) return undefined
  let scale = term.args[0]!
  while (scale.op.bare && scale.args.length === 1) scale = scale.args[0]!
  return scale
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
