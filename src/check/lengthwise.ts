/** Claims about loops whose length is a symbol are held against loops of several lengths. */
import { type Derivation, deriveGradients } from '../derive/derive.ts'
import { Failure } from '../diagnostic.ts'
import { lengthsText } from '../network/lengths.ts'
import { partsOf } from '../network/names.ts'
import type { Claim } from '../network/network.ts'
import { undecided } from '../words.ts'
import { type Judgement, judge, type Verdict, verdictInNumbers } from './judge.ts'
import type { Trial, Trials } from './trials.ts'

/** What a claim is held against in one trial. */
export interface Case {
  readonly claim: Claim
  readonly derivation: Derivation
}

/** Fewer lengths tell little. */
const fewest = 3
/** A larger number in a claim is not taken for the number of a step. */
const mostSteps = 100

/** The verdicts on the claims of a spec and on those of its modules, which may speak of lengths, too. */
export function judgeLengthwise(trials: Trials, isInModules: boolean, seed: number): readonly Judgement[] {
  const { claims } = trials.short.at(-1)!.derivation.network
  const own = claims.map((claim, i) => {
    const at = ({ derivation }: Trial): Case => ({ claim: derivation.network.claims[i]!, derivation })
    return judgement(claim, verdictOver(at, trials, seed))
  })
  const modules = new Map(trials.short.flatMap((trial) => [...modulesOf(trial)]))
  const inModules = [...modules].flatMap(([title, derivation]) =>
    derivation.network.claims.map((claim, i): Judgement => {
      if (!isInModules) return { ...judge(claim, derivation, seed), about: title }
      const at = (trial: Trial): Case | undefined => {
        const here = modulesOf(trial).get(title)
        return here && { claim: here.network.claims[i]!, derivation: here }
      }
      return { ...judgement(claim, verdictOver(at, trials, seed)), about: title }
    }),
  )
  return [...own, ...inModules]
}

const judgement = (claim: Claim, verdict: Verdict): Judgement => ({
  claim,
  verdict,
  ok: verdict.kind === (claim.negated ? 'refuted' : 'agrees'),
})

const derived = new WeakMap<Trial, ReadonlyMap<string, Derivation>>()

/** The modules with claims in a trial, by their titles. */
function modulesOf(trial: Trial): ReadonlyMap<string, Derivation> {
  const { network, form } = trial.derivation
  const known = derived.get(trial)
  const all = known ?? new Map(network.modules.map((m) => [m.title!, deriveGradients(m, { form, derivatives: 'symbol', trace: false })]))
  derived.set(trial, all)
  return all
}

/** What one trial says of a claim. */
interface Finding {
  readonly verdict: Verdict
  /** The claim speaks of a step that these loops do not have. */
  readonly isMissing: boolean
  /** The loops are longer than any step that the claim may name by number. */
  readonly isBeyond: boolean
}

/**
 * One verdict for all lengths. What a claim says of the steps that it names by number need not hold for others, and short
 * loops need not have them: loops become longer until they go beyond. There the claim must have a meaning, too.
 */
export function verdictOver(at: (trial: Trial) => Case | undefined, trials: Trials, seed: number): Verdict {
  const found: Finding[] = []
  const agreeing: (Verdict & { kind: 'agrees' })[] = []
  const isEnough = (): boolean => agreeing.length >= fewest && found.some((f) => f.isBeyond && f.verdict.kind === 'agrees')
  for (const trial of trialsUntil(isEnough, trials)) {
    const here = at(trial)
    if (!here) continue
    const finding = findingAt(trial, here, seed)
    const { verdict } = finding
    if (verdict.kind === 'refuted') return { ...verdict, at: new Map([...trial.lengths, ...verdict.at]) }
    found.push(finding)
    if (verdict.kind === 'agrees') agreeing.push({ ...verdict, lengths: [trial.lengths] })
  }
  const lacking = found.find((f) => f.isMissing && f.isBeyond)
  const lengths = agreeing.flatMap((v) => v.lengths ?? [])
  const points = agreeing.reduce((sum, v) => sum + v.points, 0)
  if (lacking) return lacking.verdict
  if (isEnough()) return { kind: 'agrees', points, worst: Math.max(...agreeing.map((v) => v.worst)), lengths }
  if (lengths.length > 0) return { kind: 'undecided', because: undecided['few-lengths']({ lengths: lengthsText(lengths) }) }
  return found[0]?.verdict ?? { kind: 'undecided', because: undecided.nothing({}) }
}

/** Short loops, and longer ones until it is enough. */
function* trialsUntil(isEnough: () => boolean, { short, longer }: Trials): Generator<Trial> {
  yield* short
  for (const trials of longer()) {
    if (isEnough()) return
    yield* trials
  }
}

function findingAt({ lengths }: Trial, { claim, derivation }: Case, seed: number): Finding {
  const isBeyond = Math.min(...lengths.values()) > reachOf(claim)
  try {
    return { verdict: verdictInNumbers(claim, derivation, seed), isMissing: false, isBeyond }
  } catch (error) {
    const missing = error instanceof Failure ? error.diagnostics.find((d) => d.code === 'no-member') : undefined
    if (!missing) throw error
    const because = undecided.missing({ what: missing.message, lengths: lengthsText([lengths]) })
    return { verdict: { kind: 'undecided', because }, isMissing: true, isBeyond }
  }
}

/** The numbers in a claim, added up: as far as it may speak of single steps. */
function reachOf({ equation, loop, where }: Claim): number {
  const asts = [...equation.targets, equation.value, ...where.map((w) => w.value), loop?.from, loop?.to, loop?.step]
  const numbers = asts.flatMap((ast) => (ast ? partsOf(ast) : [])).map((part) => (part.kind === 'number' ? Math.ceil(part.value) : 0))
  return Math.min(
    mostSteps,
    numbers.filter((n) => n <= mostSteps).reduce((sum, n) => sum + n, 0),
  )
}
