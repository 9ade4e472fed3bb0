/** Names with an index in them, at another index: z[l+1] at l = N − 1 is z[N]. */
import { type Dim, sizeSymbol, withSizes } from '../expr/dim.ts'
import { indexOf, indexText } from './families.ts'
import type { Scope } from './network.ts'
import { parseExpression } from './syntax.ts'

const inBrackets = /\[([^\]]*)\]/g

const symbolsIn = (text: string): string[] => [...text.matchAll(/[\p{L}_][\p{L}\p{N}_]*/gu)].map(([name]) => name)

/** Whether a name has an index in it: W[l+1] belongs to a step of the loop over l. */
export const mentionsIndex = (name: string, index: string): boolean =>
  [...name.matchAll(inBrackets)].some(([, inside]) => symbolsIn(inside!).includes(index))

/** The l+1 in z[l+1], where every name is a symbol. */
export function dimInside(inside: string): Dim {
  const ast = parseExpression({ start: 0, end: inside.length, text: inside, exact: false })
  return indexOf(ast, { dims: new Map(symbolsIn(inside).map((name) => [name, sizeSymbol(name)])) } as unknown as Scope)
}

/** The name with dims in place of the symbols in its brackets. */
export const nameWith = (name: string, dims: ReadonlyMap<string, Dim>): string =>
  name.replaceAll(inBrackets, (whole, inside: string) =>
    symbolsIn(inside).some((symbol) => dims.has(symbol)) ? `[${indexText(withSizes(dimInside(inside), dims))}]` : whole,
  )
