/** Sets the equations of a derivation: one writer a derivation, so that shared formulas are set once. */
import type { Derivation, LoopDerivation, Statement } from '../derive/derive.ts'
import { jacobianForm } from '../derive/jacobian.ts'
import { backwards } from '../derive/recurrence.ts'
import type { Gradient, Use } from '../derive/reverse.ts'
import { sourcesIn } from '../derive/reverse.ts'
import { minus } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, shapeText, stretchedAxes } from '../expr/shape.ts'
import { Table } from '../expr/table.ts'
import { type TypesetMemo, typeset, typesetTerm } from '../expr/typeset.ts'
import { derivative, equation, type Layout } from '../layout/layout.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
import { add } from '../ops/arithmetic.ts'
import { broadcast } from '../ops/movement.ts'

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
  /** The name that it defines, and the formulas that it shows: what they mention may need a `where`. */
  readonly defines?: Expr | undefined
  readonly shows: readonly Expr[]
  /** What the operators in it stand for. */
  readonly explains?: readonly Line[]
}

/** What is said of one place in the network. */
export interface Section {
  readonly kind: 'forward' | 'loss' | 'loop' | 'merge' | 'fan-out' | 'node' | 'inputs' | 'parameters'
  readonly title?: Layout | undefined
  /** What happens to the error here. */
  readonly why?: string | undefined
  readonly lines: readonly Line[]
  /** Names that are first mentioned here. */
  readonly where: readonly Line[]
}

export interface Term {
  readonly layout: Layout
  readonly kind: 'skip' | 'branch'
  readonly path: readonly Value[]
  /** It stands as it is among the terms of the sum (it did not meet a like term). */
  readonly inSum: boolean
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
  /** What each branch of a merge receives. */
  branches(merge: Value): readonly Line[]
  uses(uses: readonly Use[]): string
  definition(name: Expr): Line
}

const explanation = (e: { readonly left: Layout; readonly right: Layout }): Line => ({ ...e, sign: '=', terms: [], shows: [] })

/** What holds for a whole loop. */
export const statementLine = ({ left, right, remark, shows, explains }: Statement): Line => ({
  left,
  sign: '=',
  right,
  note: remark,
  terms: [],
  shows,
  explains: explains.map(explanation),
})

/** x → a → u → F → y; the middle of a long way is left out. */
export function pathText(path: readonly Value[]): string {
  const names = path.map((v) => toText(v.layout))
  return (names.length > 9 ? [...names.slice(0, 4), '…', ...names.slice(-4)] : names).join(' → ')
}

/** Sets a derivation, or that of one step of a loop. */
export function writerOf(derivation: Derivation, loop?: LoopDerivation): Writer {
  const { network, branches, form, gradients, structure } = derivation
  const memo: TypesetMemo = new Table()
  const layout = (expr: Expr): Layout => typeset(expr, memo)
  const symbolOf = (value: Value): Layout => derivative(network.loss.layout, value.layout)
  const operatorForm = form === 'jacobian' ? jacobianForm(derivation, layout) : undefined
  const forwardMemo: TypesetMemo = new Table()
  for (const { expr, isCall } of network.values.values()) {
    if (!isCall) continue
    const call = typeset(expr.args[0]!, forwardMemo)
    forwardMemo.set(expr, { layout: call, bare: call, bareShape: expr.shape })
  }
  const body = (value: Value): Layout => typeset(value.expr.args[0]!, forwardMemo)
  const terms = (g: Gradient): Term[] =>
    g.contributions.map((c, i) => ({
      layout: typesetTerm(c.term, memo),
      inSum: g.total.op === add && g.total.args.length === g.contributions.length && g.total.args[i] === c.term,
      ...branches.route(g.of, c.consumer),
    }))
  const gradient = (g: Gradient): Line => {
    const operator = operatorForm?.(g)
    return {
      of: g.of,
      left: symbolOf(g.of),
      sign: '=',
      right: operator?.layout ?? layout(g.total),
      shape: g.of.expr.shape,
      remark: operator ? undefined : broadcastRemark(g.of, derivation),
      note: loop && branches.recurring.has(g.of) ? backwards(loop.loop.index, loop.loop.from, minus(loop.loop.to, 1)) : undefined,
      terms: operator || g.contributions.length < 2 ? [] : terms(g),
      defines: g.adjoint,
      shows: operator ? [] : [g.total],
      explains: (operator?.explains ?? []).map(explanation),
    }
  }
  return {
    loss: body(network.loss),
    layout,
    equation: (value) => equation(value.layout, body(value)),
    forward: (value) => ({
      left: value.layout,
      sign: '=',
      right: body(value),
      shape: value.expr.shape,
      remark: branches.merges.has(value) ? 'merge' : undefined,
      terms: [],
      shows: [],
    }),
    gradient,
    lines: (g) => [gradient(g), ...(loop?.statements ?? []).filter((s) => s.isEnd && s.of === g.of).map(statementLine)],
    terms,
    branches: (merge) =>
      [...sourcesIn(structure.parts.get(merge)!).keys()].flatMap((source): Line[] => {
        const value = structure.valueAt.get(source)
        const g = value && structure.active.has(source) ? gradients.get(value) : undefined
        const contribution = g?.contributions.find((c) => c.consumer === merge)
        if (!g || !contribution) return []
        const alone = g.contributions.length === 1
        const { kind, path } = branches.route(g.of, merge)
        return [
          {
            of: g.of,
            left: symbolOf(g.of),
            sign: alone ? '=' : '⟵',
            right: alone ? layout(contribution.term) : typesetTerm(contribution.term, memo),
            remark: alone ? undefined : `${kind} ${pathText(path)}`,
            terms: [],
            defines: alone ? g.adjoint : undefined,
            shows: [contribution.term],
          },
        ]
      }),
    uses: (uses) => usesText(uses),
    definition: (name) => ({
      left: layout(name),
      sign: '=',
      right: layout(name.args[0]!),
      terms: [],
      defines: name,
      shows: [name.args[0]!],
    }),
  }
}

/** used by a and y: contributions add up */
function usesText(uses: readonly Use[]): string {
  const names = uses.map(({ by, count }) => toText(by.layout) + (count > 1 ? (count === 2 ? ' twice' : ` ${count} times`) : ''))
  const shown = names.length > 6 ? [...names.slice(0, 5), `${names.length - 5} others`] : names
  const list = shown.length > 1 ? `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}` : shown[0]!
  return `used by ${list}: contributions add up`
}

/** A broadcast is a fan-out: where a value is repeated, its gradient is a sum over the copies. */
function broadcastRemark(value: Value, { structure }: Derivation): string | undefined {
  for (const { by } of structure.uses.get(value) ?? []) {
    for (const expr of structure.parts.get(by) ?? []) {
      if (expr.op !== broadcast || expr.args[0] !== value.expr) continue
      const axes = stretchedAxes(value.expr.shape, expr.shape).map((a) => expr.shape[a]!)
      return `${toText(value.layout)} is broadcast over ${shapeText(axes)}: the error is summed over it`
    }
  }
  return undefined
}
