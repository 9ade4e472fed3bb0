/** What is wrong with a refuted claim: the simplest mistake that explains the difference. */
import type { Derivation } from '../derive/derive.ts'
import { evaluate } from '../expr/evaluate.ts'
import type { Expr } from '../expr/expr.ts'
import type { Value } from '../network/network.ts'
import { termsOf } from '../rewrite/terms.ts'
import { mistakes as words } from '../words.ts'
import { text } from './changes.ts'
import { withStrangers } from './draw.ts'
import { combination, type Evidence, isSame, near, ratios, type Sample } from './evidence.ts'
import { type Diagnosis, factorDiagnosis, numberText } from './kinds.ts'
import { firstOf, ofAPart, ofTheWhole } from './mistakes.ts'
import { type Manner, manners, pointOf } from './points.ts'

interface Difference {
  readonly left: Expr
  readonly right: Expr
  readonly subject: Value | undefined
  /** The point where they were found to differ. */
  readonly place: number
}

const draws = 5
/** Both sides are computed in float64. */
const tolerance = 1e-7

/** Finds the simplest mistake that explains the difference; `mended` tries small changes of what is written. */
export function diagnose(
  { left, right, subject, place }: Difference,
  derivation: Derivation,
  seed: number,
  mended: () => Diagnosis | undefined,
): Diagnosis {
  const gradient = subject && derivation.raw.get(subject)
  const claimed = evidenceOf(right, left, place, derivation, seed)
  const found =
    (gradient && firstOf(ofTheWhole, gradient, derivation, claimed)) ??
    byFactor(left, claimed) ??
    mended() ??
    (gradient && firstOf(ofAPart, gradient, derivation, claimed)) ??
    byExtraTerms(left, right, place, derivation, seed)
  return { ...(found ?? { kind: 'other', message: words.unexplained({}) }), subject }
}

/** The values of one side at a few points, where the forward pass is known; the sides differ at one of them, at least. */
function evidenceOf(claimed: Expr, other: Expr, place: number, derivation: Derivation, seed: number): Evidence {
  const sampleAt = (k: number, manner: Manner): Sample & { readonly differs: boolean } => {
    const { point: known } = pointOf(derivation, seed, k, manner, false)
    const point = withStrangers([claimed, other], known, seed + k)
    const values = evaluate([claimed, other], point)
    return { point, claimed: values.get(claimed)!, differs: !isSame(values.get(claimed)!, values.get(other)!, tolerance) }
  }
  const usual = Array.from({ length: draws }, (_, k) => sampleAt(100 + k, manners[0]!))
  return { samples: usual.some((s) => s.differs) ? usual : [...usual, sampleAt(place, manners[place]!)], tolerance }
}

/** One factor between the sides of any claim. */
function byFactor(left: Expr, evidence: Evidence): Diagnosis | undefined {
  const found = ratios(left, evidence)
  return found && factorDiagnosis(found, evidence, false)
}

/** A term of the claimed side that, left out, makes it right. */
function byExtraTerms(left: Expr, right: Expr, place: number, derivation: Derivation, seed: number): Diagnosis | undefined {
  const terms = termsOf(right)
  if (terms.length < 2 || terms.length > 12) return undefined
  const coefficients = combination(terms, evidenceOf(left, right, place, derivation, seed))
  if (!coefficients) return undefined
  const wrong = terms.map((term, i) => ({ term, coefficient: coefficients[i]! })).filter(({ coefficient }) => !near(coefficient, 1))
  const messages = wrong.map(({ term, coefficient }) =>
    near(coefficient, 0)
      ? words.extra({ term: text(term) })
      : words['factor-of-term']({ factor: numberText(1 / coefficient), term: text(term), way: '' }),
  )
  if (messages.length === 0) return undefined
  const kind = near(wrong[0]!.coefficient, 0) ? 'extra-term' : near(wrong[0]!.coefficient, -1) ? 'sign' : 'factor'
  return { kind, message: messages[0]!, details: messages.slice(1) }
}
