/** Sets the equations of a derivation, or of one step of a loop. */
import type { Kind, Route } from '../derive/branches.ts'
import type { ClosedForm } from '../derive/closed.ts'
import type { Derivation, LoopDerivation, Statement } from '../derive/derive.ts'
import { jacobianForm } from '../derive/jacobian.ts'
import { backwards, isPartialAtStart } from '../derive/recurrence.ts'
import type { Contribution, Gradient } from '../derive/reverse.ts'
import type { Structure, Use, Vertex } from '../derive/structure.ts'
import { minus, plus } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, shapeText, stretchedAxes } from '../expr/shape.ts'
import { type Lookup, Table } from '../expr/table.ts'
import { typeset, typesetTerm, typesetWith } from '../expr/typeset.ts'
import { derivative, equation, type Layout } from '../layout/layout.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
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
  /** The steps of a loop that its lines hold for, where they speak of one step. */
  readonly steps?: Layout | undefined
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
  { of, sign = '=', shape, remark, note, terms = none, defines, shows = none, explains = none }: Partial<Omit<Line, 'left' | 'right'>>,
): Line => ({ of, left, sign, right, shape, remark, note, terms, defines, shows, explains })

const none: readonly never[] = []

const explanation = ({ left, right }: { readonly left: Layout; readonly right: Layout }): Line => lineOf(left, right, {})

/** What holds for a whole loop. */
export const statementLine = ({ left, right, remark, shows, explains }: Statement): Line =>
  lineOf(left, right, { note: remark, shows, explains: explains.map(explanation) })

/** together: x → x̂ is layer_norm, written out */
export const closedRemark = ({ of, to, op }: ClosedForm): string =>
  verified.together({ from: toText(of.layout), to: toText(to.layout), operation: op.name })

/** x → a → u → F → y; the middle of a long way is left out. */
function pathText(path: readonly Value[], arrow = ' → '): string {
  const textOf = (values: readonly Value[]): string => {
    let text = toText(values[0]!.layout)
    for (let i = 1; i < values.length; i++) text += arrow + toText(values[i]!.layout)
    return text
  }
  return path.length > 9 ? [textOf(path.slice(0, 4)), '…', textOf(path.slice(-4))].join(arrow) : textOf(path)
}

/** skip x → y */
export const routeText = ({ kind, path }: Route, arrow?: string): string => `${kind} ${pathText(path, arrow)}`

/** Sets a derivation, or that of one step of a loop. */
export function writerOf(derivation: Derivation, loop?: LoopDerivation): Writer {
  const { network, branches, form, gradients, structure } = derivation
  /** ∂L/∂v, which the name of the gradient is where it has one. */
  const symbolOf = ({ of, adjoint, given }: Gradient): Layout =>
    given || !adjoint.op.atomic ? derivative(network.loss.layout, of.layout) : adjoint.op.layout!
  const operatorForm = form === 'jacobian' ? jacobianForm(derivation, typeset) : undefined
  const calls = callsOf(structure)
  const broadcasts = broadcastRemarks(derivation)
  const outside = loop && usedByEveryStep(loop)
  const body = (value: Value): Layout => typesetWith(calls, value.expr.args[0]!)
  const termOf = (term: Expr, kind: Kind, path: readonly Value[]): Term => ({ term, layout: typesetTerm(term), kind, path })
  const termsFrom = ({ consumer, term, parts }: Contribution, of: Value): readonly Term[] => {
    const { path, kind } = branches.route(of, consumer)
    return parts ? parts.map((part) => termOf(part.term, branches.kindOf(of, consumer, part.via), path)) : [termOf(term, kind, path)]
  }
  const known = new Table<readonly (readonly Term[])[]>()
  /** By contribution: a merge tells its own, and the sum tells all of them. */
  const termsBy = ({ of, contributions }: Gradient): readonly (readonly Term[])[] => {
    let terms = known.get(of)
    if (!terms) known.set(of, (terms = contributions.map((c) => termsFrom(c, of))))
    return terms
  }
  const terms = (g: Gradient): readonly Term[] => {
    const all: Term[] = []
    for (const own of termsBy(g)) for (const term of own) all.push(term)
    return all
  }
  const places = new Table<ReadonlyMap<Value, number>>()
  /** Where the contribution of a consumer stands, of several the first one, or −1. Of many there is a table. */
  const placeOf = ({ of, contributions }: Gradient, consumer: Value): number => {
    if (contributions.length <= fewContributions) return contributions.findIndex((c) => c.consumer === consumer)
    let found = places.get(of)
    if (!found) places.set(of, (found = new Map(contributions.map((c, i) => [c.consumer, i] as const).reverse())))
    return found.get(consumer) ?? -1
  }
  const isSum = ({ contributions }: Gradient): boolean => contributions.length > 1 || contributions[0]?.parts !== undefined
  const gradient = (g: Gradient): Line => {
    const { of, adjoint, total } = g
    const operator = operatorForm?.(g)
    return {
      of,
      left: symbolOf(g),
      sign: '=',
      right: operator ? operator.layout : typeset(total),
      shape: of.expr.shape,
      remark: operator ? undefined : broadcasts.get(of.expr),
      note: loop && rangeNote(of, loop),
      terms: !operator && isSum(g) ? terms(g) : none,
      defines: adjoint,
      shows: operator ? none : [total],
      explains: operator ? operator.explains.map(explanation) : none,
    }
  }
  /** What its paths add up to, where that is a textbook's formula. */
  const together = (g: Gradient, form: ClosedForm): Line =>
    lineOf(symbolOf(g), typeset(form.total), { of: g.of, remark: closedRemark(form), defines: g.adjoint, shows: [form.total] })
  const lines = (g: Gradient): readonly Line[] => {
    const own = [gradient(g)]
    const form = derivation.closed.get(g.of)
    if (form) own.push(together(g, form))
    return loop ? [...own, ...loop.statements.filter((s) => s.isEnd && s.of === g.of).map(statementLine)] : own
  }
  /** What a node sends to a value: all that the value receives, or one contribution of several. */
  const sentTo = (g: Gradient, from: Value): readonly Line[] => {
    const { of, contributions, given } = g
    if (contributions.length === 1) {
      if (given || contributions[0]!.consumer !== from) return none
      return outside?.has(of.expr) ? allSentTo(g).map((line, i) => ofOneStep(line, i === 0 ? routeTo(g) : undefined)) : allSentTo(g)
    }
    const i = placeOf(g, from)
    if (i < 0) return none
    return termsBy(g)[i]!.map(({ term, layout, kind, path }) => ({
      of,
      left: symbolOf(g),
      sign: '⟵',
      right: layout,
      shape: undefined,
      remark: routeText({ kind, path }),
      note: undefined,
      terms: none,
      defines: undefined,
      shows: [term],
      explains: none,
    }))
  }
  const routeTo = ({ of, contributions }: Gradient): string => routeText(branches.route(of, contributions[0]!.consumer))
  const allSentTo = (g: Gradient): readonly Line[] => {
    const own = lines(g)
    const use = branches.fanOuts.get(g.of)?.[0]
    if (!use) return own
    const often = usedOften(g.of, use)
    return own.map((line, i) => (i > 0 ? line : { ...line, remark: line.remark ? `${line.remark}; ${often}` : often }))
  }
  return {
    loss: body(network.loss),
    equation: (value) => equation(value.layout, body(value)),
    forward: (value) => ({
      of: undefined,
      left: value.layout,
      sign: '=',
      right: body(value),
      shape: value.expr.shape,
      remark: isDead(value, derivation) ? 'no error comes back from the loss' : branches.merges.has(value) ? 'merge' : undefined,
      note: undefined,
      terms: none,
      defines: undefined,
      shows: none,
      explains: none,
    }),
    gradient,
    lines,
    terms,
    sent(from) {
      const { sources, active } = structure.vertexAt.get(from)!
      const found: Line[] = []
      for (let i = 0; i < sources.length; i++) {
        const { of } = sources[i]!
        const g = of && (of.active || !active) && gradients.get(of.value)
        if (g) for (const line of sentTo(g, from)) found.push(line)
      }
      return found
    },
    uses: usesText,
    definition: (name) => lineOf(typeset(name), typeset(name.args[0]!), { defines: name, shows: [name.args[0]!] }),
  }
}

/** The steps that the formula of a value holds for, where it does not hold for all: the last has no next one, and the start of the recursion may be used elsewhere. */
function rangeNote(value: Value, { loop: { index, from, to }, derivation, firsts }: LoopDerivation): Layout | undefined {
  if (derivation.branches.recurring.has(value)) return backwards(index, from, minus(to, 1))
  return isPartialAtStart(value, firsts) ? backwards(index, plus(from, 1), to) : undefined
}

/** So many contributions are looked through one by one. */
const fewContributions = 8

/** The values from outside, by their expressions: to the step they may be copies. */
const usedByEveryStep = ({ shared, firsts }: LoopDerivation): ReadonlySet<Expr> =>
  new Set([...shared, ...firsts.filter((first) => first.besides)].map(({ of }) => of.expr))

/** What one step sends to a value from outside: a part of the sum over all steps, which is stated elsewhere. */
const ofOneStep = (line: Line, route: string | undefined): Line => ({
  ...line,
  sign: '⟵',
  shape: undefined,
  remark: [route, line.remark].filter(Boolean).join('; '),
  defines: undefined,
})

/** What calls of modules have in place of their names, where an equation is written as it was given. */
function callsOf({ vertices }: Structure): Lookup<Layout> | undefined {
  let calls: Table<Layout> | undefined
  for (let i = 0; i < vertices.length; i++) {
    const { value } = vertices[i]!
    if (!value.isCall) continue
    calls ??= new Table()
    calls.set(value, typesetWith(calls, value.expr.args[0]!))
  }
  return calls
}

/** Whether a node of an equation depends on what is derived by, and gets no error all the same. */
const isDead = (value: Value, { network, gradients, structure }: Derivation): boolean =>
  !gradients.has(value) && network.loops.length === 0 && !network.step && structure.varies.has(value.expr)

const often = (count: number): string => (count > 1 ? (count === 2 ? ' twice' : ` ${count} times`) : '')

const usedOften = ({ layout }: Value, { count }: Use): string => `${toText(layout)} is used${often(count)}: the contributions add up`

/** used by a and y: contributions add up */
function usesText(uses: readonly Use[]): string {
  const nameOf = ({ by, count }: Use): string => toText(by.value.layout) + often(count)
  const named = uses.length > 6 ? 5 : uses.length - 1
  const last = uses.length > 6 ? `${uses.length - named} others` : nameOf(uses[named]!)
  const list = named > 0 ? `${uses.slice(0, named).map(nameOf).join(', ')} and ${last}` : last
  return `used by ${list}: contributions add up`
}

/** A broadcast is a fan-out: where a value is repeated, its gradient is a sum over the copies. By the value's expression. */
function broadcastRemarks({ structure }: Derivation): Lookup<string> {
  const remarks = new Table<string>()
  const note = ({ args, shape }: Expr, by: Vertex): void => {
    const of = structure.vertexAt.get(args[0]!)
    if (!of || remarks.has(of.value) || !of.uses.some((use) => use.by === by)) return
    const { value } = of
    const axes = stretchedAxes(value.expr.shape, shape).map((a) => shape[a]!)
    remarks.set(value.expr, `${toText(value.layout)} is broadcast over ${shapeText(axes)}: the error is summed over it`)
  }
  for (const by of structure.vertices) for (let i = 0; i < by.parts.length; i++) if (by.parts[i]!.op === broadcast) note(by.parts[i]!, by)
  return remarks
}
