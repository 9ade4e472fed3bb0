/** The points at which claims are compared: a network is evaluated once at each of them, not once for each claim. */
import type { Derivation } from '../derive/derive.ts'
import { evaluate, type Point } from '../expr/evaluate.ts'
import type { Expr } from '../expr/expr.ts'
import { coarsened, drawPoint } from './draw.ts'

/** A point of a derivation, with the values of nodes there. */
export interface KnownPoint {
  readonly point: Point
  /** The same computed with so many bits fewer. */
  coarse(bits: number): Point
}

/** Values of larger networks are not kept. */
const mostValues = 2000

const kept = new WeakMap<Derivation, Map<string, KnownPoint>>()

/** The k-th point of a derivation, with the values of all nodes and, where asked for, of all gradients. */
export function pointOf(derivation: Derivation, seed: number, k: number, scale: number, withGradients: boolean): KnownPoint {
  const points = kept.get(derivation) ?? new Map<string, KnownPoint>()
  kept.set(derivation, points)
  return remembered(points, `${seed},${k},${scale},${withGradients}`, () => {
    const point = drawPoint(derivation.network, seed, k, scale)
    const exprs = derivation.network.values.size > mostValues ? [] : namedIn(derivation, withGradients)
    const coarse = new Map<number, Point>()
    return {
      point: filled(exprs, point),
      coarse: (bits) => remembered(coarse, bits, () => filled(exprs, coarsened(point, bits))),
    }
  })
}

const namedIn = ({ network, raw }: Derivation, withGradients: boolean): Expr[] => [
  ...[...network.values.values()].map((v) => v.expr),
  ...(withGradients ? [...raw.values()].map((g) => g.adjoint) : []),
]

function filled(exprs: readonly Expr[], point: Point): Point {
  const known = evaluate(exprs, point)
  return { ...point, values: new Map([...point.values, ...exprs.map((e) => [e, known.get(e)!] as const)]) }
}

function remembered<K, V>(memo: Map<K, V>, key: K, make: () => V): V {
  const known = memo.get(key)
  if (known !== undefined) return known
  const made = make()
  memo.set(key, made)
  return made
}
