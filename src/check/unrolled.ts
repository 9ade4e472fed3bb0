/** Checks loops whose length is a symbol on loops of real lengths: every formula of a step, every sum and closed form, every claim. */
import type { Derivation, Statement } from '../derive/derive.ts'
import { claimOf, declaredIn } from '../network/claims.ts'
import type { Unrolling, Value } from '../network/network.ts'
import { tolerance as mostError } from './differences.ts'
import { compareFormulas } from './formulas.ts'
import type { Judgement } from './judge.ts'
import { type Case, judgeLengthwise, verdictOver } from './lengthwise.ts'
import { type Trial, type Trials, trialsOf } from './trials.ts'
import { type Reason, type Verification, type Verified, verify } from './verify.ts'

/** Between the formulas and the gradients of the unrolled loop. */
const tolerance = 1e-8

/** What is found out about a derivation with symbolic loops. */
export interface LoopChecks {
  readonly verification: Verification
  readonly judgements: readonly Judgement[]
}

export function checkLoops(derivation: Derivation, unrolling: Unrolling, seed: number): LoopChecks {
  const trials = trialsOf(unrolling)
  const verification = verified(derivation, trials.short, seed)
  const isCompared = (value: Value): boolean => verification.byValue.has(value) && verification.byValue.get(value)?.ok !== false
  const statements = derivation.loops
    .flatMap((loop) => loop.statements)
    .filter(({ of }) => !of.expr.shape.includes(0))
    .map((statement) => ({ statement, ok: statement.claim ? holdsFor(statement, trials, seed) : isCompared(statement.of) }))
  return { verification: { ...verification, statements }, judgements: judgeLengthwise(trials, unrolling.isInModules, seed) }
}

/** A formula about all steps, as a claim about every length. */
function holdsFor({ claim = '', range }: Statement, trials: Trials, seed: number): boolean {
  const text = (written: string) => ({ start: 0, end: 0, text: written, exact: false })
  const at = ({ derivation }: Trial): Case => {
    const declared = declaredIn(derivation.network.scope)
    const entry = {
      form: 'spec' as const,
      text: text(claim),
      negated: false,
      where: [],
      for: range ? text(range) : undefined,
      span: { start: 0, end: 0 },
    }
    return { claim: claimOf(entry, { name: '', text: '' }, declared), derivation }
  }
  return verdictOver(at, trials, seed).kind === 'agrees'
}

/** The values that have a formula, outside of the loops and in their steps. */
const derivedIn = ({ gradients, network, loops }: Derivation): readonly Value[] => [
  ...[...gradients.keys()].filter((v) => v !== network.loss),
  ...loops.flatMap((loop) => loop.shown),
]

/** Every formula, in numbers: one step's in each step, sums over all of them, and those outside the loops. */
function verified(derivation: Derivation, trials: readonly Trial[], seed: number): Verification {
  const worst = new Map<Value, number>()
  const note = (value: Value, error: number): void => {
    worst.set(value, Math.max(worst.get(value) ?? 0, error))
  }
  let draws = 0
  const unchecked = new Map<Value, Reason>()
  const measured = new Set<Value>()
  let standIns: Verification['standIns'] = { maps: [], constants: [], none: [] }
  for (const trial of trials) {
    const { derivation: real } = trial
    const checked = verify(real, seed)
    draws += checked.draws
    standIns = checked.standIns
    const direct = new Map([...checked.byValue].map(([value, v]) => [value.name, { value, error: v?.worst ?? 0 }]))
    const reasons = new Map([...checked.unchecked].map(([value, reason]) => [value.name, reason]))
    const told = new Set<string>()
    compareFormulas(derivation, trial, seed, (value, name, gap) => {
      note(value, Math.max(gap > tolerance ? Math.max(gap, 2 * mostError) : 0, direct.get(name)?.error ?? 0))
      told.add(name)
      const reason = reasons.get(name)
      if (reason) unchecked.set(value, reason)
      else measured.add(value)
    })
    // what no formula speaks of by name, a node inside a call for one, is told if it is wrong
    for (const [name, { value, error }] of direct) if (error > mostError && !told.has(name)) note(value, error)
  }
  for (const value of measured) unchecked.delete(value)
  for (const value of derivedIn(derivation)) if (!worst.has(value)) unchecked.set(value, 'not-met')
  const verified = ([value, error]: readonly [Value, number]): readonly [Value, Verified | null] => [
    value,
    unchecked.has(value) && error <= mostError ? null : { draws, worst: error, ok: error <= mostError, standIns: standIns.maps },
  ]
  return { draws, byValue: new Map([...worst].map(verified)), unchecked, closed: [], lengths: trials.map((t) => t.lengths), standIns }
}
