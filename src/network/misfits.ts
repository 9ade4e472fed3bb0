/** Parts of a sum or product whose shapes do not fit: which one it is, and what to say of it. */
import { fail, type Span } from '../diagnostic.ts'
import { type Dim, minus } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { broadcastShape, dimText, shapeText } from '../expr/shape.ts'
import type { Scope } from './network.ts'

/** What was written there, cut short. */
export const textOf = ({ start, end }: Span, { text }: Scope): string => {
  const written = text.slice(start, end)
  return written.length <= 40 ? written : `${written.slice(0, 37)}…`
}

/** The first of them that does not broadcast with those before it; −1 where all do. */
export function misfitAmong(exprs: readonly Expr[]): number {
  let { shape } = exprs[0]!
  for (let i = 1; i < exprs.length; i++) {
    const common = broadcastShape(shape, exprs[i]!.shape)
    if (!common) return i
    shape = common
  }
  return -1
}

/** The shape of one part does not fit that of those before it. */
export function doNotFit(verb: string, parts: readonly Span[], exprs: readonly Expr[], at: number, scope: Scope): never {
  const { shape } = exprs[at]!
  const before = exprs.slice(0, at).findLastIndex((e) => !broadcastShape(e.shape, shape))
  const other = exprs[before]!
  const [first, second] = [textOf(parts[before]!, scope), textOf(parts[at]!, scope)]
  const vectors = verb === 'add' && other.shape.length === 1 && shape.length === 1
  return fail('shapes', {
    what: `shapes do not ${verb}`,
    detail: `${first} is ${shapeText(other.shape)}, ${second} is ${shapeText(shape)}`,
    ...(vectors ? { hint: padOrProject([first, other.shape[0]!], [second, shape[0]!]) } : {}),
  })
}

type Summand = readonly [name: string, size: Dim]

/** The shorter one is padded; where sizes are symbolic, that is the one that came second. */
function padOrProject(first: Summand, second: Summand): string {
  const isLonger = typeof first[1] === 'number' && typeof second[1] === 'number' && first[1] < second[1]
  const [[, m], [name, n]] = isLonger ? [second, first] : [first, second]
  const plain = (dim: Dim): string => dimText(dim).replaceAll('−', '-')
  return `To add a skip of another size, pad it (pad(${name}, [[0, ${plain(minus(m, n))}]])) or project it (Ws @ ${name} with Ws: [${plain(m)}, ${plain(n)}]).`
}
