/** From a document to a network: names get their meaning, expressions their shapes, and every fault is gathered. */

import { collecting, type Diagnostic, Failure, type Source, type Span } from '../diagnostic.ts'
import { type Dim, sizeSymbol } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { shapeText } from '../expr/shape.ts'
import { variable } from '../ops/leaves.ts'
import { claimOf, declaredIn, faultyNames } from './claims.ts'
import type { ClaimEntry, Document } from './document.ts'
import { type Draft, layoutOf, type ModuleCall } from './draft.ts'
import { expressionOf } from './expression.ts'
import { type Calls, define, type Frame, namedValue, newFrame } from './frame.ts'
import { declareFunctions } from './functions.ts'
import { defineLoss, defineOpaqueLoss, isOpaqueLoss, lossEquation } from './loss.ts'
import { applyInstance, declareModules } from './modules.ts'
import type { Network } from './network.ts'
import type { Differentiate } from './pointwise.ts'
import { callsIn, run, stepsOf } from './program.ts'
import { refusalOf } from './settable.ts'
import { apart, keeperOf } from './symbolic.ts'
import { parseExpression } from './syntax.ts'
import { declareVariables } from './variables.ts'

/** The symbols that lengths are made of: they are kept, where the same network with numbers for them is known; else the numbers stand for them. */
export interface Symbolic {
  readonly depths: readonly string[]
  readonly sample?: Network | undefined
}

/**
 * The network that a document describes. `sizes` fixes symbols over and above the document's own `dims`;
 * `differentiate` is asked for the derivatives of written-out pointwise functions.
 * With a sample in `symbolic` some loops keep a symbol for their length; without it every length is a number.
 * Throws one Failure with every fault of the document.
 */
export function elaborate(
  document: Document,
  source: Source,
  sizes: ReadonlyMap<string, number>,
  differentiate: Differentiate,
  symbolic?: Symbolic,
): Network {
  const draft: Draft = {
    text: source.text,
    faults: [],
    dims: new Map<string, Dim>(document.dims.map(({ name, value }) => [name.text, value])),
    values: new Map(),
    exprs: new Map(),
    families: new Map(),
    functions: new Map(),
    modules: new Map(),
    moduleCalls: new Map(),
    fixed: new Map(),
    notation: new Map(document.notation.map(({ name, latex }) => [name.text, latex.text])),
    printed: new Map(),
    differentiate,
    isSymbolic: symbolic !== undefined,
    trial: symbolic && !symbolic.sample ? new Map(symbolic.depths.map((name) => [name, sizes.get(name)!])) : undefined,
    isOneFamily:
      [document, ...document.modules].flatMap(({ params }) => params).filter((p) => p.module && p.name.text.includes('[')).length <= 1,
  }
  for (const [name, size] of sizes) {
    const refusal = refusalOf(name, document)
    if (refusal) draft.faults.push(refusal)
    else draft.dims.set(name, size)
  }
  const sample = symbolic?.sample
  for (const name of sample ? symbolic.depths : []) draft.dims.set(name, sizeSymbol(name))
  const keeper = sample && keeperOf(document, draft, sample)
  declareModules(document.modules, draft)
  const broken = new Set<string>()
  const steps = stepsOf(document.layers, draft, broken)
  const loss = collecting(draft.faults, () => lossEquation(document.loss))
  const calls: Calls = document.functions.length === 0 ? new Map() : callsIn(steps, loss ? [loss.value] : [])
  const { exprs: values, families, dims } = draft
  const hooks = keeper && {
    keep: keeper.keep,
    reach: (family: string, at: Dim, span: Span): void => keeper.reach(family, at, span, frame),
    sumOver: keeper.sumOver,
  }
  const frame: Frame = newFrame({
    draft,
    prefix: '',
    modules: [],
    given: new Map(),
    calls,
    call: applyInstance,
    dims,
    values,
    families,
    ...hooks,
  })
  for (const name of broken) frame.broken.add(name)
  const { scope } = frame

  declareVariables(document, frame)
  declareFunctions(document.functions, frame, [calls, ...[...draft.modules.values()].map((m) => callsIn(m.steps))])
  run(steps, frame)
  const lossIsOpaque = loss !== undefined && isOpaqueLoss(loss.value, draft)
  if (loss) collecting(draft.faults, () => defineLoss(loss, lossIsOpaque, frame))
  if (loss && !draft.values.has(loss.name)) frame.broken.add(loss.name)
  const assumptions = document.assume.flatMap((text) => collecting(draft.faults, () => expressionOf(parseExpression(text), scope)) ?? [])
  const network = finished(frame, loss?.name ?? '', lossIsOpaque, sample ? [] : document.claims, source)
  const modules = loss && !sample ? [...draft.moduleCalls.values()].map((call) => isolated(call, loss.name, frame, source)) : []
  if (draft.faults.length > 0) throw new Failure(inPlace(draft.faults))
  return {
    ...network,
    title: document.name?.text,
    about: document.about?.text,
    modules,
    assumptions,
    ...apart(draft, keeper?.loops ?? []),
  }
}

/** The network that a frame has become, with the claims about it. */
function finished(frame: Frame, lossName: string, lossIsOpaque: boolean, entries: readonly ClaimEntry[], source: Source): Network {
  const { draft, scope } = frame
  const declared = declaredIn(scope)
  const claims = entries.flatMap((entry) => {
    const claim = collecting(draft.faults, () => claimOf(entry, source, declared))
    if (claim) draft.faults.push(...faultyNames(claim, scope))
    return claim ? [claim] : []
  })
  return {
    title: undefined,
    about: undefined,
    values: draft.values,
    loss: draft.values.get(lossName)!,
    lossIsOpaque,
    functions: draft.functions,
    claims,
    modules: [],
    loops: [],
    seeds: new Map(),
    assumptions: [],
    fixed: draft.fixed,
    sizes: [...draft.dims].flatMap(([name, dim]) => (typeof dim === 'number' ? [] : [name])),
    layoutOf: (name) => layoutOf(name, draft),
    scope: { ...scope, nameCall: undefined, apply: undefined, isInstance: undefined, trial: undefined },
  }
}

/** One call of a module as a network of its own: its arguments are inputs, and of the loss only what the module returns is known. */
function isolated({ module, args, sizes }: ModuleCall, lossName: string, outer: Frame, source: Source): Network {
  const values = new Map<string, Expr>()
  const families = new Map<string, Set<string>>()
  const dims = new Map([...outer.dims, ...sizes])
  const draft: Draft = { ...outer.draft, dims, values: new Map(), exprs: values, families, moduleCalls: new Map() }
  const calls = callsIn(module.steps)
  const frame = newFrame({ draft, prefix: '', modules: [module], given: new Map(), calls, call: outer.call, dims, values, families })
  const { head, params, constants, claims } = module.definition
  for (const [i, { name }] of module.params.entries()) {
    const layout = layoutOf(name, draft)
    define(name, namedValue({ name, layout, span: head }, 'input', variable(name, args[i]!.shape, layout)), frame)
  }
  declareVariables({ inputs: [], params, constants }, frame)
  run(module.steps, frame)
  defineOpaqueLoss(lossName, module.returns, head, frame)
  return { ...finished(frame, lossName, true, claims, source), title: `${module.name}(${args.map((a) => shapeText(a.shape)).join(', ')})` }
}

/** In the order of their places; what every step of a loop repeats is said once. */
function inPlace(faults: readonly Diagnostic[]): Diagnostic[] {
  const once = new Map(faults.map((fault) => [`${fault.span?.start} ${fault.message}`, fault]))
  return [...once.values()].sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0))
}
