/** What the commands do: read, call the pipeline, write. */

import type { Derivation } from '../derive/derive.ts'
import { type Diagnostic, diagnostic, Failure, fail, nearest, type Source } from '../diagnostic.ts'
import type { Value } from '../network/network.ts'
import { compareWith, defaults, derive, evaluateWith, type Options, type Result } from '../pipeline.ts'
import { agrees } from '../report/comparison.ts'
import { faultText } from '../report/faults.ts'
import { type CheckedFile, checkJson, derivationJson } from '../report/json.ts'
import { latexOf } from '../report/latex.ts'
import { markdownOf } from '../report/markdown.ts'
import { evaluationText, unfinished } from '../report/numbers.ts'
import { reportOf } from '../report/report.ts'
import { stepsText } from '../report/steps.ts'
import { summaryOf, summaryText } from '../report/summary.ts'
import { textOf } from '../report/text.ts'
import { unreached } from '../report/unreached.ts'
import { failingClaims, verdictsOf } from '../report/verdicts.ts'
import { Exit } from './exit.ts'
import { readSource, requireOther, writeWhole } from './files.ts'
import type { CheckFlags, DeriveFlags, EvalFlags } from './flags.ts'
import { paintFor } from './paint.ts'
import { type Progress, progressOn } from './progress.ts'

export const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`

/** `backproof derive`: prints (or writes) the derivation; 1 if a gradient or claim does not hold. */
export async function deriveCommand(path: string, flags: DeriveFlags): Promise<number> {
  let source: Source | undefined
  let progress: Progress | undefined
  try {
    source = readSource(path)
    if (flags.output !== undefined) requireOther(flags.output, path)
    progress = progressOn(process.stderr, source.text.length)
    const result = await derive(source, optionsOf(flags), progress.tell)
    progress.tell('writing')
    const text = await rendered(result, source, flags)
    progress.wipe()
    if (flags.output !== undefined) writeWhole(flags.output, text)
    else process.stdout.write(text)
    if (flags.format !== 'text' || flags.output) await warn(result, source, flags)
    return holds(result) ? Exit.ok : Exit.fails
  } catch (error) {
    progress?.wipe()
    return showFaults(error, source)
  }
}

const optionsOf = (flags: DeriveFlags): Options => ({
  sizes: flags.set,
  form: flags.form,
  derivatives: flags.derivatives,
  trace: flags.steps ?? false,
  verify: flags.verify,
  seed: flags.seed,
})

/** What does not hold, where the output itself does not say it. */
async function warn(result: Result, source: Source, flags: DeriveFlags): Promise<void> {
  const failing = summaryOf(result).filter((s) => s.kind === 'fails')
  if (failing.length === 0) return
  const claims = failingClaims(result, source, flags.seed, await paintFor(process.stderr))
  process.stderr.write(claims + failing.map((s) => `✗ ${s.text}\n`).join(''))
}

async function rendered(result: Result, source: Source, flags: DeriveFlags): Promise<string> {
  const { derivation } = result
  const at = flags.at?.map((name) => valueNamed(name, derivation, unreached(derivation)))
  if (flags.format === 'json') return json(derivationJson(result, at))
  const report = reportOf(derivation, at)
  if (flags.format === 'latex') return latexOf(report)
  if (flags.format === 'markdown')
    return markdownOf(
      report,
      summaryOf(result).map((s) => s.text),
    )
  const paint = await paintFor(flags.output ? undefined : process.stdout)
  const steps = flags.steps ? stepsText(derivation, at, paint) : ''
  return `${textOf(report, paint)}${steps}${failingClaims(result, source, flags.seed, paint)}${summaryText(result, paint)}\n`
}

/** A value whose gradient is derived, outside of loops or in a step of one: `z[l]`; or one of `more`. */
export function valueNamed(name: string, { network, gradients, loops }: Derivation, more: readonly Value[] = []): Value {
  const inLoops = loops.flatMap(({ shown, derivation }) => shown.filter((v) => derivation.gradients.has(v)))
  const known = [...gradients.keys(), ...more, ...inLoops].filter((v) => v !== network.loss)
  const value = known.find((v) => v.name === name)
  if (value) return value
  if (network.values.get(name)?.role === 'constant') fail('not-differentiated', { name })
  const names = known.map((v) => v.name)
  const near = nearest(name, names)
  throw new Failure([diagnostic('no-such-node', { name, ...(near ? { near } : {}), known: names.join(', ') })])
}

/** Whether all that was checked holds. */
function holds({ verification, judgements, comparison }: Result): boolean {
  const gradients = [...(verification?.byValue.values() ?? [])]
  const statements = verification?.statements ?? []
  const checks = [...gradients.filter((g) => g !== null), ...(verification?.closed ?? []), ...statements, ...(judgements ?? [])]
  return checks.every((check) => check.ok) && (!comparison || agrees(comparison))
}

/** `backproof check`: the verdicts of every file; 2 if one can't be read, else 1 if something fails. */
export async function checkCommand(paths: readonly string[], flags: CheckFlags): Promise<number> {
  const paint = await paintFor(process.stdout)
  const files: CheckedFile[] = []
  for (const path of paths) {
    const file = await checked(path, paths, flags)
    files.push(file)
    if (flags.reporter === 'json') continue
    if (file.result) process.stdout.write(`${verdictsOf(file.result, file.source, flags.seed, paint)}\n`)
    else await writeFaults(file.errors, file.erring ?? file.source)
  }
  const isOk = ({ result, errors }: CheckedFile): boolean => errors.length === 0 && result !== undefined && holds(result)
  if (flags.reporter === 'json') process.stdout.write(json(checkJson(files, isOk)))
  if (files.some((f) => f.errors.length > 0)) return Exit.input
  return files.every(isOk) ? Exit.ok : Exit.fails
}

async function checked(path: string, paths: readonly string[], flags: CheckFlags): Promise<CheckedFile> {
  let source: Source = { name: path, text: '' }
  let progress: Progress | undefined
  try {
    requireDumpOptions(paths, flags)
    source = readSource(path)
    const options: Options = { ...defaults, sizes: flags.set, seed: flags.seed }
    const dump = flags.values === undefined ? undefined : readSource(flags.values)
    progress = progressOn(process.stderr, source.text.length)
    const result = dump ? await compareWith(source, dump, options, flags.tolerance) : await derive(source, options, progress.tell)
    return { source, result, errors: [] }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { source, result: undefined, errors: error.diagnostics, erring: error.source }
  } finally {
    progress?.wipe()
  }
}

/** `backproof eval`: numbers in, loss and gradients out; 1 if one of them is not finite. */
export async function evalCommand(path: string, flags: EvalFlags): Promise<number> {
  let source: Source | undefined
  try {
    requireOneStandardInput([path], flags.values)
    source = readSource(path)
    const { derivation, evaluation } = await evaluateWith(source, readSource(flags.values), flags.set)
    process.stdout.write(evaluationText(evaluation))
    for (const remark of evaluation.remarks) process.stderr.write(`– ${remark}\n`)
    const strange = unfinished(evaluation, derivation)
    if (strange.length === 0) return Exit.ok
    process.stderr.write(`✗ not finite here: ${strange.join(', ')}\n`)
    return Exit.fails
  } catch (error) {
    return showFaults(error, source)
  }
}

/** A dump is one network's. */
function requireDumpOptions(paths: readonly string[], { values, tolerance }: CheckFlags): void {
  if (values === undefined && tolerance !== undefined)
    fail('bad-option', { option: '--tolerance', expected: 'given together with --values', found: 'alone' })
  if (values !== undefined && paths.length > 1) fail('one-spec', { given: paths.length })
  requireOneStandardInput(paths, values)
}

/** What is read from the standard input is read once. */
function requireOneStandardInput(paths: readonly string[], values: string | undefined): void {
  if ([...paths, values].filter((path) => path === '-').length > 1) fail('one-input', {})
}

export async function showFaults(error: unknown, source: Source | undefined): Promise<number> {
  if (!(error instanceof Failure)) throw error
  await writeFaults(error.diagnostics, error.source ?? source)
  return Exit.input
}

async function writeFaults(faults: readonly Diagnostic[], source: Source | undefined): Promise<void> {
  const paint = await paintFor(process.stderr)
  process.stderr.write(`${faults.map((fault) => faultText(fault, source, paint)).join('\n\n')}\n`)
}
