/** Values that the loss does not depend on, or that no error comes back to: they are told, not left out. */
import type { Derivation } from '../derive/derive.ts'
import { derivative, symbol } from '../layout/layout.ts'
import type { Value } from '../network/network.ts'
import { type Line, lineOf, type Section } from './lines.ts'

/** The inputs and parameters whose gradient is zero. What loops use is told by the loops. */
export function unreached({ network, structure, gradients }: Derivation): readonly Value[] {
  const found: Value[] = []
  if (network.loops.length > 0 || network.step) return found
  for (const { value } of structure.vertices)
    if ((value.role === 'input' || value.role === 'param') && !gradients.has(value)) found.push(value)
  return found
}

/** ∂L/∂x = 0, with the reason. */
export const zeroLine = ({ expr, layout }: Value, { network }: Derivation): Line =>
  lineOf(derivative(network.loss.layout, layout), symbol('0'), { shape: expr.shape, remark: 'no way leads back from the loss' })

/** What is said of one such value, where it is asked for. */
export const zeroSection = (value: Value, derivation: Derivation): Section => ({
  kind: value.role === 'param' ? 'parameters' : 'inputs',
  lines: [zeroLine(value, derivation)],
  where: [],
})
