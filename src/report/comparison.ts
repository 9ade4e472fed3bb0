/** Writes how a dump compares with the derived gradients: what agrees in one line, what does not with its diagnosis. */
import type { Compared, Comparison } from '../check/comparison.ts'
import type { Derivation } from '../derive/derive.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
import { derivedLines } from './derived.ts'
import type { Paint } from './paint.ts'
import { count, errorText } from './summary.ts'

export const agrees = ({ values, gradients }: Comparison): boolean => [...values, ...gradients].every((c) => c.ok)

export function comparisonText(comparison: Comparison, paint: Paint): string[] {
  const { file, derivation, values, gradients, missing, tolerance, remarks } = comparison
  const [good, bad] = [gradients.filter((g) => g.ok), gradients.filter((g) => !g.ok)]
  const names = (list: readonly Value[]): string => list.map((v) => toText(v.layout)).join(', ')
  const worst = good.reduce((most, g) => Math.max(most, g.worst), 0)
  const verb = good.length === 1 ? 'agrees' : 'agree'
  return [
    ...remarks.map((remark) => paint.faint(`– ${remark}`)),
    ...values
      .filter((v) => !v.ok)
      .map((v) => `${paint.bad('✗')} the value of ${toText(v.of.layout)} ${differs(v, file)}: the forward passes differ`),
    ...bad.flatMap((g) => [
      `${paint.bad('✗')} the gradient by ${paint.strong(toText(g.of.layout))} ${differs(g, file)}`,
      ...explanation(g, derivation).map((line) => `  ${line}`),
    ]),
    ...(good.length > 0
      ? [
          `${paint.good('✓')} ${count(good.length, 'gradient')} in ${file} ${verb} with ${good.length === 1 ? 'the derived one' : 'the derived ones'} (largest relative error ${errorText(worst)}, tolerance ${tolerance}): ${names(good.map((g) => g.of))}`,
        ]
      : []),
    ...(missing.length > 0 ? [paint.faint(`– not in ${file}: the gradients by ${names(missing)}`)] : []),
  ]
}

const differs = ({ worst, index, dumped, derived }: Compared, file: string): string =>
  `in ${file} differs (relative error ${worst < 0.01 ? errorText(worst) : number(worst, 2)}${index.length > 0 ? ` at [${index.join(', ')}]` : ''}: ${number(dumped)}, derived ${number(derived)})`

const number = (x: number, digits = 6): string => String(Number(x.toPrecision(digits)))

const explanation = ({ diagnosis }: Compared, derivation: Derivation): string[] =>
  diagnosis ? [diagnosis.message, ...(diagnosis.details ?? []), ...derivedLines(diagnosis.subject, derivation)] : []

/** For programs. */
export const comparedJson = ({ of, ok, worst, index, dumped, derived, diagnosis }: Compared, derivation: Derivation): object => ({
  of: of.name,
  ok,
  worst: Number.isFinite(worst) ? worst : null,
  index,
  dumped,
  derived: Number.isFinite(derived) ? derived : null,
  diagnosis: diagnosis
    ? {
        kind: diagnosis.kind,
        message: diagnosis.message,
        details: [...(diagnosis.details ?? []), ...derivedLines(diagnosis.subject, derivation)],
      }
    : null,
})
