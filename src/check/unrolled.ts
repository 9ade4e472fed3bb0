/** Checks loops whose length is a symbol on loops of real lengths: every formula of a step, every sum and closed form, every claim. */
import type { Derivation, LoopDerivation, Statement } from '../derive/derive.ts'
import type { Gradient } from '../derive/reverse.ts'
import { valueInGradient } from '../derive/shift.ts'
import { type Sizes, sizeIn } from '../expr/dim.ts'
import { evaluate, type Point } from '../expr/evaluate.ts'
import { type Expr, inOrder } from '../expr/expr.ts'
import { claimOf, declaredIn } from '../network/claims.ts'
import { nameWith } from '../network/moved.ts'
import type { Scope, Unrolling, Value } from '../network/network.ts'
import { distance, full, largest, type Tensor, zip } from '../tensor/tensor.ts'
import { tolerance as mostError } from './differences.ts'
import { drawPoint } from './draw.ts'
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
  const isCompared = (value: Value): boolean => verification.byValue.get(value)?.ok ?? true
  const statements = derivation.loops
    .flatMap((loop) => loop.statements)
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
    compareAt(derivation, trial, seed, (value, name, gap) => {
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
  const verified = ([value, error]: readonly [Value, number]): readonly [Value, Verified | null] => [
    value,
    unchecked.has(value) && error <= mostError ? null : { draws, worst: error, ok: error <= mostError, standIns: standIns.maps },
  ]
  return { draws, byValue: new Map([...worst].map(verified)), unchecked, closed: [], lengths: trials.map((t) => t.lengths), standIns }
}

type Note = (value: Value, name: string, gap: number) => void

function compareAt(derivation: Derivation, { lengths, derivation: real }: Trial, seed: number, note: Note): void {
  const point = drawPoint(real.network, seed, 1, 1)
  const sizes = new Map([...point.sizes, ...lengths])
  const adjoints = new Map([...real.raw.values()].map((g) => [g.of.expr, g.adjoint]))
  const known = evaluate([...real.network.scope.values.values(), ...adjoints.values()], point)
  const scope = real.network.scope
  const numbersOf = (expr: Expr | undefined): Tensor | undefined => expr && known.get(expr)
  const tensorOf = (name: string): Tensor | undefined => numbersOf(scope.values.get(name))
  // an error that never arrives is zero
  const errorOf = (name: string): Tensor | undefined => {
    const value = tensorOf(name)
    return value && (numbersOf(adjoints.get(scope.values.get(name)!)) ?? full(value.shape, 0))
  }
  const world: World = { values: scope.values, tensorOf, errorOf }

  const fromLoops = new Map<Value, Tensor>()
  for (const loop of derivation.loops) {
    const { index, from, to } = loop.loop
    const [start, end] = [sizeIn(from, sizes), sizeIn(to, sizes)]
    for (let at = start; at < end; at++) {
      const here = new Map([...sizes, [index, at]])
      const isLast = at === end - 1
      const step = stepAt(loop, here, at - start, world)
      for (const value of loop.shown.filter((v) => !hasOtherForm(v, loop, at === start, isLast))) {
        const name = nameIn(value.name, here, at - start, scope)
        if (scope.values.has(name)) note(value, name, gapBetween(step(loop.derivation.gradients.get(value)!.total), errorOf(name)))
      }
      for (const { of, term } of loop.shared) addTo(fromLoops, of, step(term))
      for (const { of, term, besides } of loop.firsts) {
        if (at === start) addTo(fromLoops, of, step(term))
        if (besides) addTo(fromLoops, of, step(besides))
      }
      for (const { of, last, term } of isLast ? loop.ends : []) {
        const name = nameIn(of.name, here, at - start, scope)
        if (last) addTo(fromLoops, last, step(term))
        else note(of, name, gapBetween(step(term), errorOf(name)))
      }
    }
  }
  compareOutside(derivation, fromLoops, sizes, world, note)
}

interface World extends Pick<Scope, 'values'> {
  tensorOf(name: string): Tensor | undefined
  errorOf(name: string): Tensor | undefined
}

/** Where the formula of a step does not hold: in the last one nothing comes from the next, and of the start of a recursion other uses may be known. */
function hasOtherForm(value: Value, { derivation, firsts }: LoopDerivation, isFirst: boolean, isLast: boolean): boolean {
  const isPartial = firsts.some((first) => first.incoming === value && (!first.isAll || first.besides))
  return (isLast && derivation.branches.recurring.has(value)) || (isFirst && isPartial)
}

/** Evaluates formulas of one step, with the values and errors that the unrolled network has there. */
function stepAt({ derivation }: LoopDerivation, sizes: Sizes, step: number, world: World): (formula: Expr) => Tensor {
  const values = new Map<Expr, Tensor>()
  const set = (expr: Expr, name: string, of: (name: string) => Tensor | undefined): void => {
    const known = of(nameIn(name, sizes, step, world))
    if (known) values.set(expr, known)
  }
  for (const v of derivation.network.values.values()) if (v !== derivation.network.loss) set(v.expr, v.name, world.tensorOf)
  for (const g of derivation.raw.values()) if (g.of !== derivation.network.loss) set(g.adjoint, g.of.name, world.errorOf)
  for (const [expr, seed] of derivation.network.seeds) set(seed, derivation.structure.valueAt.get(expr)!.name, world.errorOf)
  return (formula) => {
    const leaves = inOrder([formula], (e) => (values.has(e) ? [] : e.args)).filter((e) => e.op.fresh && !values.has(e))
    for (const leaf of leaves) {
      const of = valueInGradient(leaf.op.name)
      if (of === undefined) set(leaf, leaf.op.name, world.tensorOf)
      else set(leaf, of, world.errorOf)
    }
    return evaluate([formula], { sizes, values } satisfies Point).get(formula)!
  }
}

function compareOutside(derivation: Derivation, fromLoops: ReadonlyMap<Value, Tensor>, sizes: Sizes, world: World, note: Note): void {
  const { network, gradients, raw } = derivation
  const values = new Map<Expr, Tensor>()
  for (const v of network.values.values()) {
    const tensor = world.tensorOf(nameWith(v.name, sizes))
    if (tensor && v !== network.loss) values.set(v.expr, tensor)
  }
  for (const { loop } of derivation.loops) for (const { sum } of loop.summands) values.set(sum, full([], 0))
  for (const [expr, seed] of network.seeds) {
    const tensor = fromLoops.get(derivation.structure.valueAt.get(expr)!)
    if (tensor) values.set(seed, tensor)
  }
  const isKnown = (g: Gradient): boolean =>
    inOrder([g.total], (e) => (values.has(e) ? [] : e.args)).every((e) => !e.op.fresh || values.has(e))
  const asked = [...gradients.values()].filter((g) => g.of !== network.loss && raw.has(g.of) && isKnown(g))
  for (const { of, total } of asked) {
    const name = nameWith(of.name, sizes)
    note(of, name, gapBetween(evaluate([total], { sizes, values }).get(total)!, world.errorOf(name)))
  }
}

function addTo(sums: Map<Value, Tensor>, value: Value, term: Tensor): void {
  const before = sums.get(value)
  sums.set(value, before ? zip(before, term, (a, b) => a + b) : term)
}

/** The largest difference, relative to the largest entry; an error that never arrives is zero. */
function gapBetween(found: Tensor, arrived: Tensor | undefined): number {
  const expected = arrived ?? full(found.shape, 0)
  const size = Math.max(largest(found), largest(expected))
  return size === 0 ? 0 : distance(found, expected) / size
}

/** The name in the unrolled network; a node inside the only call of an instance in a step is told apart by the number of the call. */
function nameIn(name: string, sizes: Sizes, step: number, { values }: Pick<Scope, 'values'>): string {
  const found = nameWith(name, sizes)
  const inCall = /^(.+)\.([^.[\]]+)\[[^\]]*\]$/.exec(found)
  if (values.has(found) || !inCall) return found
  const call = step + 1 + (/\+1\]$/.test(name) ? 1 : 0)
  return call === 1 ? `${inCall[1]}.${inCall[2]}` : `${inCall[1]}.call[${call}].${inCall[2]}`
}
