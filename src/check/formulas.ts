/** Compares the formulas of a derivation with symbolic loops, as they are printed, with the gradients of the loops unrolled. */
import type { Derivation, LoopDerivation } from '../derive/derive.ts'
import { isPartialAtStart } from '../derive/recurrence.ts'
import type { Gradient } from '../derive/reverse.ts'
import { valueInGradient } from '../derive/shift.ts'
import { type Sizes, sizeIn } from '../expr/dim.ts'
import { evaluate, type Point } from '../expr/evaluate.ts'
import type { Expr } from '../expr/expr.ts'
import { inOrder } from '../expr/traverse.ts'
import { nameWith } from '../network/moved.ts'
import type { Scope, Value } from '../network/network.ts'
import { distance, full, largest, type Tensor, zip } from '../tensor/tensor.ts'
import { drawPoint } from './draw.ts'
import type { Trial } from './trials.ts'

/** Of the largest error in a network. */
const relativeRounding = 1e-14

/** Is told of each comparison: the value whose formula it is, its name in the unrolled network, and how far apart they are. */
export type Note = (value: Value, name: string, gap: number) => void

/** Compares at one point. */
export function compareFormulas(derivation: Derivation, { lengths, derivation: real }: Trial, seed: number, note: Note): void {
  const point = drawPoint(real.network, seed, 1, 1)
  const sizes = new Map([...point.sizes, ...lengths])
  const world = worldOf(real, point)
  const seeds = new Map<Expr, Tensor>()
  for (const loop of derivation.loops) {
    for (const [value, { sent, isAll }] of compareSteps(loop, sizes, world, note)) {
      const name = nameWith(value.name, sizes)
      if (isAll) note(value, name, gapBetween(sent, name, world))
      // what several send is a sum with a summand for each
      const arriving = derivation.network.seeds.get(value.expr)?.find(({ by }) => by.name === loop.loop.name)
      if (arriving) seeds.set(arriving.error, sent)
    }
  }
  compareOutside(derivation, seeds, sizes, world, note)
}

/** Values and errors of the unrolled network, by name. */
interface World extends Pick<Scope, 'values'> {
  tensorOf(name: string): Tensor | undefined
  errorOf(name: string): Tensor | undefined
  /** Errors that cancel leave so much. */
  readonly rounding: number
}

function worldOf({ raw, network: { scope } }: Derivation, point: Point): World {
  const adjoints = new Map([...raw.values()].map((g) => [g.of.expr, g.adjoint]))
  const known = evaluate([...scope.values.values(), ...adjoints.values()], point)
  const numbersOf = (expr: Expr | undefined): Tensor | undefined => expr && known.get(expr)
  const tensorOf = (name: string): Tensor | undefined => numbersOf(scope.values.get(name))
  // an error that never arrives is zero
  const errorOf = (name: string): Tensor | undefined => {
    const value = tensorOf(name)
    return value && (numbersOf(adjoints.get(scope.values.get(name)!)) ?? full(value.shape, 0))
  }
  const most = [...adjoints.values()].reduce((size, e) => Math.max(size, largest(known.get(e)!)), 0)
  return { values: scope.values, tensorOf, errorOf, rounding: most * relativeRounding }
}

/** What a loop sends to a value outside; all that the value receives, or a part. */
interface Sent {
  readonly sent: Tensor
  readonly isAll: boolean
}

/** Compares the formulas of a loop in each step, and gives what the steps send to values outside. */
function compareSteps(loop: LoopDerivation, sizes: Sizes, world: World, note: Note): ReadonlyMap<Value, Sent> {
  const { index, from, to } = loop.loop
  const [start, end] = [sizeIn(from, sizes), sizeIn(to, sizes)]
  const outside = new Map<Value, Sent>()
  const send = (to: Value, term: Tensor, isAll: boolean): void => {
    const before = outside.get(to)?.sent
    outside.set(to, { sent: before ? zip(before, term, (a, b) => a + b) : term, isAll })
  }
  for (let at = start; at < end; at++) {
    const here = new Map([...sizes, [index, at]])
    const [isFirst, isLast] = [at === start, at === end - 1]
    const step = stepAt(loop, here, world)
    for (const value of loop.shown.filter((v) => !hasOtherForm(v, loop, isFirst, isLast))) {
      const name = nameWith(value.name, here)
      if (world.values.has(name)) note(value, name, gapBetween(step(loop.derivation.gradients.get(value)!.total), name, world))
    }
    for (const { of, term, isAll } of loop.shared) send(of, step(term), isAll)
    for (const { of, term, besides, isAll } of loop.firsts) {
      if (isFirst) send(of, step(term), isAll)
      if (besides) send(of, step(besides), isAll)
    }
    for (const { of, last, term, isAll } of isLast ? loop.ends : []) {
      const name = nameWith(of.name, here)
      if (last) send(last, step(term), isAll)
      else note(of, name, gapBetween(step(term), name, world))
    }
  }
  return outside
}

/** Where the formula of a step does not hold: in the last one nothing comes from the next, and of the start of a recursion other uses may be known. */
function hasOtherForm(value: Value, { derivation, firsts }: LoopDerivation, isFirst: boolean, isLast: boolean): boolean {
  return (isLast && derivation.branches.recurring.has(value)) || (isFirst && isPartialAtStart(value, firsts))
}

/** Evaluates formulas of one step, with the values and errors that the unrolled network has there. */
function stepAt({ derivation }: LoopDerivation, sizes: Sizes, world: World): (formula: Expr) => Tensor {
  const values = new Map<Expr, Tensor>()
  const set = (expr: Expr, name: string, of: (name: string) => Tensor | undefined): void => {
    const known = of(nameWith(name, sizes))
    if (known) values.set(expr, known)
  }
  const { network, raw, structure } = derivation
  for (const v of network.values.values()) if (v !== network.loss) set(v.expr, v.name, world.tensorOf)
  for (const g of raw.values()) if (g.of !== network.loss) set(g.adjoint, g.of.name, world.errorOf)
  for (const [expr, seeds] of network.seeds) for (const { error } of seeds) set(error, structure.valueAt.get(expr)!.name, world.errorOf)
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

/** Compares the formulas outside of the loops, in terms of what the loops send. */
function compareOutside(derivation: Derivation, seeds: ReadonlyMap<Expr, Tensor>, sizes: Sizes, world: World, note: Note): void {
  const { network, gradients, raw, loops } = derivation
  const values = new Map(seeds)
  for (const v of network.values.values()) {
    const tensor = world.tensorOf(nameWith(v.name, sizes))
    if (tensor && v !== network.loss) values.set(v.expr, tensor)
  }
  for (const { loop } of loops) for (const { sum } of loop.summands) values.set(sum, full([], 0))
  const isKnown = (g: Gradient): boolean =>
    inOrder([g.total], (e) => (values.has(e) ? [] : e.args)).every((e) => !e.op.fresh || values.has(e))
  // what one loop sends alone has been compared with what its steps send
  const isTold = (g: Gradient): boolean => g.given && network.seeds.has(g.of.expr)
  const asked = [...gradients.values()].filter((g) => g.of !== network.loss && raw.has(g.of) && !isTold(g) && isKnown(g))
  for (const { of, total } of asked) {
    const name = nameWith(of.name, sizes)
    note(of, name, gapBetween(evaluate([total], { sizes, values }).get(total)!, name, world))
  }
}

/** The largest difference, relative to the largest entry; none where rounding explains it. An error that never arrives is zero. */
function gapBetween(found: Tensor, name: string, { errorOf, rounding }: World): number {
  const expected = errorOf(name) ?? full(found.shape, 0)
  const apart = distance(found, expected)
  return apart <= rounding ? 0 : apart / Math.max(largest(found), largest(expected))
}
