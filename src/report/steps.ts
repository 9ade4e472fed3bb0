/** Writes how the gradients came about: the chain rule through each equation, the sums where uses meet, and the laws of algebra. */
import type { Derivation, LoopDerivation } from '../derive/derive.ts'
import { namesFrom } from '../derive/naming.ts'
import { rangeLayout } from '../derive/recurrence.ts'
import { type Gradient, isSeed } from '../derive/reverse.ts'
import type { Expr } from '../expr/expr.ts'
import { inOrder } from '../expr/traverse.ts'
import { typeset, typesetBare, typesetTerm } from '../expr/typeset.ts'
import { derivative } from '../layout/layout.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
import { closedRemark } from './lines.ts'
import { sumLine } from './loops.ts'
import type { Paint } from './paint.ts'
import { reasonOf, reasonsOf } from './reasons.ts'
import { length } from './text.ts'

interface Row {
  readonly formula: string
  readonly because: string
  readonly shows: readonly Expr[]
}

/** The steps, from the loss back, and those of loops whose length is a symbol; with `at`, those that lead to the given values. */
export function stepsText(derivation: Derivation, at: readonly Value[] | undefined, paint: Paint): string {
  const loops = [...derivation.loops].reverse().flatMap((whole) => {
    const { loop, derivation: step } = whole
    const asked = at?.flatMap((value) => inStep(value, whole))
    const lines = stepsOf(step, asked, paint, whole)
    const title = toText(rangeLayout(loop.index, loop.from, loop.to))
    return lines.length > 0 ? [`${paint.accent('steps')} of the loop ${title}`, ...lines] : []
  })
  const outside = stepsOf(derivation, at, paint)
  const own = outside.length > 0 ? [paint.accent('steps'), ...outside] : []
  return own.length + loops.length > 0 ? [...own, ...loops, '', ''].join('\n') : ''
}

/** The value of a step whose gradient tells that of a value outside: the same one, or the one that a recursion begins or ends with. */
const inStep = (value: Value, { derivation, firsts, ends }: LoopDerivation): Value[] => [
  ...(derivation.raw.has(value) ? [value] : []),
  ...firsts.flatMap((first) => (first.of === value ? [first.incoming] : [])),
  ...ends.flatMap((end) => (end.last === value ? [end.of] : [])),
]

/** Chain rule, fan-outs and algebra of one derivation; in a loop every step sends its part to what all of them use. */
function stepsOf(derivation: Derivation, at: readonly Value[] | undefined, paint: Paint, loop?: LoopDerivation): string[] {
  const { network, raw, steps } = derivation
  const { inNames, mentioned } = namesFrom(derivation.names)
  const text = (expr: Expr): string => toText(typeset(expr))
  const row = (left: string, sign: '=' | '⟵', right: Expr, because: string): Row => {
    const shown = inNames(right)
    return { formula: `${left} ${sign} ${toText((sign === '=' ? typeset : typesetTerm)(shown))}`, because, shows: [shown] }
  }
  const symbolOf = (value: Value): string => toText(derivative(network.loss.layout, value.layout))
  const asked = at === undefined ? [...raw.values()] : leadingTo(at, raw)
  const gradients = asked.filter((g) => g.of !== network.loss && !g.given)
  const shared = (loop?.shared ?? []).filter((s) => gradients.some((g) => g.of === s.of))
  const isWhole = (g: Gradient): boolean => g.contributions.length === 1 && !shared.some((s) => s.of === g.of)
  const through = throughOnce(derivation, text)
  const chain = gradients.flatMap((g) =>
    g.contributions
      .filter((c) => !isSeed(g.of, c, network))
      .map(({ consumer, term }) => row(symbolOf(g.of), isWhole(g) ? '=' : '⟵', term, through(consumer))),
  )
  const sums = gradients
    .filter(
      (g) => g.contributions.length > 1 && !shared.some((s) => s.of === g.of) && !g.contributions.some((c) => isSeed(g.of, c, network)),
    )
    .map((g) => row(symbolOf(g.of), '=', g.total, `the contributions of ${g.contributions.length} uses add up`))
  const overSteps = shared
    .map((s) => sumLine(s, loop!))
    .map(({ left, right }) => ({
      formula: `${toText(left)} = ${toText(right)}`,
      because: 'the contributions of all steps add up',
      shows: [],
    }))
  const algebra = steps.flatMap(({ law, before, after }) => {
    const shows = [inNames(before), inNames(after)]
    // where values are repeated is no matter of algebra on paper
    const [from, to] = shows.map((expr) => toText(typesetBare(expr)))
    return from === to ? [] : [{ formula: `${from} → ${to}`, because: law, shows }]
  })
  const closed = gradients.flatMap(({ of }) => {
    const form = derivation.closed.get(of)
    return form ? [row(symbolOf(of), '=', form.total, `${closedRemark(form)}: ${form.op.why}`)] : []
  })
  const shown = [...chain, ...sums, ...closed, ...algebra].flatMap((r) => r.shows)
  const parts = [
    ['chain rule', chain],
    ['fan-outs', [...sums, ...overSteps]],
    ['closed forms', closed],
    ['where', mentioned(shown).map((name) => row(text(name), '=', name.args[0]!, ''))],
    ['algebra', algebra],
  ] as const
  return parts.filter(([, rows]) => rows.length > 0).flatMap(([title, rows]) => [`  ${paint.strong(title)}`, ...rowsText(rows, paint)])
}

/** The equation that an error comes through, the first time with what that does to it. */
function throughOnce({ structure }: Derivation, text: (expr: Expr) => string): (consumer: Value) => string {
  const told = new Set<Value>()
  return (consumer) => {
    const [definition] = consumer.expr.args
    const equation = `through ${toText(consumer.layout)} = ${text(definition!)}`
    const isNew = !told.has(consumer)
    told.add(consumer)
    return isNew ? `${equation}: ${reasonsOf(consumer, structure) || reasonOf(definition!)}` : equation
  }
}

function rowsText(rows: readonly Row[], paint: Paint): string[] {
  const width = Math.min(
    44,
    rows.reduce((most, r) => Math.max(most, length(r.formula)), 0),
  )
  const line = ({ formula, because }: Row): string =>
    because === '' ? formula : `${formula}${' '.repeat(Math.max(0, width - length(formula)))}   ${paint.faint(because)}`
  return [...new Set(rows.map((row) => `    ${line(row)}`))]
}

/** The gradients that those of the given values are made of. */
function leadingTo(values: readonly Value[], raw: ReadonlyMap<Value, Gradient>): Gradient[] {
  const byAdjoint = new Map([...raw.values()].map((g) => [g.adjoint, g]))
  const needed = new Set<Gradient>()
  const todo = values.flatMap((v) => raw.get(v) ?? [])
  while (todo.length > 0) {
    const g = todo.pop()!
    if (needed.has(g)) continue
    needed.add(g)
    for (const { term } of g.contributions) {
      for (const name of inOrder([term])) {
        const below = byAdjoint.get(name)
        if (below) todo.push(below)
      }
    }
  }
  return [...raw.values()].filter((g) => needed.has(g))
}
