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

/** How far from the origin a point is, and how large an unknown loss is there. */
export interface Manner {
  readonly scale: number
  readonly amplitude: number
}

/** Points near and far from the origin (a relu6 must meet its kink), errors small and large (where they are clipped, it must show). */
export const manners: readonly Manner[] = [
  { scale: 1, amplitude: 1 },
  { scale: 0.1, amplitude: 1e9 },
  { scale: 10, amplitude: 1e-3 },
  { scale: 1, amplitude: 1e3 },
  { scale: 0.1, amplitude: 1 },
  { scale: 3, amplitude: 30 },
  { scale: 100, amplitude: 1 },
]

/** The k-th point of a derivation, with the values of all nodes and, where asked for, of all gradients. */
export function pointOf(derivation: Derivation, seed: number, k: number, { scale, amplitude }: Manner, withGradients: boolean): KnownPoint {
  const points = kept.get(derivation) ?? new Map<string, KnownPoint>()
  kept.set(derivation, points)
  return remembered(points, `${seed},${k},${scale},${amplitude},${withGradients}`, () => {
    const point = { ...drawPoint(derivation.network, seed, k, scale), amplitude }
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
