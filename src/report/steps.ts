/** Writes the laws that were applied, each with the formula before and after. */
import type { Derivation } from '../derive/derive.ts'
import { typeset } from '../expr/typeset.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
import type { Paint } from './paint.ts'

export function stepsText({ steps }: Derivation, _at: readonly Value[] | undefined, paint: Paint): string {
  const lines = steps.map(({ law, before, after }) => `  ${toText(typeset(before))} → ${toText(typeset(after))}   ${paint.faint(law)}`)
  return [paint.accent('steps'), ...new Set(lines), ''].join('\n')
}
