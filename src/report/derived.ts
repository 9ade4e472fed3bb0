/** The derived gradient beside a claim that it refutes, with the names that it needs. */
import type { Derivation } from '../derive/derive.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
import { drafts } from './drafts.ts'
import { type Line, writerOf } from './lines.ts'
import { whereLines } from './where.ts'

/** derived  ∂L/∂x = …, and a line for each name under it. */
export function derivedLines(of: Value | undefined, derivation: Derivation): string[] {
  const gradient = of && derivation.gradients.get(of)
  if (!gradient) return []
  const writer = writerOf(derivation)
  const line = writer.gradient(gradient)
  const told = drafts()
  told.say({ kind: 'node', lines: [line] })
  const [section] = whereLines(told, derivation, writer)
  const formula = ({ left, right }: Line): string => `${toText(left)} = ${toText(right)}`
  return [`derived  ${formula(line)}`, ...section!.where.map((w, i) => `${i === 0 ? '  where  ' : '         '}${formula(w)}`)]
}
