/** Fixed points, z = f(z): one operation that holds its body; the error solves a fixed point itself. */
import { fail } from '../diagnostic.ts'
import { collectSymbols, sizeSymbol } from '../expr/dim.ts'
import { evaluate, type Observer, type Point } from '../expr/evaluate.ts'
import { type Attrs, type Expr, make, operation } from '../expr/expr.ts'
import { sameShape, shapeText } from '../expr/shape.ts'
import { argsOf, inOrder, substitute } from '../expr/traverse.ts'
import { typeset } from '../expr/typeset.ts'
import { call, Level, row, symbol, word } from '../layout/layout.ts'
import { nameLayout } from '../layout/names.ts'
import { full, map, norm, type Tensor, zip } from '../tensor/tensor.ts'
import { add } from './arithmetic.ts'
import { named, variable } from './leaves.ts'
import { isSource, pullback } from './pullback.ts'

/** So often a body is applied before it counts as not contractive, and so close two iterates are when it has settled. */
const [patience, settled] = [2000, 1e-15]

/**
 * The z with z = body(z). The body may use anything else; what it uses become the arguments of the operation. The error:
 * with u = g + (∂f/∂z)ᵀ u, that is (I − ∂f/∂z)ᵀ u = g, each argument a gets (∂f/∂a)ᵀ u (Bai et al. 2019, theorem 1).
 */
export function fixedPoint(bound: Expr, body: Expr): Expr {
  if (!sameShape(bound.shape, body.shape)) {
    const detail = `${bound.op.name} has the shape ${shapeText(bound.shape)}, the body ${shapeText(body.shape)}`
    fail('shapes', { what: 'a fixed point has the shape of its body', detail })
  }
  const used = inOrder([body], (e) => (isSource(e) ? [] : e.args)).filter((e) => isSource(e) && e !== bound && (e.op.fresh || e.op.atomic))
  const holders = used.map((e) => variable(e.op.name, e.shape, nameLayout(e.op.name)))
  const held = replacing(body, used, holders)
  const sizes = symbolsOf(body)

  const solve = (args: readonly Tensor[], attrs: Attrs, shape: readonly number[], observe?: Observer): Tensor => {
    const point: Point = {
      sizes: new Map(sizes.map((name, i) => [name, (attrs.sizes as readonly number[])[i]!])),
      values: new Map(holders.map((h, i) => [h, args[i]!])),
    }
    const next = (z: Tensor, watch?: Observer): Tensor =>
      evaluate([held], { ...point, values: new Map(point.values).set(bound, z) }, watch).get(held)!
    let z = full(shape, 0)
    for (let step = 0; step < patience; step++) {
      const better = next(z)
      const moved = norm(zip(better, z, (a, b) => a - b))
      z = better
      if (moved <= settled * (1 + norm(z))) break
      if (!Number.isFinite(moved) || step === patience - 1) return map(z, () => Number.NaN)
    }
    if (observe) next(z, observe)
    return z
  }

  const op = operation({
    name: 'fixed_point',
    why: 'the error goes round the loop until it settles: u = g + (∂f/∂z)ᵀ u; each argument gets what the body sends back for u',
    letter: 'u',
    shape: () => bound.shape,
    notation: (_, __, { args }) =>
      call(word('fix'), [row(Level.relation, [typeset(bound), symbol(' ↦ ', ' \\mapsto '), typeset(replacing(held, holders, args))])]),
    evaluate: solve,
    kinks: (args, attrs) => {
      const sides: Tensor[] = []
      const shape = (attrs.shape as readonly number[]) ?? []
      solve(args, attrs, shape, (e, values, own) => sides.push(...(e.op.kinks?.(values, own) ?? [])))
      return sides
    },
    vjp(args, g, _, z) {
      const name = freeName('u', [z, ...args, g])
      const u = variable(name, bound.shape, nameLayout(name))
      const backs = pullback(named('f', nameLayout('f'), held), u, new Set([bound, ...holders]))
      const here = (e: Expr): Expr => replacing(e, [bound, ...holders], [z, ...args])
      const round = backs.get(bound)
      const error = round ? fixedPoint(u, add([g, here(round)])) : g
      return holders.map((h) => {
        const back = backs.get(h)
        return back ? replacing(here(back), [u], [error]) : null
      })
    },
  })
  return make(op, used, { sizes: sizes.map(sizeSymbol), shape: bound.shape })
}

/** A name that nothing in the expressions bears. */
function freeName(wanted: string, exprs: readonly Expr[]): string {
  const taken = new Set(inOrder(exprs).map((e) => e.op.name))
  let name = wanted
  for (let i = 1; taken.has(name); i++) name = `${wanted}${i}`
  return name
}

const replacing = (expr: Expr, from: readonly Expr[], to: readonly Expr[]): Expr =>
  substitute([expr], (e) => (from.includes(e) ? to[from.indexOf(e)] : undefined))[0]!

function symbolsOf(body: Expr): string[] {
  const found = new Set<string>()
  for (const { shape } of inOrder([body], argsOf)) for (const dim of shape) collectSymbols(dim, found)
  return [...found]
}
