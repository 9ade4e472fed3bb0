/** What a spec promises of its values, held against the arrays of a dump: domains, and the conditions under assume. */
import { sizeIn } from '../expr/dim.ts'
import { evaluate, type Point } from '../expr/evaluate.ts'
import { typeset } from '../expr/typeset.ts'
import { toText } from '../layout/text.ts'
import type { Network } from '../network/network.ts'
import { type Domain, domainOf } from '../ops/leaves.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { promises as words } from '../words.ts'

/** The promises that a point does not keep: formulas that rest on them may not hold there. */
export function brokenPromises({ values, assumptions }: Network, point: Point): string[] {
  const outside = [...values.values()].flatMap(({ name, expr }) => {
    const tensor = expr.args.length === 0 ? point.values.get(expr) : undefined
    const { kind, classes } = domainOf(expr)
    const keeps = !tensor || keeper[kind](tensor, classes === undefined ? 0 : sizeIn(classes, point.sizes))
    return keeps ? [] : [words.domain({ name, domain: kind })]
  })
  const masks = evaluate(assumptions, point)
  const failing = assumptions.filter((mask) => masks.get(mask)!.data.includes(0))
  return [...outside, ...failing.map((mask) => words.condition({ condition: toText(typeset(mask)) }))]
}

const each =
  (f: (x: number, classes: number) => boolean) =>
  ({ data }: Tensor, classes: number): boolean =>
    data.every((x) => f(x, classes))

/** Whether every row along the last axis sums to one, in float32. */
function sumsToOne({ shape, data }: Tensor): boolean {
  const size = shape.at(-1) ?? 1
  const starts = Array.from({ length: data.length / size }, (_, row) => row * size)
  return starts.every((from) => Math.abs(data.subarray(from, from + size).reduce((a, b) => a + b, 0) - 1) < 1e-5)
}

const isMask = each((x) => x === 0 || x === 1)
const isNotNegative = each((x) => x >= 0)

const keeper: Readonly<Record<Domain['kind'], (tensor: Tensor, classes: number) => boolean>> = {
  real: () => true,
  positive: each((x) => x > 0),
  mask: isMask,
  sign: each((x) => Math.abs(x) === 1),
  index: each((x, classes) => Number.isInteger(x) && x >= 0 && x < classes),
  one_hot: (tensor, classes) => isMask(tensor, classes) && sumsToOne(tensor),
  simplex: (tensor, classes) => isNotNegative(tensor, classes) && sumsToOne(tensor),
}
