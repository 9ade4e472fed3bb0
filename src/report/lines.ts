/** Sets the equations of a derivation: one writer a derivation, so that shared formulas are set once. */
import type { Kind } from '../derive/branches.ts'
import type { ClosedForm } from '../derive/closed.ts'
import type { Derivation, LoopDerivation, Statement } from '../derive/derive.ts'
import { jacobianForm } from '../derive/jacobian.ts'
import { backwards } from '../derive/recurrence.ts'
import type { Contribution, Gradient } from '../derive/reverse.ts'
import type { Use } from '../derive/structure.ts'
import { minus } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, shapeText, stretchedAxes } from '../expr/shape.ts'
import { type Lookup, Table } from '../expr/table.ts'
import { type TypesetMemo, typeset, typesetTerm } from '../expr/typeset.ts'
import { derivative, equation, type Layout } from '../layout/layout.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
import { add } from '../ops/arithmetic.ts'
import { broadcast } from '../ops/movement.ts'

import { verified } from '../words.ts'

/** One equation of a report, with what is said about it. */
export interface Line {
  /** The value whose gradient it speaks of. */
  readonly of?: Value | undefined
  readonly left: Layout
  /** A contribution is only a part of what stands on its left. */
  readonly sign: '=' | '⟵'
  readonly right: Layout
  readonly shape?: Shape | undefined
  readonly remark?: string | undefined
  /** For which steps of a loop it holds, or what is to be said of it there: part of the formula in every format. */
  readonly note?: Layout | undefined
  /** The terms of the right-hand side with the path that each came by, if there are several. */
  readonly terms: readonly Term[]
  /** The terms stand one by one in the sum on the right: none met a like one. */
  readonly isTheirSum: boolean
  /** The name that it defines, and the formulas that it shows: what they mention may need a `where`. */
  readonly defines?: Expr | undefined
  readonly shows: readonly Expr[]
  /** What the operators in it stand for. */
  readonly explains: readonly Line[]
}

/** What is said of one place in the network. */
export interface Section {
  readonly kind: 'forward' | 'loss' | 'loop' | 'merge' | 'fan-out' | 'node' | 'paths' | 'inputs' | 'parameters'
  readonly title?: Layout | undefined
  /** What happens to the error here. */
  readonly why?: string | undefined
  readonly lines: readonly Line[]
  /** Names that are first mentioned here. */
  readonly where: readonly Line[]
}

export interface Term {
  readonly term: Expr
  readonly layout: Layout
  readonly kind: Kind
  readonly path: readonly Value[]
}

export interface Writer {
  readonly loss: Layout
  layout(expr: Expr): Layout
  equation(value: Value): Layout
  forward(value: Value): Line
  gradient(g: Gradient): Line
  /** Its gradient, and the other form that it has at the end of a loop. */
  lines(g: Gradient): readonly Line[]
  terms(g: Gradient): readonly Term[]
  /** What each value receives that a node is made of; of parameters only where there is nothing else. */
  sent(from: Value): readonly Line[]
  uses(uses: readonly Use[]): string
  definition(name: Expr): Line
}

/** An equation, and what else is to be said of it. Every line has all fields: there are many, and each format reads them all. */
export const lineOf = (
  left: Layout,
  right: Layout,
  {
    of,
    sign = '=',
    shape,
    remark,
    note,
    terms = none,
    isTheirSum = false,
    defines,
    shows = none,
    explains = none,
  }: Partial<Omit<Line, 'left' | 'right'>>,
): Line => ({ of, left, sign, right, shape, remark, note, terms, isTheirSum, defines, shows, explains })

const none: readonly never[] = []

const explanation = ({ left, right }: { readonly left: Layout; readonly right: Layout }): Line => lineOf(left, right, {})

/** What holds for a whole loop. */
export const statementLine = ({ left, right, remark, shows, explains }: Statement): Line =>
  lineOf(left, right, { note: remark, shows, explains: explains.map(explanation) })

/** together: x → x̂ is layer_norm, written out */
export const closedRemark = ({ of, to, op }: ClosedForm): string =>
  verified.together({ from: toText(of.layout), to: toText(to.layout), operation: op.name })

/** x → a → u → F → y; the middle of a long way is left out. */
export function pathText(path: readonly Value[], arrow = ' → '): string {
  const names = path.map((v) => toText(v.layout))
  return (names.length > 9 ? [...names.slice(0, 4), '…', ...names.slice(-4)] : names).join(arrow)
}

/** Sets a derivation, or that of one step of a loop. */
export function writerOf(derivation: Derivation, loop?: LoopDerivation): Writer {
  const { network, branches, form, gradients, structure } = derivation
  const memo: TypesetMemo = new Table()
  const layout = (expr: Expr): Layout => typeset(expr, memo)
  /** ∂L/∂v, which the name of the gradient is where it has one. */
  const symbolOf = ({ of, adjoint, given }: Gradient): Layout =>
    given || !adjoint.op.atomic ? derivative(network.loss.layout, of.layout) : layout(adjoint)
  const operatorForm = form === 'jacobian' ? jacobianForm(derivation, layout) : undefined
  const forwardMemo: TypesetMemo = new Table()
  for (const { expr, isCall } of network.values.values()) {
    if (isCall) forwardMemo.set(expr, typeset(expr.args[0]!, forwardMemo))
  }
  const broadcasts = broadcastRemarks(derivation)
  const body = (value: Value): Layout => typeset(value.expr.args[0]!, forwardMemo)
  const termsBy = (g: Gradient, { consumer, term, parts }: Contribution): Term[] => {
    const { path, kind } = branches.route(g.of, consumer)
    const termOf = (term: Expr, kind: Kind): Term => ({ term, layout: typesetTerm(term, memo), kind, path })
    return parts ? parts.map((part) => termOf(part.term, branches.kindOf(g.of, consumer, part.via))) : [termOf(term, kind)]
  }
  const terms = (g: Gradient): Term[] => {
    const found: Term[] = []
    for (const contribution of g.contributions) for (const term of termsBy(g, contribution)) found.push(term)
    return found
  }
  const several = (g: Gradient): readonly Term[] => (g.contributions.length > 1 || g.contributions[0]?.parts ? terms(g) : none)
  const gradient = (g: Gradient): Line => {
    const operator = operatorForm?.(g)
    const own = operator ? none : several(g)
    const { op, args } = g.total
    return lineOf(symbolOf(g), operator?.layout ?? layout(g.total), {
      of: g.of,
      shape: g.of.expr.shape,
      remark: operator ? undefined : broadcasts.get(g.of.expr),
      note: loop && branches.recurring.has(g.of) ? backwards(loop.loop.index, loop.loop.from, minus(loop.loop.to, 1)) : undefined,
      terms: own,
      isTheirSum: op === add && args.length === own.length && own.every(({ term }, i) => term === args[i]),
      defines: g.adjoint,
      shows: operator ? none : [g.total],
      explains: operator?.explains.map(explanation),
    })
  }
  /** What its paths add up to, where that is a textbook's formula. */
  const together = (g: Gradient): readonly Line[] => {
    const form = derivation.closed.get(g.of)
    if (!form) return []
    return [lineOf(symbolOf(g), layout(form.total), { of: g.of, remark: closedRemark(form), defines: g.adjoint, shows: [form.total] })]
  }
  const lines = (g: Gradient): readonly Line[] => {
    const own = [gradient(g), ...together(g)]
    return loop ? [...own, ...loop.statements.filter((s) => s.isEnd && s.of === g.of).map(statementLine)] : own
  }
  /** What a node sends to a value: all that the value receives, or one contribution of several. */
  const sentTo = (g: Gradient, from: Value): readonly Line[] => {
    const contribution = g.contributions.find((c) => c.consumer === from)
    if (!contribution) return []
    if (g.contributions.length === 1) {
      const [use] = branches.fanOuts.get(g.of) ?? []
      const [line, ...rest] = lines(g)
      if (g.given) return []
      return [use ? { ...line!, remark: [line!.remark, usedOften(g.of, use)].filter(Boolean).join('; ') } : line!, ...rest]
    }
    return termsBy(g, contribution).map(({ term, layout, kind, path }) =>
      lineOf(symbolOf(g), layout, { of: g.of, sign: '⟵', remark: `${kind} ${pathText(path)}`, shows: [term] }),
    )
  }
  return {
    loss: body(network.loss),
    layout,
    equation: (value) => equation(value.layout, body(value)),
    forward: (value) =>
      lineOf(value.layout, body(value), {
        shape: value.expr.shape,
        remark: isDead(value, derivation) ? 'no error comes back from the loss' : branches.merges.has(value) ? 'merge' : undefined,
      }),
    gradient,
    lines,
    terms,
    sent(from) {
      const { sources } = structure.vertexAt.get(from)!
      const active = sources.filter(({ source }) => structure.active.has(source))
      return (active.length > 0 ? active : sources).flatMap(({ of }) => {
        const g = of && gradients.get(of.value)
        return g ? sentTo(g, from) : []
      })
    },
    uses: (uses) => usesText(uses),
    definition: (name) => lineOf(layout(name), layout(name.args[0]!), { defines: name, shows: [name.args[0]!] }),
  }
}

/** Whether a node depends on what is derived by, and gets no error all the same. */
const isDead = (value: Value, { network, gradients, structure }: Derivation): boolean =>
  value.role === 'node' &&
  network.loops.length === 0 &&
  !network.step &&
  structure.varies.has(value.expr) &&
  !gradients.has(value) &&
  !value.isCall

const often = (count: number): string => (count > 1 ? (count === 2 ? ' twice' : ` ${count} times`) : '')

const usedOften = ({ layout }: Value, { count }: Use): string => `${toText(layout)} is used${often(count)}: the contributions add up`

/** used by a and y: contributions add up */
function usesText(uses: readonly Use[]): string {
  const names = uses.map(({ by, count }) => toText(by.value.layout) + often(count))
  const shown = names.length > 6 ? [...names.slice(0, 5), `${names.length - 5} others`] : names
  const list = shown.length > 1 ? `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}` : shown[0]!
  return `used by ${list}: contributions add up`
}

/** A broadcast is a fan-out: where a value is repeated, its gradient is a sum over the copies. By the value's expression. */
function broadcastRemarks({ structure }: Derivation): Lookup<string> {
  const remarks = new Table<string>()
  for (const by of structure.vertices) {
    for (const { args, shape } of by.parts.filter(({ op }) => op === broadcast)) {
      const of = structure.vertexAt.get(args[0]!)
      if (!of || remarks.has(of.value) || !of.uses.some((use) => use.by === by)) continue
      const { value } = of
      const axes = stretchedAxes(value.expr.shape, shape).map((a) => shape[a]!)
      remarks.set(value.expr, `${toText(value.layout)} is broadcast over ${shapeText(axes)}: the error is summed over it`)
    }
  }
  return remarks
}
