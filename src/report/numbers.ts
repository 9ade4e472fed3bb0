/** Writes what `eval` computes as JSON, at full float64 precision: one line for each array. */
import type { Evaluation } from '../check/evaluation.ts'
import type { Derivation } from '../derive/derive.ts'
import type { Value } from '../network/network.ts'
import { allFinite, type Tensor } from '../tensor/tensor.ts'

export const evalSchema = 'backproof/eval/1'

type Nested = number | null | readonly Nested[]

/** The entries in lists of lists; what is not finite is null, for JSON has no word for it. */
export function nested({ shape, data }: Tensor): Nested {
  let level: Nested[] = Array.from(data, (x) => (Number.isFinite(x) ? x : null))
  for (let axis = shape.length - 1; axis > 0; axis--) {
    const size = shape[axis]!
    const count = shape.slice(0, axis).reduce((n, d) => n * d, 1)
    level = Array.from({ length: count }, (_, i) => level.slice(i * size, (i + 1) * size))
  }
  return shape.length === 0 ? level[0]! : level
}

/** The document that `eval` prints; it can be read back as a dump. */
export function evaluationText({ loss, values, gradients, given: { direct } }: Evaluation): string {
  const named = (tensors: ReadonlyMap<Value, Tensor>): (readonly [string, Tensor])[] => [...tensors].map(([{ name }, t]) => [name, t])
  const map = (tensors: readonly (readonly [string, Tensor])[]): string => {
    const lines = tensors.map(([name, t]) => `    ${JSON.stringify(name)}: ${JSON.stringify(nested(t))}`)
    return lines.length > 0 ? `{\n${lines.join(',\n')}\n  }` : '{}'
  }
  const parts = [
    `  "schema": ${JSON.stringify(evalSchema)}`,
    `  "loss": ${JSON.stringify(loss)}`,
    `  "values": ${map(named(values))}`,
    `  "gradients": ${map([...named(gradients), ...direct])}`,
  ]
  return `{\n${parts.join(',\n')}\n}\n`
}

/** What JSON can't say: which results are not finite. */
export function unfinished({ loss, values, gradients }: Evaluation, { network }: Derivation): string[] {
  const name = network.loss.name
  const strange = ([value, t]: readonly [Value, Tensor], of: (v: string) => string): string[] => (allFinite(t) ? [] : [of(value.name)])
  return [
    ...(loss === null || Number.isFinite(loss) ? [] : [name]),
    ...[...values].flatMap((entry) => strange(entry, (v) => v)),
    ...[...gradients].flatMap((entry) => strange(entry, (v) => `d${name}/d${v}`)),
  ]
}
