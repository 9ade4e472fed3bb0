/** From the arrays of a dump to a point of the network: every name and shape is checked, and what is lacking is told. */
import type { Derivation } from '../derive/derive.ts'
import { type Diagnostic, diagnostic, Failure, nearest, type Source, type Span } from '../diagnostic.ts'
import type { Point } from '../expr/evaluate.ts'
import { definition, type Expr } from '../expr/expr.ts'
import { shapeText } from '../expr/shape.ts'
import { inOrder } from '../expr/traverse.ts'
import type { Dump, Given } from '../network/dump.ts'
import { lineCounter } from '../network/lines.ts'
import type { Value } from '../network/network.ts'
import { type Shaped, solveSizes } from '../network/solve.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** A point, and the arrays that are not needed for it: they can be compared. */
export interface GivenPoint {
  readonly point: Point
  /** Nodes, as the dump has them. */
  readonly nodes: ReadonlyMap<Value, Given>
  readonly gradients: ReadonlyMap<Value, Given>
  /** What an opaque loss sends, as `y->L`, to values that reach it by other ways, too. */
  readonly direct: ReadonlyMap<string, Tensor>
}

/** The point that a dump describes. Throws a Failure with all its faults, in the dump's text. */
export function pointOf(dump: Dump, source: Source, derivation: Derivation): GivenPoint {
  const { network } = derivation
  const faults: Diagnostic[] = [...dump.faults]
  const { values, gradients } = byName(dump, network.loss.name)
  const seeds = seedsOf(derivation)

  const valueNamed = ({ name, span }: Given): Value | undefined => {
    const value = network.values.get(name)
    if (value && value !== network.loss) return value
    const known = [...network.values.keys()].filter((n) => n !== network.loss.name)
    const near = nearest(name, known)
    faults.push(diagnostic('unknown-value', { name, ...(near ? { near } : {}), known: known.join(', ') }, span))
    return undefined
  }
  const given = new Map(values.flatMap((g): [Value, Given][] => pair(valueNamed(g), g)))
  const seeded = new Map(gradients.flatMap((g): [Expr, Given][] => pair(seeds.find((s) => s.key === g.name)?.expr, g)))
  const compared = new Map(
    gradients.filter((g) => !seeds.some((s) => s.key === g.name)).flatMap((g): [Value, Given][] => pair(valueNamed(g), g)),
  )
  for (const [value, { span }] of compared) {
    if (value.role === 'constant') faults.push(diagnostic('not-differentiated', { name: value.name }, span))
  }

  for (const value of network.values.values()) {
    const { name, role, expr } = value
    if (expr.args.length > 0 || network.fixed.has(expr) || given.has(value) || dump.broken.has(name)) continue
    faults.push(diagnostic('not-given', { name, role: roles[role] ?? role, shape: shapeText(expr.shape) }, top))
  }
  for (const { name, key, expr } of seeds) {
    if (!expr) faults.push(diagnostic('nameless-seed', { loss: network.loss.name }, top))
    else if (!seeded.has(expr) && !dump.broken.has(key)) faults.push(diagnostic('no-seed', { loss: network.loss.name, name, key }, top))
  }

  const arrays: Shaped[] = [
    ...[...given].map(([value, array]) => ({ given: array, shape: value.expr.shape, isGradient: false })),
    ...[...seeded].map(([expr, array]) => ({ given: array, shape: expr.shape, isGradient: true })),
    ...[...compared].map(([value, array]) => ({ given: array, shape: value.expr.shape, isGradient: true })),
  ]
  const lineOf = lineCounter(source.text)
  const sizes = solveSizes(arrays, network.sizes, (g) => lineOf(g.span.start), faults)
  for (const [value, { name, tensor, span }] of given) {
    const fixed = network.fixed.get(value.expr)
    if (!fixed || faults.length > 0) continue
    const at = tensor.data.findIndex((x, i) => Math.abs(x - fixed.data[i]!) > singlePrecision * Math.abs(fixed.data[i]!))
    if (at >= 0) faults.push(diagnostic('other-value', { name, found: String(tensor.data[at]), expected: String(fixed.data[at]) }, span))
  }
  if (faults.length > 0) throw new Failure([...faults].sort((a, b) => (a.span ?? top).start - (b.span ?? top).start))

  const tensors = new Map<Expr, Tensor>(network.fixed)
  const nodes = new Map<Value, Given>()
  for (const [value, array] of given) {
    if (value.expr.args.length > 0) nodes.set(value, array)
    else tensors.set(value.expr, array.tensor)
  }
  for (const [expr, { tensor }] of seeded) tensors.set(expr, tensor)
  const direct = new Map(seeds.flatMap(({ key, name, expr }): [string, Tensor][] => (key === name ? [] : pair(key, tensors.get(expr!)!))))
  return { point: { sizes, values: tensors }, nodes, gradients: compared, direct }
}

/** The place of what is not there. */
const top: Span = { start: 0, end: 1 }

/** Constants went through float32 in many a dump. */
const singlePrecision = 1e-6

const roles: Readonly<Record<string, string>> = { input: 'an input', param: 'a parameter', constant: 'a constant' }

const pair = <K, V>(key: K | undefined, value: V): [K, V][] => (key === undefined ? [] : [[key, value]])

/** In a flat map, too, `dL/dy` is the gradient by y. */
function byName({ values, gradients }: Dump, loss: string): { values: Given[]; gradients: Given[] } {
  const prefix = `d${loss}/d`
  const isGradient = ({ name }: Given): boolean => name.startsWith(prefix)
  const plain = (g: Given): Given => (isGradient(g) ? { ...g, name: g.name.slice(prefix.length).replace(/^\((.*)\)$/, '$1') } : g)
  const all = [...values.values()]
  return {
    values: all.filter((g) => !isGradient(g)),
    gradients: [...all.filter(isGradient), ...(gradients?.values() ?? [])].map(plain),
  }
}

interface Seed {
  readonly name: string
  /** The name that a dump gives it. */
  readonly key: string
  /** What it is the value of; undefined where the argument of the loss has no name. */
  readonly expr: Expr | undefined
}

/** Where the derivation from an opaque loss starts: ∂L/∂y, or only its direct part where y reaches the loss by other ways, too. */
function seedsOf({ network, raw, structure }: Derivation): Seed[] {
  if (!network.lossIsOpaque) return []
  return network.loss.expr.args[0]!.args.filter((arg) => structure.varies.has(arg)).map((arg) => {
    const value = structure.valueAt.get(arg)
    const gradient = value && raw.get(value)
    const direct = gradient?.contributions.find((c) => c.consumer === network.loss)?.term
    const name = value?.name ?? ''
    return { name, key: gradient?.given ? name : `${name}->${network.loss.name}`, expr: direct?.op.atomic ? direct : undefined }
  })
}

/** Throws a Failure in the spec's text if numbers for the roots would need those of an opaque function. */
export function requireKnown(roots: readonly Expr[], given: ReadonlyMap<Expr, Tensor>, { network }: Derivation): void {
  const below = (expr: Expr): readonly Expr[] => {
    if (given.has(expr)) return []
    const expansion = definition(expr)
    return expansion ? [...expr.args, expansion] : expr.args
  }
  const needed = new Set(inOrder(roots, below))
  const unknown = (value: Value): string[] => [
    ...new Set(inOrder([value.expr.args[0]!], (e) => (e.op.atomic ? [] : below(e))).flatMap((e) => (e.op.unknown ? [e.op.name] : []))),
  ]
  const faults = [...network.values.values()]
    .filter((value) => value.expr.args.length > 0 && needed.has(value.expr))
    .map((value) => ({ value, functions: unknown(value) }))
    .filter(({ functions }) => functions.length > 0)
    .map(({ value, functions }) => diagnostic('can-not-evaluate', { name: value.name, functions: functions.join(', ') }, value.span))
  if (faults.length > 0) throw new Failure(faults)
}
