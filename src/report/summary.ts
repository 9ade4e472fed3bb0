/** The last lines of a report: what was verified and how, and how the claims fared. */

import type { Judgement } from '../check/judge.ts'
import type { Reason, Verification } from '../check/verify.ts'
import type { Derivation } from '../derive/derive.ts'
import { toText } from '../layout/text.ts'
import { lengthsText } from '../network/lengths.ts'
import type { Network, Value } from '../network/network.ts'
import type { Result } from '../pipeline.ts'
import { verified } from '../words.ts'
import { placeOf } from './faults.ts'
import type { Paint } from './paint.ts'

export interface Summary {
  /** A note says what was not checked: neither good nor bad. */
  readonly kind: 'holds' | 'fails' | 'note'
  readonly text: string
}

/** One sentence for each thing that was checked. */
export function summaryOf({ derivation, verification, judgements }: Result): readonly Summary[] {
  return [
    ...(verification ? verificationSummary(derivation, verification) : [{ kind: 'note' as const, text: 'not verified (--no-verify)' }]),
    ...(judgements && judgements.length > 0 ? [claimSummary(judgements)] : []),
  ]
}

export const summaryText = (result: Result, paint: Paint): string =>
  summaryOf(result)
    .map(({ kind, text }) =>
      kind === 'note' ? paint.faint(`– ${text}`) : kind === 'holds' ? `${paint.good('✓')} ${text}` : `${paint.bad('✗')} ${text}`,
    )
    .join('\n')

/** The gradients that have a line of their own. */
export const printedValues = ({ gradients, branches, network, inlined, loops }: Derivation): Value[] =>
  [...gradients.values()]
    .filter((g) => g.of !== network.loss && !g.given && (g.of.role !== 'node' || branches.anchors.has(g.of) || !inlined.has(g.of)))
    .map((g) => g.of)
    .concat(loops.flatMap(({ shown, shared, firsts }) => [...shown, ...[...firsts, ...shared].flatMap((s) => (s.isAll ? [s.of] : []))]))

/** 3.1e-10 */
export const errorText = (worst: number): string => (worst === 0 ? '0' : worst.toExponential(1))

function verificationSummary(derivation: Derivation, verification: Verification): Summary[] {
  const { byValue, lengths, statements = [], standIns } = verification
  const printed = printedValues(derivation)
  const checked = printed.filter((v) => byValue.get(v))
  // a gradient that has no line of its own counts as well
  const failing = [...byValue].filter(([, v]) => v && !v.ok).map(([value]) => value)
  const worst = checked.reduce((most, v) => Math.max(most, byValue.get(v)!.worst), 0)
  const draws = checked.map((v) => byValue.get(v)!.draws)
  const agrees = `${count(checked.length, 'gradient')} ${checked.length === 1 ? 'agrees' : 'agree'} with central differences`
  const ofLengths = lengths ? ` of loops with ${lengthsText(lengths)}` : ''
  const broken = statements.filter((s) => !s.ok)
  return [
    ...failing.map((v): Summary => {
      const error = errorText(byValue.get(v)!.worst)
      return {
        kind: 'fails',
        text: `the gradient by ${toText(v.layout)} does not agree with central differences (relative error ${error})`,
      }
    }),
    ...(failing.length === 0 && checked.length > 0
      ? [{ kind: 'holds' as const, text: `${agrees} on ${range(draws)} draws${ofLengths} (largest relative error ${errorText(worst)})` }]
      : []),
    ...broken.map(
      ({ statement }): Summary => ({ kind: 'fails', text: `${toText(statement.left)} = ${toText(statement.right)} does not hold` }),
    ),
    ...(statements.length > 0 && broken.length === 0
      ? [
          {
            kind: 'holds' as const,
            text: `${count(statements.length, 'formula')} for the whole loop ${statements.length === 1 ? 'agrees' : 'agree'} with it`,
          },
        ]
      : []),
    ...closedSummary(verification.closed),
    ...standInNote(standIns),
    ...uncheckedNotes(printed, verification, derivation),
  ]
}

function closedSummary(closed: Verification['closed']): Summary[] {
  const failing = closed.filter((c) => !c.ok)
  if (closed.length > 0 && failing.length === 0) return [{ kind: 'holds', text: verified['closed-same']({ count: closed.length }) }]
  return failing.map(({ of }) => ({ kind: 'fails', text: verified['closed-differs']({ of: toText(of.layout) }) }))
}

/** 4, or 1 to 4. */
function range(numbers: readonly number[]): string {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)]
  return least === most ? `${most}` : `${least} to ${most}`
}

/** What was not compared, by the reason. */
function uncheckedNotes(printed: readonly Value[], { unchecked, standIns }: Verification, { network }: Derivation): Summary[] {
  const reasons: Readonly<Record<Reason, string>> = {
    kink: verified.kink({}),
    rounding: verified.rounding({}),
    'not-linear': verified['not-linear']({ functions: standIns.none.map((name) => placed(name, network)) }),
    empty: verified.empty({}),
    'not-finite': verified['not-finite']({}),
    'not-met': verified['not-met']({}),
  }
  return (Object.keys(reasons) as Reason[]).flatMap((reason): Summary[] => {
    const names = printed.filter((v) => unchecked.get(v) === reason).map((v) => toText(v.layout))
    return names.length > 0
      ? [{ kind: 'note', text: `not compared with differences, because ${reasons[reason]}: ${names.join(', ')}` }]
      : []
  })
}

/** A declared function with its place in the spec. */
function placed(name: string, { functions, scope }: Network): string {
  const span = functions.get(name)?.span
  if (!span) return name
  const { line, column } = placeOf({ name: '', text: scope.text }, span.start)
  return `${name} (${line}:${column})`
}

/** Where the gradient is by definition not the derivative, something else was differenced. */
function standInNote({ maps, constants }: Verification['standIns']): Summary[] {
  const claims = maps.length === 1 ? 'for the linear map that its vjp claims' : 'for the linear maps that their vjps claim'
  const taken = [
    ...(maps.length > 0 ? [`${maps.join(' and ')} ${claims}`] : []),
    ...(constants.length > 0 ? [`what ${constants.join(' and ')} holds for a constant`] : []),
  ]
  return taken.length > 0 ? [{ kind: 'note', text: `the differences take ${taken.join(', and ')}` }] : []
}

export const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

function claimSummary(judgements: readonly Judgement[]): Summary {
  const of = (kind: Judgement['verdict']['kind'], negated: boolean): number =>
    judgements.filter((j) => j.verdict.kind === kind && j.claim.negated === negated).length
  const parts = [
    [of('proved', false), 'proved'],
    [of('agrees', false), of('agrees', false) === 1 ? 'agrees numerically' : 'agree numerically'],
    [of('refuted', false), 'refuted'],
    [of('undecided', false) + of('undecided', true), 'undecided'],
  ] as const
  const said = parts.filter(([n]) => n > 0).map(([n, what], i) => (i === 0 ? `${count(n, 'claim')} ${what}` : `${n} ${what}`))
  const refused = of('refuted', true)
  const held = of('proved', true) + of('agrees', true)
  if (refused > 0) said.push(`${count(refused, 'false claim')} refuted`)
  if (held > 0) said.push(`${count(held, 'claim')} under not: ${held === 1 ? 'holds' : 'hold'}`)
  return { kind: judgements.every((j) => j.ok) ? 'holds' : 'fails', text: said.join(', ') }
}
