/** Small mistakes made on purpose in a formula: a derivative left out, a factor, a term, a transpose, a way of the error. */
import type { Derivation } from '../derive/derive.ts'
import type { Gradient } from '../derive/reverse.ts'
import { type Expr, make } from '../expr/expr.ts'
import { sameShape } from '../expr/shape.ts'
import { argsOf, inOrder, substitute } from '../expr/traverse.ts'
import { typesetBare } from '../expr/typeset.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
import { add, multiply } from '../ops/arithmetic.ts'
import { fill, numberOf } from '../ops/leaves.ts'
import { transpose } from '../ops/movement.ts'
import { mistakes as words } from '../words.ts'
import type { DiagnosisKind } from './kinds.ts'

export interface Change {
  readonly changed: Expr
  readonly kind: DiagnosisKind
  readonly message: string
}

/** All formulas that one kind of mistake makes of a part of the gradient by a value. */
type Rule = (part: Expr, by: Value, derivation: Derivation) => readonly Change[]

/** As it prints inside a formula: without the repetitions that broadcasts stand for. */
export const text = (expr: Expr): string => toText(typesetBare(expr))

export const nameOf = (value: Value): string => toText(value.layout)

export const wayText = ({ kind, path }: { readonly kind: string; readonly path: readonly Value[] }): string =>
  `the ${kind} ${path.map(nameOf).join(' → ')}`

const isSquare = ({ shape }: Expr): boolean => shape.length === 2 && sameShape([shape[0]!], [shape[1]!])

/** So many places of one kind are tried. */
const most = 24

/** A formula is opened down to the nodes of the network: gradients are a part of it, the forward pass is not. */
const below =
  ({ structure }: Derivation): ((e: Expr) => readonly Expr[]) =>
  (e) =>
    structure.valueAt.has(e) ? [] : e.args

const placesIn = (part: Expr, derivation: Derivation): Expr[] => inOrder([part], below(derivation))

const replaced = (part: Expr, from: Expr, to: Expr, derivation: Derivation): Expr => allReplaced(part, new Map([[from, to]]), derivation)

const allReplaced = (part: Expr, others: ReadonlyMap<Expr, Expr>, derivation: Derivation): Expr =>
  substitute([part], (e) => others.get(e), below(derivation))[0]!

/** The derivatives f′(a) of the forward pass in a formula. */
function masksIn(part: Expr, derivation: Derivation): Expr[] {
  const slopes = new Set(inOrder([derivation.network.loss.expr], argsOf).flatMap((e) => e.op.slope?.(e.args, e.attrs) ?? []))
  return placesIn(part, derivation)
    .filter((e) => slopes.has(e))
    .slice(-most)
}

/** One derivative f′(a) left out. */
const masks: Rule = (part, _, derivation) =>
  masksIn(part, derivation).map((mask) => ({
    changed: replaced(part, mask, fill(1, mask.shape), derivation),
    kind: 'mask',
    message: words.mask({ mask: text(mask) }),
  }))

/** One derivative f′(a) taken at another value: at h = f(a), say. */
const points: Rule = (part, _, derivation) => {
  const places = [...derivation.network.values.values()].filter((v) => v.expr.shape.length > 0).slice(-most)
  return masksIn(part, derivation).flatMap((mask) =>
    places
      .filter(({ expr }) => expr !== mask.args[0] && sameShape(expr.shape, mask.shape))
      .map(({ expr }): Change => {
        const moved = make(mask.op, [expr, ...mask.args.slice(1)], mask.attrs)
        const message = words.point({ wrong: text(moved), right: text(mask) })
        return { changed: replaced(part, mask, moved, derivation), kind: 'point', message }
      }),
  )
}

/** One matrix taken as it is, where its transpose belongs. */
const matrices: Rule = (part, _, derivation) =>
  placesIn(part, derivation)
    .filter((e) => e.op === transpose && isSquare(e))
    .slice(-most)
    .map((turned) => ({
      changed: replaced(part, turned, turned.args[0]!, derivation),
      kind: 'transpose',
      message: words['not-transposed']({ matrix: text(turned.args[0]!) }),
    }))

/** One factor left out. */
const factors: Rule = (part, _, derivation) =>
  placesIn(part, derivation)
    .filter((e) => e.op === multiply && e.args.length > 1)
    .slice(-most)
    .flatMap((product) =>
      product.args.flatMap((factor, i): Change[] => {
        if (numberOf(factor) !== undefined) return []
        const others = multiply(product.args.toSpliced(i, 1))
        const message = words['factor-left-out']({ factor: text(factor) })
        return [{ changed: replaced(part, product, others, derivation), kind: 'factor', message }]
      }),
    )

/** One term of a sum inside left out. */
const terms: Rule = (part, _, derivation) =>
  placesIn(part, derivation)
    .filter((e) => e.op === add && e.args.length > 1)
    .slice(-most)
    .flatMap((sum) =>
      sum.args.map((term, i): Change => {
        const others = add(sum.args.toSpliced(i, 1))
        return {
          changed: replaced(part, sum, others, derivation),
          kind: 'missing-term',
          message: words['term-left-out']({ term: text(term) }),
        }
      }),
    )

/** A contribution that is missing further down: the error of another value lacks it. */
const ways: Rule = (part, by, derivation) =>
  between(part, by, derivation).flatMap(({ of, adjoint, contributions }) =>
    contributions.length < 2
      ? []
      : contributions.map((left): Change => {
          const others = add(contributions.filter((c) => c !== left).map((c) => c.term))
          const way = wayText(derivation.branches.route(of, left.consumer))
          const message = words['missing-upstream']({ term: text(left.term), of: nameOf(of), way })
          return { changed: replaced(part, adjoint, others, derivation), kind: 'missing-term', message }
        }),
  )

/** A node on the way was taken for a constant. */
const constants: Rule = (part, by, derivation) => between(part, by, derivation).map((g) => frozen(part, by, [g], derivation))

/** Nodes of another shape, a mean or a variance, were taken for constants: one of them, or two. */
const statistics: Rule = (part, by, derivation) => {
  const found = between(part, by, derivation)
    .filter(({ of }) => !sameShape(of.expr.shape, by.expr.shape))
    .slice(-fewest)
  return alonesAndPairs(found.reverse()).map((gradients) => frozen(part, by, gradients, derivation))
}

/** Each by itself, then every two together. */
export const alonesAndPairs = <T>(items: readonly T[]): T[][] => [
  ...items.map((a) => [a]),
  ...items.flatMap((a, i) => items.slice(i + 1).map((b) => [a, b])),
]

const fewest = 8

const frozen = (part: Expr, by: Value, gradients: readonly Gradient[], derivation: Derivation): Change => ({
  changed: allReplaced(part, new Map(gradients.map(({ of, adjoint }) => [adjoint, fill(0, of.expr.shape)])), derivation),
  kind: 'constant',
  message: words.constant({ names: gradients.map((g) => nameOf(g.of)), on: nameOf(by) }),
})

/** The gradients that a formula is made of. */
function between(part: Expr, by: Value, { raw }: Derivation): Gradient[] {
  const used = new Set(inOrder([part], argsOf))
  return [...raw.values()].filter((g) => g.of !== by && !g.given && g.adjoint.op.atomic && used.has(g.adjoint)).slice(-most)
}

/** Rules by how much they say: a missing way says more than a missing term. */
export const changesByRule: readonly Rule[] = [masks, points, matrices, statistics, ways, constants, factors, terms]
