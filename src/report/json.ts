/** Writes results as JSON, in the versioned schemas that `docs/json.md` describes. */
import type { Judgement } from '../check/judge.ts'
import type { Reason, Verification, Verified } from '../check/verify.ts'
import type { Derivation, LoopDerivation, Statement } from '../derive/derive.ts'
import type { Gradient } from '../derive/reverse.ts'
import type { Diagnostic, Source } from '../diagnostic.ts'
import type { Dim } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { dimText } from '../expr/shape.ts'
import { typeset } from '../expr/typeset.ts'
import { toLatex } from '../layout/latex.ts'
import type { Layout } from '../layout/layout.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
import type { Result } from '../pipeline.ts'
import { comparedJson } from './comparison.ts'
import { derivedLines } from './derived.ts'
import { placeOf } from './faults.ts'
import { pathSections } from './inside.ts'
import { type Section, writerOf } from './lines.ts'
import { receivedFrom } from './loops.ts'
import { printedValues } from './summary.ts'
import { unreached, zeroLine } from './unreached.ts'

export const deriveSchema = 'backproof/derive/1'
export const checkSchema = 'backproof/check/1'

const both = (layout: Layout): { text: string; latex: string } => ({ text: toText(layout), latex: toLatex(layout) })
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)

/** A derivation; `at` asks for some values only. */
export function derivationJson(result: Result, at: readonly Value[] | undefined): object {
  const { derivation, verification } = result
  const { network, loops } = derivation
  return {
    schema: deriveSchema,
    name: network.title ?? null,
    loss: { name: network.loss.name, ...both(writerOf(derivation).loss) },
    ...partsJson(derivation, verification, at),
    loops: loops.map((loop) => loopJson(loop, verification, at)),
    claims: result.judgements?.map((j) => claimSummaryJson(j)) ?? null,
    sizes: network.sizes,
  }
}

/** One step of a loop whose length is a symbol, and what follows for all of them. */
function loopJson(whole: LoopDerivation, verification: Verification | null, at: readonly Value[] | undefined): object {
  const { loop, derivation, shared, statements } = whole
  const heldOf = (statement: Statement): boolean | null => verification?.statements?.find((s) => s.statement === statement)?.ok ?? null
  return {
    index: loop.index,
    from: dimJson(loop.from),
    to: dimJson(loop.to),
    statements: statements.map((s) => {
      const { left, right } = { left: both(s.left), right: both(s.right) }
      return { left, right, remark: toText(s.remark), claim: s.claim ?? null, range: s.range ?? null, ok: heldOf(s) }
    }),
    shared: shared.map(({ of, term, isAll }) => ({ of: of.name, isAll, term: both(typeset(term)) })),
    ...partsJson(derivation, verification, at, whole),
  }
}

const dimJson = (dim: Dim): number | string => (typeof dim === 'number' ? dim : dimText(dim))

/** An operation with the paths inside it; the last line is what they add up to. */
const pathsJson = ({ title, lines }: Pick<Section, 'title' | 'lines'>): object => {
  const total = lines.at(-1)!
  return {
    inside: both(title!),
    symbol: both(total.left),
    terms: lines.slice(0, -1).map((line) => ({ ...both(line.right), note: toText(line.note!) })),
    ...both(total.right),
  }
}

/** What is derived of a network, or of one step of a loop. */
function partsJson(
  derivation: Derivation,
  verification: Verification | null,
  at: readonly Value[] | undefined,
  loop?: LoopDerivation,
): object {
  const { network, branches, gradients, names } = derivation
  const writer = writerOf(derivation, loop)
  const asked = (v: Value): boolean => at === undefined || at.includes(v)
  const printed = new Set(printedValues(derivation))
  const shape = (v: Value): (number | string)[] => v.expr.shape.map(dimJson)
  const all = [...network.values.values()].flatMap((v) => (v === network.loss ? [] : (gradients.get(v) ?? [])))

  const closedJson = (g: Gradient): object | null => {
    const form = derivation.closed.get(g.of)
    return form ? { op: form.op.name, ...both(typeset(form.total)) } : null
  }
  const gradientJson = (g: Gradient): object => {
    const received = receivedFrom(g.of, derivation).find((r) => r.isAll)?.line
    const line = received ?? writer.gradient(g)
    return {
      of: g.of.name,
      role: roleOf(g.of, derivation),
      shape: shape(g.of),
      given: g.given && !received,
      terms: (received ? [] : writer.terms(g)).map((t) => ({ path: t.path.map((v) => v.name), kind: t.kind, ...both(t.layout) })),
      ...both(line.right),
      symbol: both(line.left),
      closed: closedJson(g),
      verified: verification ? verifiedJson(verification.byValue.get(g.of) ?? null) : null,
    }
  }
  const zeroJson = (v: Value): object => {
    const { left, right } = zeroLine(v, derivation)
    const none = { given: false, terms: [], closed: null, verified: null }
    return { of: v.name, role: v.role, shape: shape(v), ...none, ...both(right), symbol: both(left) }
  }
  const isNamed = (g: Gradient): boolean => g.of.role === 'node' && !branches.anchors.has(g.of) && printed.has(g.of)
  return {
    ...(derivation.inside.length > 0 ? { paths: pathSections(derivation, at).map(pathsJson) } : {}),
    nodes: [...network.values.values()]
      .filter((v) => v !== network.loss && v.role !== 'loop')
      .map((v) => ({
        name: v.name,
        role: roleOf(v, derivation),
        shape: shape(v),
        ...(v.role === 'node' ? both(typeset(v.expr.args[0]!)) : {}),
      })),
    merges: [...branches.merges]
      .filter(([at]) => asked(at))
      .flatMap(([at, merges]) =>
        merges.toReversed().map((expr) => ({
          at: at.name,
          op: expr.op.name,
          ...(expr === at.expr.args[0] ? {} : { expr: toText(typeset(expr)) }),
          why: expr.op.reason?.(expr) ?? expr.op.why,
          branches: writer.sent(at).map((line) => ({ of: line.of!.name, ...both(line.right), why: line.remark ?? expr.op.why })),
        })),
      ),
    fanOuts: [...branches.fanOuts]
      .filter(([v]) => asked(v))
      .map(([v, uses]) => ({ of: v.name, uses: uses.flatMap(({ by, count }) => Array.from({ length: count }, () => by.value.name)) })),
    gradients: [
      ...all
        .filter((g) => asked(g.of))
        .filter((g) => at !== undefined || printed.has(g.of) || g.given || branches.anchors.has(g.of))
        .map(gradientJson),
      ...unreached(derivation).filter(asked).map(zeroJson),
    ],
    where: [
      ...all.filter(isNamed).map((g) => ({ name: toText(writer.gradient(g).left), ...both(writer.gradient(g).right) })),
      ...names.map((name: Expr) => ({ name: toText(typeset(name)), ...both(typeset(name.args[0]!)) })),
    ],
  }
}

/** What a loop hands on at its end is a node, though no equation outside the loop defines it. */
const roleOf = (value: Value, { loops }: Derivation): Value['role'] =>
  loops.some(({ loop }) => loop.carried.some((c) => c.last === value)) ? 'node' : value.role

const verifiedJson = (v: Verified | null): object | null =>
  v ? { draws: v.draws, worst: finite(v.worst), ok: v.ok, standIns: v.standIns } : null

const claimSummaryJson = ({ claim, verdict, ok }: Judgement): object => ({
  source: claim.source,
  negated: claim.negated,
  verdict: verdict.kind,
  ok,
})

export interface CheckedFile {
  readonly source: Source
  readonly result: Result | undefined
  readonly errors: readonly Diagnostic[]
  /** The text that the errors are in, where it is not the spec. */
  readonly erring?: Source | undefined
}

/** The report of `check`. */
export function checkJson(files: readonly CheckedFile[], isOk: (file: CheckedFile) => boolean): object {
  return { schema: checkSchema, ok: files.every(isOk), files: files.map((file) => fileJson(file, isOk(file))) }
}

function fileJson({ source, result, errors, erring }: CheckedFile, ok: boolean): object {
  const comparison = result?.comparison
  return {
    file: source.name,
    ok,
    gradients: result ? gradientsJson(result) : [],
    ...(comparison
      ? {
          values: comparison.values.map((c) => comparedJson(c, comparison.derivation)),
          dump: comparison.file,
          tolerance: comparison.tolerance,
          remarks: comparison.remarks,
        }
      : {}),
    claims: (result?.judgements ?? []).map((j) => claimJson(j, source)),
    errors: errors.map((e) => ({
      ...(erring ? { file: erring.name } : {}),
      ...(e.span ? placeOf(erring ?? source, e.span.start) : { line: null, column: null }),
      code: e.code,
      message: e.message,
      hint: e.hint ?? null,
    })),
  }
}

/** Each gradient against central differences; with a dump, the dump's gradients against the derived ones. */
function gradientsJson({ derivation, verification, comparison }: Result): object[] {
  const verified = (v: Value | undefined): Verified | null => (v && verification?.byValue.get(v)) ?? null
  if (comparison) {
    const own = (v: Value): Value | undefined => derivation.network.values.get(v.name)
    return comparison.gradients.map((g) => ({ ...comparedJson(g, comparison.derivation), verified: verifiedJson(verified(own(g.of))) }))
  }
  if (!verification) return []
  // what has no line of its own is named where it fails
  const failing = [...verification.byValue].flatMap(([value, v]) => (v && !v.ok ? [value] : []))
  return [...new Set([...printedValues(derivation), ...failing])].map((v) => gradientCheck(v, verified(v), verification.unchecked.get(v)))
}

const gradientCheck = ({ name }: Value, verified: Verified | null, because: Reason | undefined): object => ({
  of: name,
  ok: verified?.ok ?? null,
  worst: verified ? finite(verified.worst) : null,
  standIns: verified?.standIns ?? [],
  ...(because ? { because } : {}),
})

function claimJson({ claim, verdict, ok }: Judgement, source: Source): object {
  return {
    ...placeOf(source, claim.span.start),
    source: claim.source,
    negated: claim.negated,
    verdict: verdict.kind,
    ok,
    ...(verdict.kind === 'refuted' && verdict.at.size > 0 ? { at: Object.fromEntries(verdict.at) } : {}),
    diagnosis:
      verdict.kind === 'refuted'
        ? {
            kind: verdict.diagnosis.kind,
            message: verdict.diagnosis.message,
            details: [...(verdict.diagnosis.details ?? []), ...derivedLines(verdict.diagnosis.subject, verdict.derivation)],
          }
        : null,
    ...(verdict.kind === 'undecided' ? { because: verdict.because } : {}),
  }
}
