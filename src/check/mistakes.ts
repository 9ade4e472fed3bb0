/** The mistakes that people make in a gradient: each is made on purpose in the derived one, and compared with what was claimed. */
import type { Derivation } from '../derive/derive.ts'
import type { Gradient } from '../derive/reverse.ts'
import { evaluate } from '../expr/evaluate.ts'
import type { Expr } from '../expr/expr.ts'
import { sameShape } from '../expr/shape.ts'
import { derivative } from '../layout/layout.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
import { add } from '../ops/arithmetic.ts'
import { termsOf } from '../rewrite/terms.ts'
import { largest, permute, type Tensor, tensor } from '../tensor/tensor.ts'
import { mistakes as words } from '../words.ts'
import { changesByRule, nameOf, text, wayText } from './changes.ts'
import { combination, type Evidence, explains, isSame, near, ratios, simpleCombination } from './evidence.ts'
import { byFrozenPart } from './frozen.ts'
import { byJacobian } from './jacobians.ts'
import { type Diagnosis, factorDiagnosis, isSimple, numberText } from './kinds.ts'

/** Looks for the simplest mistake in a gradient that explains what was claimed. */
export type Attempt = (gradient: Gradient, derivation: Derivation, evidence: Evidence, anyNumber?: boolean) => Diagnosis | undefined

export const gradientName = (of: Value, { network }: Derivation): string => toText(derivative(network.loss.layout, of.layout))

/** A term of the derived gradient with the way it came. */
interface Candidate {
  readonly term: Expr
  readonly text: string
  readonly kind: 'skip' | 'branch'
  readonly path: readonly Value[]
}

/** The claim as a combination of the terms of the derived gradient: a term with coefficient 0 is missing, with −1 has the wrong sign. */
export const byTerms: Attempt = (gradient, derivation, evidence, anyNumber = evidence.samples.length > 1) => {
  const candidates = candidatesOf(gradient, derivation)
  if (candidates.length > 12) return undefined
  const terms = candidates.map((c) => c.term)
  const coefficients = combination(terms, evidence) ?? simpleCombination(terms, evidence)
  if (!coefficients || coefficients.every((c) => near(c, 1, slack(evidence)))) return undefined
  const isNear = (a: number, b: number): boolean => near(a, b, slack(evidence))
  const [first] = coefficients
  if (coefficients.every((c) => isNear(c, first!)) && !isNear(first!, 0)) return undefined
  const wrong = candidates.map((c, i) => ({ ...c, coefficient: coefficients[i]! })).filter((c) => !isNear(c.coefficient, 1))
  if (!anyNumber && !wrong.every((c) => isNear(c.coefficient, 0) || isSimple(c.coefficient))) return undefined
  const messages = wrong.map((c) => termMessage(c, c.coefficient, isNear))
  const kind = isNear(wrong[0]!.coefficient, 0) ? 'missing-term' : isNear(wrong[0]!.coefficient, -1) ? 'sign' : 'factor'
  return { kind, message: messages[0]!, details: messages.slice(1) }
}

/** How far coefficients may be from the numbers that they are taken for. */
const slack = ({ tolerance }: Evidence): number => 10 * tolerance

function candidatesOf({ of, contributions }: Gradient, derivation: Derivation): Candidate[] {
  const printed = derivation.gradients.get(of)!.contributions
  return contributions.flatMap((c): Candidate[] => {
    const shown = printed.find((p) => p.consumer === c.consumer)!
    const whole = { ...derivation.branches.route(of, c.consumer), term: c.term, shown: shown.term }
    const parts = c.parts?.map(({ term, via }, i) => {
      return { ...whole, term, shown: shown.parts?.[i]?.term ?? shown.term, kind: derivation.branches.kindOf(of, c.consumer, via) }
    })
    return (parts ?? [whole]).flatMap(({ term, shown, path, kind }) => {
      const [terms, texts] = [termsOf(term), termsOf(shown)]
      // of a sum it is not known which term came by the skip
      const way = { path, kind: terms.length > 1 ? 'branch' : kind }
      return terms.map((t, i) => ({ term: t, text: text(texts.length === terms.length ? texts[i]! : shown), ...way }))
    })
  })
}

function termMessage(candidate: Candidate, coefficient: number, isNear: (a: number, b: number) => boolean): string {
  const { text: term, kind, path } = candidate
  const way = wayText(candidate)
  if (isNear(coefficient, 0)) {
    const why = kind === 'skip' ? words['skip-is-summand']({ from: nameOf(path[0]!), to: nameOf(path[1]!) }) : words['uses-add-up']({})
    return words.missing({ term, way, why })
  }
  if (isNear(coefficient, -1)) return words['sign-of-term']({ term, way })
  return isNear(coefficient, 2) ? words.twice({ term, way }) : words['factor-of-term']({ factor: numberText(coefficient), term, way })
}

/** One factor between the sides: the same everywhere, or one that follows a size. */
export const byFactor: Attempt = (gradient, derivation, evidence, anyNumber = evidence.samples.length > 1) => {
  const found = ratios(gradient.total, evidence)
  if (!found || !(anyNumber || found.every(isSimple))) return undefined
  const isMerged = [gradient, ...gradient.contributions.map((c) => derivation.raw.get(c.consumer))].some(
    (g) => g && derivation.branches.merges.has(g.of),
  )
  return factorDiagnosis(found, evidence, isMerged)
}

/** Nothing at all, where something should be. */
const byZero: Attempt = (_, __, { samples }) =>
  samples.every(({ claimed }) => largest(claimed) === 0) ? { kind: 'missing-term', message: words.zero({}) } : undefined

const byTransposition: Attempt = ({ total }, _, { samples, tolerance }) => {
  const isTurned = samples.every(({ point, claimed }) => {
    const value = evaluate([total], point).get(total)!
    return value.shape.length === 2 && isSame(permute(value, [1, 0]), claimed, tolerance)
  })
  return isTurned ? { kind: 'transpose', message: words.transposed({}) } : undefined
}

/** One entry of the batch where the error of all is summed. */
const bySample: Attempt = ({ total, contributions }, derivation, evidence) => {
  for (const { consumer } of contributions) {
    const adjoint = derivation.raw.get(consumer)?.adjoint
    if (!adjoint || adjoint.shape.length < 2) continue
    for (const last of [true, false]) {
      const isOne = evidence.samples.every(({ point, claimed }) => {
        const g = evaluate([adjoint], point).get(adjoint)!
        const only = oneEntry(g, last ? g.shape[0]! - 1 : 0)
        return isSame(
          evaluate([total], { ...point, values: new Map(point.values).set(adjoint, only) }).get(total)!,
          claimed,
          evidence.tolerance,
        )
      })
      if (!isOne) continue
      return {
        kind: 'unsummed',
        message: words['one-sample']({ which: last ? 'last' : 'first', axis: '0', of: gradientName(consumer, derivation) }),
      }
    }
  }
  return undefined
}

/** Zeros but for one entry of the first axis. */
function oneEntry({ shape, data }: Tensor, index: number): Tensor {
  const size = data.length / shape[0]!
  return tensor(
    shape,
    data.map((x, i) => (Math.floor(i / size) === index ? x : 0)),
  )
}

/** A multiple of the value itself. */
const byDecay: Attempt = ({ of, total }, _, evidence) => {
  const [one, factor] = combination([total, of.expr], evidence) ?? []
  if (one === undefined || !near(one, 1, slack(evidence)) || near(factor!, 0, slack(evidence))) return undefined
  return { kind: 'extra-term', message: words.decay({ factor: numberText(factor!), name: nameOf(of) }) }
}

/** So many other gradients are tried. */
const most = 24

/** The gradient by something else, under the wrong name. */
const byName: Attempt = ({ of, total }, derivation, evidence) => {
  const others = [...derivation.raw.values()].filter((g) => g.of !== of && g.total !== total && sameShape(g.of.expr.shape, of.expr.shape))
  const found = others.slice(-most).find((g) => explains(g.total, evidence))
  return found && { kind: 'other', message: words['of-another']({ gradient: gradientName(found.of, derivation) }) }
}

/** Changes of the whole, or of one contribution while the others stay. */
const byChange: Attempt = (gradient, derivation, evidence) => {
  const { total, contributions } = gradient
  const parts = contributions.length > 1 ? contributions.map((c) => c.term) : []
  const versions = [
    { part: total, whole: (changed: Expr): Expr => changed },
    ...parts.map((part, i) => ({ part, whole: (changed: Expr): Expr => add(parts.with(i, changed)) })),
  ]
  const most = Math.max(fewestTries, Math.floor(mostWork / derivation.network.values.size))
  for (const rule of changesByRule) {
    let tries = 0
    for (const { part, whole } of versions) {
      if (tries >= most) break
      for (const { changed, kind, message } of rule(part, gradient.of, derivation).slice(0, most - tries)) {
        tries++
        if (explains(whole(changed), evidence)) return { kind, message }
      }
    }
  }
  return undefined
}

/** So many changes of one kind are tried, and in a large network, where each costs more, so many for all its values together. */
const fewestTries = 24
const mostWork = 5000

/** What explains a gradient as a whole; then what explains a part of it. */
export const ofTheWhole: readonly Attempt[] = [byFrozenPart, byTerms, byFactor]
export const ofAPart: readonly Attempt[] = [byTransposition, bySample, byChange, byJacobian, byDecay, byName]

/** Any number will do as a factor. */
const roughly =
  (attempt: Attempt): Attempt =>
  (gradient, derivation, evidence) =>
    attempt(gradient, derivation, evidence, true)

/** For gradients of which nothing is known but their numbers at one point. */
const inNumbers: readonly Attempt[] = [byZero, byTerms, byFactor, byFrozenPart, ...ofAPart, roughly(byTerms), roughly(byFactor)]

/** What is wrong with the numbers that somebody has for the gradient by a value. */
export function mistakeIn(of: Value, derivation: Derivation, evidence: Evidence): Diagnosis | undefined {
  const gradient = derivation.raw.get(of)
  if (!gradient) return { kind: 'extra-term', message: words.unused({ name: nameOf(of) }) }
  return firstOf(inNumbers, gradient, derivation, evidence)
}

/** The first attempt that explains the claim. */
export function firstOf(
  attempts: readonly Attempt[],
  gradient: Gradient,
  derivation: Derivation,
  evidence: Evidence,
): Diagnosis | undefined {
  for (const attempt of attempts) {
    const found = attempt(gradient, derivation, evidence)
    if (found) return found
  }
  return undefined
}
