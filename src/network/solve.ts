/** Sizes from arrays: finds what the symbols in shapes must be, and tells where two arrays contradict each other. */
import { type Diagnostic, diagnostic } from '../diagnostic.ts'
import { collectSymbols, type Dim, type Sizes, sizeIn } from '../expr/dim.ts'
import { type Shape, shapeText } from '../expr/shape.ts'
import type { Given } from './dump.ts'

/** An array and the shape that it should have. */
export interface Shaped {
  readonly given: Given
  readonly shape: Shape
  readonly isGradient: boolean
}

/** The sizes that give all arrays their shapes; faults are added for the arrays that don't fit. */
export function solveSizes(
  arrays: readonly Shaped[],
  symbols: readonly string[],
  lineOf: (g: Given) => number,
  faults: Diagnostic[],
): Sizes {
  const sizes = new Map<string, number>()
  const toldBy = new Map<string, Given>()
  // a matrix may be given transposed, a vector can't be: its word counts more
  const equations = [...arrays]
    .sort((a, b) => a.shape.length - b.shape.length)
    .filter(({ given, shape }) => given.tensor.shape.length === shape.length)
    .flatMap(({ given, shape }) => shape.map((dim, axis) => ({ dim, size: given.tensor.shape[axis]!, given })))
    .filter(({ dim }) => typeof dim !== 'number')
  for (let before = -1; before < sizes.size; ) {
    before = sizes.size
    for (const { dim, size, given } of equations) {
      const [unknown, ...others] = symbolsIn(dim).filter((name) => !sizes.has(name))
      const solution = unknown === undefined || others.length > 0 ? undefined : solved(dim, unknown, size, sizes)
      if (solution === undefined) continue
      sizes.set(unknown!, solution)
      toldBy.set(unknown!, given)
    }
  }
  for (const { given, shape, isGradient } of arrays) {
    const found = given.tensor.shape
    const expected = shape.map((dim) => sizeIn(dim, sizes))
    if (fits(found, expected)) continue
    const told = [...new Set(shape.flatMap(symbolsIn))].filter((name) => toldBy.has(name) && toldBy.get(name) !== given)
    const reasons = told.map((name) => `${name} = ${sizes.get(name)} in ${toldBy.get(name)!.name} (line ${lineOf(toldBy.get(name)!)})`)
    faults.push(
      diagnostic(
        'wrong-size',
        {
          name: given.name,
          found: shapeText(found),
          expected: shapeText(shape),
          because: reasons.length > 0 ? ` with ${reasons.join(', ')}` : '',
          turned: found.length === 2 && fits([...found].reverse(), expected),
          stacked: isGradient && fits(found.slice(1), expected),
        },
        given.span,
      ),
    )
  }
  const open = symbols.filter((name) => !sizes.has(name))
  if (faults.length === 0) faults.push(...open.map((name) => diagnostic('size-not-told', { name })))
  return sizes
}

/** A size that nothing tells is no misfit. */
const fits = (found: readonly number[], expected: readonly number[]): boolean =>
  found.length === expected.length && found.every((n, axis) => n === expected[axis] || Number.isNaN(expected[axis]))

function symbolsIn(dim: Dim): string[] {
  const names = new Set<string>()
  collectSymbols(dim, names)
  return [...names]
}

/** The one unknown of a dim that is linear in it, as n in 2n + k. */
function solved(dim: Dim, unknown: string, size: number, sizes: Sizes): number | undefined {
  const at = (n: number): number => sizeIn(dim, new Map(sizes).set(unknown, n))
  const solution = (size - at(0)) / (at(1) - at(0))
  return Number.isInteger(solution) && solution >= 0 && at(solution) === size ? solution : undefined
}
