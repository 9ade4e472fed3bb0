/** A whole derivation: the gradients in the form that was asked for, with names for what they share. */
import { fail } from '../diagnostic.ts'
import { type Expr, make, withArgs } from '../expr/expr.ts'
import { type Members, members, Register, Table } from '../expr/table.ts'
import { fold, inOrder, substitute } from '../expr/traverse.ts'
import { typeset } from '../expr/typeset.ts'
import type { Layout } from '../layout/layout.ts'
import { nameLayout } from '../layout/names.ts'
import { toText } from '../layout/text.ts'
import type { Carried, Network, SymbolicLoop, Value } from '../network/network.ts'
import type { Rewriter, Step } from '../rewrite/engine.ts'
import { tidiers } from '../rewrite/tidy.ts'
import { type Branches, branchesOf } from './branches.ts'
import { type ClosedForm, closedForms } from './closed.ts'
import { type Derivatives, type Form, type Formed, former, isPrinted, withDerivatives } from './forms.ts'
import { namesFrom } from './naming.ts'
import { type Inside, pathsInside } from './paths.ts'
import { readingOrder } from './reading.ts'
import { recognisers } from './recognise.ts'
import { type Gradient, type Gradients, type Rules, reverse, withTerms } from './reverse.ts'
import { type Context, nothing as nothingShared, share } from './share.ts'
import { extended, type Structure, structureOf } from './structure.ts'

export interface Derivation {
  readonly network: Network
  readonly structure: Structure
  readonly branches: Branches
  /** As reverse mode wrote them: one equation a value, in terms of its consumers' gradients. */
  readonly raw: Gradients
  /** As they are printed. */
  readonly gradients: Gradients
  /** Gradients whose paths add up to a textbook's formula. */
  readonly closed: ReadonlyMap<Value, ClosedForm>
  /** Nodes whose gradient has no line of its own: it is written into other formulas. */
  readonly inlined: Members
  /** Names that the formulas use, beside gradients: what each stands for is its argument. */
  readonly names: readonly Expr[]
  readonly form: Form
  readonly simplify: Rewriter
  /** Loops whose length is a symbol, the first one first. */
  readonly loops: readonly LoopDerivation[]
  readonly steps: readonly Step[]
  /** Operations that send an error on several paths, if the derivation is traced. */
  readonly inside: readonly Inside[]
}

/** How the error goes back through a loop whose length is a symbol. */
export interface LoopDerivation {
  readonly loop: SymbolicLoop
  /** One step, with the errors that it receives from the next one. */
  readonly derivation: Derivation
  /** The values of a step whose gradients are derived. */
  readonly shown: readonly Value[]
  /** Values from outside that every step uses. */
  readonly shared: readonly Shared[]
  /** Where the recursion begins forwards: the loop sends its error there. */
  readonly firsts: readonly First[]
  /** Errors of what the last step hands on, where a step uses that itself. */
  readonly ends: readonly End[]
  /** What the last step hands on to nothing that an error comes from. */
  readonly unused: readonly Carried[]
  /** What follows for the whole loop. */
  readonly statements: readonly Statement[]
}

/** What each step sends back to a value from outside, to be summed over the steps. */
export interface Shared {
  readonly of: Value
  readonly term: Expr
  /** The sum is all that the value receives. */
  readonly isAll: boolean
}

/** What the first step sends back to the value that it starts from, as a formula of any step. */
export interface First extends Shared {
  readonly incoming: Value
  /** What each step sends back to it beside, where every step uses the start itself, too. */
  readonly besides: Expr | undefined
}

/** What the last step itself sends to a value that it hands on, as a formula of any step. */
export interface End extends Shared {
  /** What is used of it after the loop. */
  readonly last: Value | undefined
}

/** A formula about all steps, for print and, in the language of claims, for the check on loops of real lengths. */
export interface Statement {
  /** The value whose gradient it tells. */
  readonly of: Value
  /** It tells only how that gradient ends, in the last step. */
  readonly isEnd?: boolean
  readonly left: Layout
  readonly right: Layout
  readonly remark: Layout
  /** A formula that is compared in numbers makes no claim. */
  readonly claim: string | undefined
  /** The claim is made for each value of an index. */
  readonly range?: string
  /** Formulas of a step whose names it uses. */
  readonly shows: readonly Expr[]
  /** What it speaks of in names of its own. */
  readonly explains: readonly { readonly left: Layout; readonly right: Layout }[]
}

export interface DeriveOptions {
  readonly form: Form
  readonly derivatives: Derivatives
  readonly trace: boolean
}

/** Derives the gradient of the loss by every value that it depends on. */
export function deriveGradients(network: Network, { form, derivatives, trace }: DeriveOptions): Derivation {
  const structure = structureOf(network)
  const branches = branchesOf(network, structure)
  const own = recognisers(network)
  const { tidy, collect } = tidiers(...own)
  const steps: Step[] = []
  const inPrint = withDerivatives(tidy, derivatives)
  const noted = (rewrite: Rewriter): Rewriter => (trace ? (expr) => rewrite(expr, steps) : rewrite)
  const forms = former(branches, form, { simplify: tidy, collect })
  const rules = { simplify: noted(inPrint), collect: noted(collect), ...skipsFirst(branches) }
  // what is traced takes its form afterwards, so that no step is taken unseen
  const raw = reverse(network, structure, rules, trace ? undefined : forms.enter)
  if (trace) raw.forEach(forms.enter)
  const formed = openedAhead(forms.formed(), network, collect)
  if (form === 'expanded') requirePrintable(formed.gradients)
  const named: Named = form === 'expanded' ? { ...formed, names: [] } : withNames(formed, raw, branches, structure, network)
  const { gradients, inlined } = named
  const found: Derivation['closed'] =
    form === 'local' ? closedForms(network, structure, gradients, { simplify: inPrint, collect }) : new Map()
  const { closed, names } = withClosedNames(found, named.names, raw, network)
  const { inNames } = namesFrom(names)
  const inside = trace ? pathsInside(structure, raw, (expr) => inNames(inPrint(expr))) : []
  return { network, structure, branches, raw, gradients, closed, inlined, names, form, simplify: tidy, loops: [], steps, inside }
}

/** So many parts of one formula are printed at most: expanded formulas can grow exponentially. */
const mostParts = 20_000

function requirePrintable(gradients: Gradients): void {
  const sizes = new Table<number>()
  for (const { of, total } of gradients.values()) {
    const size = fold<number>([total], (_, args) => args.reduce((sum, n) => sum + n, 1), sizes).get(total)!
    if (size > mostParts) fail('expanded-too-large', { of: of.name, terms: mostParts })
  }
}

/** A skip is written before the branches that it skips; else the order of the equations. */
const skipsFirst = ({ isSkip, kindOf }: Branches): Pick<Rules, 'inReadingOrder' | 'usesInOrder'> => ({
  inReadingOrder: (of, contributions) => first(contributions, ({ consumer }) => isSkip(of, consumer)),
  usesInOrder: (of, consumer, sent) => first(sent, ({ via }) => kindOf(of, consumer, via) === 'skip'),
})

function first<T>(items: readonly T[], isFirst: (item: T) => boolean): readonly T[] {
  let front: T[] = []
  let rest: T[] = []
  for (const item of items) {
    if (isFirst(item)) front = extended(front, item)
    else rest = extended(rest, item)
  }
  return front.length > 0 ? front.concat(rest) : items
}

/** In a step of a loop: what is written into the formulas of this step is written out where it comes from the next one, too. */
function openedAhead(formed: Formed, { step }: Network, collect: (expr: Expr) => Expr): Formed {
  const { gradients, inlined } = formed
  const replacement = new Map<Expr, Expr>()
  for (const [error, value] of step?.ahead ?? []) {
    if (inlined.has(value)) replacement.set(error, step!.shift(gradients.get(value)!.total))
  }
  if (replacement.size === 0) return formed
  const opened = (expr: Expr): Expr => {
    const [result] = substitute([expr], (e) => replacement.get(e))
    return result === expr ? expr : collect(result!)
  }
  const all = new Map([...gradients].map(([value, g]) => [value, g.given ? g : withFormulas(g, opened)]))
  return { gradients: all, inlined, isForest: false }
}

const withFormulas = ({ of, adjoint, contributions, total, given, mentions }: Gradient, change: (expr: Expr) => Expr): Gradient => ({
  of,
  adjoint,
  contributions: contributions.map((c) => withTerms(c, change)),
  total: change(total),
  given,
  mentions,
})

interface Named extends Omit<Formed, 'isForest'> {
  readonly names: readonly Expr[]
}

function withNames(formed: Formed, raw: Gradients, branches: Branches, structure: Structure, network: Network): Named {
  const { gradients, inlined } = formed
  if (formed.isForest) return { gradients, inlined, names: [] }
  const printed = [...gradients.values()].filter((g) => isPrinted(g, inlined))
  const context = (): Context => ({
    taken: printedNames(network),
    isError: errorsAmong(raw),
    known: new Map(printed.filter((g) => g.of.role === 'node' && !branches.recurring.has(g.of)).map((g) => [g.total, g.adjoint])),
    reading: readingOrder(gradients, branches, structure, network),
    definitionOf: definitionsIn(printed, branches),
    step: network.step?.index,
  })
  const formulas = printed.map((g) => g.total)
  const shared = share(formulas, context)
  if (shared === nothingShared) return { gradients, inlined, names: [] }
  const { replace, names } = shared
  const renamed = new Register<Value, Gradient>()
  for (const [value, g] of gradients) {
    const inside = (expr: Expr): Expr => {
      const other = replace(expr)
      return other === g.adjoint ? withArgs(expr, expr.args.map(replace)) : other
    }
    renamed.set(value, g.given ? g : withFormulas(g, inside))
  }
  return openedOnce({ gradients: renamed, inlined, names }, raw, branches)
}

/** Closed forms in the names that there are, and in more for what they alone share. */
function withClosedNames(
  closed: Derivation['closed'],
  names: readonly Expr[],
  raw: Gradients,
  network: Network,
): Pick<Derivation, 'closed' | 'names'> {
  if (closed.size === 0) return { closed, names }
  const { inNames } = namesFrom(names.filter((name) => name.args[0]!.op.letter !== undefined))
  const totals = [...closed.values()].map((form) => inNames(form.total))
  const { replace, names: more } = share(totals, () => ({
    taken: new Set([...printedNames(network), ...names.map((name) => toText(typeset(name)))]),
    isError: errorsAmong(raw),
    known: new Map(),
    reading: totals,
    definitionOf: () => undefined,
    step: network.step?.index,
  }))
  const inAll = [...closed].map(([value, form], i) => [value, { ...form, total: replace(totals[i]!) }] as const)
  return { closed: new Map(inAll), names: [...names, ...more] }
}

/** Whether an expression is the name ∂L/∂v of an error. */
function errorsAmong(raw: Gradients): (expr: Expr) => boolean {
  const adjoints = new Set([...raw.values()].map((g) => g.adjoint))
  return (expr) => adjoints.has(expr)
}

/** The names of a network's own, as they are printed. */
const printedNames = ({ values, functions, scope }: Network): ReadonlySet<string> =>
  new Set([
    ...[...values.values()].map((v) => toText(v.layout)),
    ...[...scope.dims.keys(), ...functions.keys()].map((name) => toText(nameLayout(name))),
  ])

/** What a gradient's name stands for, if no merge, fan-out or node states it: that is written under its first mention. */
function definitionsIn(printed: readonly Gradient[], { merges, fanOuts, told, stated }: Branches): (name: Expr) => Expr | undefined {
  const places = [merges, fanOuts, told, stated]
  const open = new Map(printed.filter((g) => places.every((place) => !place.has(g.of))).map((g) => [g.adjoint, g.total]))
  return (name) => open.get(name)
}

/** A gradient that only the definition of one new name still mentions is written into it. */
function openedOnce({ gradients, inlined, names }: Named, raw: Gradients, branches: Branches): Named {
  const printed = [...gradients.values()].filter((g) => isPrinted(g, inlined))
  const formulas = [...printed.map((g) => g.total), ...names.map((n) => n.args[0]!)]
  const mentions = new Map<Expr, number>()
  for (const formula of formulas) {
    for (const e of inOrder([formula])) if (e.op.atomic) mentions.set(e, (mentions.get(e) ?? 0) + 1)
  }
  const once = printed.filter(
    (g) => g.of.role === 'node' && !branches.anchors.has(g.of) && !branches.stated.has(g.of) && mentions.get(raw.get(g.of)!.adjoint) === 1,
  )
  if (once.length === 0) return { gradients, inlined, names }
  const open = new Map(once.map((g) => [g.adjoint, g.total]))
  const renamed = new Map<Expr, Expr>()
  const rewrite = (expr: Expr): Expr => {
    let result = expr
    for (let next = replace(expr); next !== result; next = replace(next)) result = next
    return result
  }
  const replace = (expr: Expr): Expr => substitute([expr], (e) => renamed.get(e) ?? open.get(e))[0]!
  for (const name of names) renamed.set(name, make(name.op, [rewrite(name.args[0]!)]))
  const result = new Map([...gradients].map(([value, g]) => [value, withFormulas(g, rewrite)]))
  return {
    gradients: result,
    inlined: members(
      [...gradients.keys()].filter((value) => inlined.has(value)),
      once.map((g) => g.of),
    ),
    names: names.map((n) => renamed.get(n)!),
  }
}
