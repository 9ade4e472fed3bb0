/** The whole way from a spec to a derivation with its verdicts, on one page. Pure: no files, no terminal, no clock. */
import type { Comparison, Evaluated } from './check/comparison.ts'
import type { Judgement, judge } from './check/judge.ts'
import type { Verification } from './check/verify.ts'
import { type Derivation, deriveGradients } from './derive/derive.ts'
import type { Derivatives, Form } from './derive/forms.ts'
import { deriveNetwork } from './derive/loops.ts'
import { inSource, type Source } from './diagnostic.ts'
import type { Document } from './network/document.ts'
import { readDocument } from './network/document.ts'
import { readDump } from './network/dump.ts'
import { elaborate } from './network/elaborate.ts'
import { evenly, unrolledFor } from './network/lengths.ts'
import { mentions } from './network/names.ts'
import type { Lengths, Network } from './network/network.ts'
import type { Differentiate } from './network/pointwise.ts'
import { depthsOf } from './network/symbolic.ts'

export interface Options {
  /** Sizes for symbols of the spec, over and above its own `dims`. */
  readonly sizes: ReadonlyMap<string, number>
  readonly form: Form
  readonly derivatives: Derivatives
  /** Keeps each application of a law. */
  readonly trace: boolean
  /** Compares gradients with central differences, and judges claims. */
  readonly verify: boolean
  readonly seed: number
}

export const defaults: Options = { sizes: new Map(), form: 'local', derivatives: 'symbol', trace: false, verify: true, seed: 1 }

export interface Result {
  readonly derivation: Derivation
  /** Null where it was not asked for. */
  readonly verification: Verification | null
  readonly judgements: readonly Judgement[] | null
  /** With a dump. */
  readonly comparison?: Comparison | undefined
}

/** Reads a spec. Throws a Failure with all its faults. */
export async function readNetwork(source: Source, sizes: Options['sizes']): Promise<Network> {
  const document = await readDocument(source)
  const calculus = await calculusFor(document)
  const depths = depthsOf(document, new Set([...document.dims.map((d) => d.name.text), ...sizes.keys()]))
  if (depths.length === 0) return elaborate(document, source, sizes, calculus)
  const to = (lengths: Lengths): Network => elaborate(document, source, new Map([...sizes, ...lengths]), calculus, { depths })
  const sample = to(evenly(depths, 3))
  const isInModules = document.modules.some(({ span }) => depths.some((name) => mentions(source.text.slice(span.start, span.end), name)))
  return { ...elaborate(document, source, sizes, calculus, { depths, sample }), unrolling: { depths, isInModules, to } }
}

/** What checks is loaded when something is to be checked. */
const checks = () => import('./check/checks.ts')

/** Derives, and checks nothing. */
export const deriveOnly = async (source: Source, sizes: Options['sizes']): Promise<Derivation> =>
  deriveNetwork(await readNetwork(source, sizes), defaults)

/** What is being done; who wants to know is told as each stage begins. */
export type Stage = 'reading' | 'deriving' | 'verifying' | 'judging claims' | 'writing'
export type Tell = (stage: Stage) => void

/** Derives, verifies and judges. Throws a Failure with all faults of the spec. */
export async function derive(source: Source, options: Options = defaults, tell: Tell = () => {}): Promise<Result> {
  tell('reading')
  const network = await readNetwork(source, options.sizes)
  tell('deriving')
  const derivation = deriveNetwork(network, options)
  if (!options.verify) return { derivation, verification: null, judgements: null }
  tell('verifying')
  const { checkLoops, judge, verify } = await checks()
  if (network.unrolling) return { derivation, ...checkLoops(derivation, network.unrolling, options.seed) }
  const verification = verify(derivation, options.seed)
  tell('judging claims')
  return { derivation, verification, judgements: judgementsOf(network, derivation, options, judge) }
}

/** The verdicts on a network's claims, and on those of the modules in it. */
const judgementsOf = (
  { claims, modules }: Network,
  derivation: Derivation,
  options: Options,
  judged: typeof judge,
): readonly Judgement[] => [
  ...claims.map((claim) => judged(claim, derivation, options.seed)),
  ...modules.flatMap((module) =>
    judgementsOf(module, deriveGradients(module, options), options, judged).map((j) => ({ ...j, about: module.title })),
  ),
]

/** Derives, verifies and judges, and compares the gradients of a dump with the derived ones. */
export async function compareWith(source: Source, dump: Source, options: Options = defaults, tolerance?: number): Promise<Result> {
  const { compareDump } = await checks()
  const result = await derive(source, options)
  const exact = await evaluateWith(source, dump, options.sizes)
  const { sizes } = exact.evaluation.given.point
  const concrete = await evaluateWith(source, dump, new Map([...options.sizes, ...sizes]))
  return { ...result, comparison: compareDump(exact, concrete, dump, tolerance) }
}

/** Derives, and evaluates everything with the arrays of a dump. Throws a Failure with all faults of one of the two texts. */
export async function evaluateWith(source: Source, values: Source, sizes: Options['sizes'] = new Map()): Promise<Evaluated> {
  const network = await readNetwork(source, sizes)
  const { evaluateNetwork } = await checks()
  const dump = inSource(values, () => readDump(values))
  const derivation = deriveGradients(unrolledFor(network, dump), defaults)
  return { derivation, evaluation: evaluateNetwork(derivation, dump, values) }
}

/** mathjs is loaded for specs that write out a pointwise function, and for no other. */
async function calculusFor({ functions }: Document): Promise<Differentiate> {
  const isNeeded = functions.some(({ body }) => 'text' in body && !body.text.startsWith('opaque'))
  if (isNeeded) return (await import('./network/calculus.ts')).differentiate
  return () => {
    throw new Error('no pointwise function was declared')
  }
}
