/** Writes how the gradients came about: the chain rule through each equation, the sums where uses meet, and the laws of algebra. */
import type { Derivation } from '../derive/derive.ts'
import type { Gradient } from '../derive/reverse.ts'
import { type Expr, inOrder, visibleArgs } from '../expr/expr.ts'
import { type TypesetMemo, typeset, typesetTerm } from '../expr/typeset.ts'
import { derivative } from '../layout/layout.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
import type { Paint } from './paint.ts'
import { reasonOf } from './reasons.ts'

interface Row {
  readonly formula: string
  readonly because: string
}

/** The steps, from the loss back; with `at`, those that lead to the given values. */
export function stepsText(derivation: Derivation, at: readonly Value[] | undefined, paint: Paint): string {
  const { network, raw, steps } = derivation
  const memo: TypesetMemo = new Map()
  const text = (expr: Expr): string => toText(typeset(expr, memo))
  const symbolOf = (value: Value): string => toText(derivative(network.loss.layout, value.layout))
  const shown = at === undefined ? [...raw.values()] : leadingTo(at, raw)
  const gradients = shown.filter((g) => g.of !== network.loss && !g.given)
  const chain = gradients.flatMap((g) =>
    g.contributions.map(({ consumer, term }) => ({
      formula:
        g.contributions.length === 1 ? `${symbolOf(g.of)} = ${text(term)}` : `${symbolOf(g.of)} ⟵ ${toText(typesetTerm(term, memo))}`,
      because: `through ${toText(consumer.layout)} = ${text(consumer.expr.args[0]!)}: ${reasonOf(consumer.expr.args[0]!)}`,
    })),
  )
  const sums = gradients
    .filter((g) => g.contributions.length > 1)
    .map((g) => ({
      formula: `${symbolOf(g.of)} = ${text(g.total)}`,
      because: `the contributions of ${g.contributions.length} uses add up`,
    }))
  const algebra = steps.flatMap(({ law, before, after }) => {
    const [from, to] = [text(before), text(after)]
    return from === to ? [] : [{ formula: `${from} → ${to}`, because: law }]
  })
  const parts = [
    ['chain rule', chain],
    ['fan-outs', sums],
    ['algebra', algebra],
  ] as const
  const written = parts
    .filter(([, rows]) => rows.length > 0)
    .flatMap(([title, rows]) => [`  ${paint.strong(title)}`, ...rowsText(rows, paint)])
  return [paint.accent('steps'), ...written, ''].join('\n')
}

function rowsText(rows: readonly Row[], paint: Paint): string[] {
  const width = Math.min(
    44,
    rows.reduce((most, r) => Math.max(most, r.formula.length), 0),
  )
  return [...new Set(rows.map(({ formula, because }) => `    ${formula.padEnd(width)}   ${paint.faint(because)}`))]
}

/** The gradients that those of the given values are made of. */
function leadingTo(values: readonly Value[], raw: ReadonlyMap<Value, Gradient>): Gradient[] {
  const byAdjoint = new Map([...raw.values()].map((g) => [g.adjoint, g]))
  const needed = new Set<Gradient>()
  const todo = values.map((v) => raw.get(v)!)
  while (todo.length > 0) {
    const g = todo.pop()!
    if (needed.has(g)) continue
    needed.add(g)
    for (const { term } of g.contributions) {
      for (const name of inOrder([term], visibleArgs)) {
        const below = byAdjoint.get(name)
        if (below) todo.push(below)
      }
    }
  }
  return [...raw.values()].filter((g) => needed.has(g))
}
