/** Closed forms: where a stretch of the network is an operation of the registry written out, the error through it is its textbook formula. */
import { type Attr, type Attrs, definition, type Expr } from '../expr/expr.ts'
import { sameShape, shapeText } from '../expr/shape.ts'
import { inOrder, substitute } from '../expr/traverse.ts'
import { nameLayout } from '../layout/names.ts'
import type { Network, Value } from '../network/network.ts'
import { add } from '../ops/arithmetic.ts'
import type { Operation } from '../ops/define.ts'
import { isOptional } from '../ops/define.ts'
import { operations } from '../ops/index.ts'
import { domainOf, fill, numberOf, variable } from '../ops/leaves.ts'
import { inShape } from '../ops/movement.ts'
import { canonicaliser } from '../rewrite/canonical.ts'
import { repeat } from '../rewrite/terms.ts'
import type { Gradients, Rules } from './reverse.ts'
import { type Stretch, stretchesOf } from './stretches.ts'
import type { Structure } from './structure.ts'

/** A gradient with the paths of one stretch added up to a closed form. */
export interface ClosedForm {
  readonly of: Value
  /** Where the stretch ends. */
  readonly to: Value
  /** What the stretch is. */
  readonly op: Operation
  /** How many contributions it adds up. */
  readonly paths: number
  readonly total: Expr
}

/** Operations that are defined by others and know a closed form of their error. */
const composites = [...operations.values()].filter((o) => o.expand && o.vjp && !o.params[0]!.startsWith('...'))

/** A number that stands for a scalar of the network where an operation takes a number. */
const marker = 1.2345678e-5

/** The closed forms in a network: of the stretches with one end the longest; of those with one beginning the one that adds up most paths, and the simplest of these. */
export function closedForms(
  network: Network,
  structure: Structure,
  gradients: Gradients,
  { simplify, collect }: Pick<Rules, 'simplify' | 'collect'>,
): ReadonlyMap<Value, ClosedForm> {
  const recognise = recogniser()
  const formOf = (stretch: Stretch): ClosedForm | undefined => {
    const { from, to, inner, end } = stretch
    const [own, arriving] = [gradients.get(from), gradients.get(to)]
    if (!own || !arriving || own.given) return undefined
    const match = recognise(stretch)
    // called by its name, it sends its closed form already
    if (match?.call === (end === to.expr ? end.args[0] : end)) return undefined
    const sent = match?.op.vjp?.(match.call.args, arriving.adjoint, match.call.attrs, end === to.expr ? end : match.call)[0]
    if (!match || !sent) return undefined
    const rest = own.contributions.filter((c) => c.consumer !== to && !inner.has(c.consumer)).map((c) => c.term)
    const through = simplify(match.inNames(sent))
    const total = rest.length === 0 ? through : collect(add([...rest, through]))
    return total === own.total ? undefined : { of: from, to, op: match.op, paths: own.contributions.length - rest.length, total }
  }
  const [byEnd, byBeginning] = [new Map<Value, ClosedForm>(), new Map<Value, ClosedForm>()]
  for (const stretch of [...stretchesOf(network, structure)].sort((a, b) => b.inner.size - a.inner.size)) {
    const form = byEnd.has(stretch.to) ? undefined : formOf(stretch)
    if (form) byEnd.set(stretch.to, form)
  }
  for (const form of byEnd.values()) {
    const other = byBeginning.get(form.of)
    if (!other || other.paths < form.paths || (other.paths === form.paths && partsOf(form) < partsOf(other))) byBeginning.set(form.of, form)
  }
  return byBeginning
}

const partsOf = ({ total }: ClosedForm): number => inOrder([total]).length

interface Match {
  readonly op: Operation
  /** The operation as it would be called by its name. */
  readonly call: Expr
  /** What it computes on the way, by the names that the network has for it. */
  readonly inNames: (expr: Expr) => Expr
}

/** Finds the operation that a stretch is: both have one canonical form. What has been worked out is kept for stretches of the same shapes. */
function recogniser(): (stretch: Stretch) => Match | undefined {
  const canonical = canonicaliser(() => false)
  const holders = new Map<string, Expr>()
  const templates = new Map<string, ReadonlyMap<Expr, { readonly op: Operation; readonly attrs: Attrs; readonly args: readonly Expr[] }>>()
  /** A variable in the place of a value of this shape and domain. */
  const holder = (key: string, value: Expr): Expr => {
    const domain = domainOf(value)
    const name = `${key}${shapeText(value.shape)}${domain.kind}`
    if (!holders.has(name)) holders.set(name, variable(name, value.shape, nameLayout(key), domain))
    return holders.get(name)!
  }

  return ({ from, to, end, inner, others }) => {
    const names = new Set<Expr>([...[...inner].map((v) => v.expr), ...(end === to.expr ? [end] : [])])
    const scalar = others.find((e) => e.shape.length === 0)
    const tensors = others.filter((e) => e.shape.length > 0)
    const held = new Map<Expr, Expr>([
      [from.expr, holder('x', from.expr)],
      ...tensors.map((e, i) => [e, holder(`t${i}`, e)] as const),
      ...(scalar ? [[scalar, fill(marker)] as const] : []),
    ])
    const below = (e: Expr): readonly Expr[] => (names.has(e) ? e.args : e.visible)
    const inHolders = (e: Expr): Expr => canonical(substitute([e], (part) => held.get(part), below)[0]!)
    const parts = inOrder([end], below)
    const choices = choicesIn(parts, scalar !== undefined)
    const key = [...[...held.values()].map((e) => e.op.name), shapeText(end.shape), JSON.stringify(choices)].join()
    if (!templates.has(key)) {
      const args = [holder('x', from.expr), ...tensors.map((e, i) => holder(`t${i}`, e))]
      const calls = composites.flatMap((op) => callsOf(op, args, choices)).filter((call) => sameShape(call.shape, end.shape))
      templates.set(key, new Map(calls.reverse().map((call) => [canonical(call), { ...call, op: call.op as Operation }])))
    }
    const template = templates.get(key)!.get(inHolders(end))
    if (!template) return undefined
    const { op, attrs } = template
    const back = new Map([...held].map(([real, stand]) => [stand, real]))
    const call = op.build(
      template.args.map((a) => back.get(a)!),
      attrs,
    )
    const nameOf = new Map([...names].map((name) => [inHolders(name), name]))
    /** What is made of the stretch alone: by a name of the network, or without the number that stands for a scalar. */
    const inNames = (expr: Expr): Expr => {
      const parts = inOrder([expr])
      const own = new Set<Expr>()
      const instead = new Map<Expr, Expr>()
      for (const e of parts) {
        if (scalar && numberOf(e) === marker) instead.set(e, repeat(scalar, e.shape))
        const args = e.visible
        if (args.length === 0 ? !held.has(e) && e.id >= 0 : !args.every((a) => own.has(a))) continue
        own.add(e)
        const known = nameOf.get(inHolders(e)) ?? withKeptAxes(e, (reduced) => nameOf.get(inHolders(reduced)))
        if (known) instead.set(e, known)
        else if (e.op.expand && Object.values(e.attrs).includes(marker)) instead.set(e, inNames(definition(e)!))
      }
      return substitute([expr], (e) => instead.get(e))[0]!
    }
    return { op, call, inNames }
  }
}

/** What is known of a reduction that drops its axes, for the one that keeps them. */
function withKeptAxes(e: Expr, known: (reduced: Expr) => Expr | undefined): Expr | undefined {
  const dropped = e.shape.filter((d) => d !== 1)
  const name = dropped.length < e.shape.length ? known(inShape(e, dropped)) : undefined
  return name && inShape(name, e.shape)
}

/** Values that attributes may have, by their names: those that the stretch itself mentions. */
type Choices = Readonly<Record<string, readonly Attr[]>>

function choicesIn(parts: readonly Expr[], hasScalar: boolean): Choices {
  const distinct = (all: readonly Attr[]): readonly Attr[] => [...new Map(all.map((a) => [JSON.stringify(a), a])).values()]
  const axes = parts.flatMap((e) => (Array.isArray(e.attrs.axis) && e.op.expand === undefined ? [e.attrs.axis as readonly Attr[]] : []))
  const means = parts.flatMap((e) => (Array.isArray(e.attrs.axis) ? [e.attrs.axis as readonly Attr[]] : []))
  const numbers = parts.map(numberOf).filter((n) => n !== undefined && n > 0 && n < 0.1)
  return {
    axis: distinct([...axes, ...means].flatMap((axis) => (axis.length === 1 ? [axis, axis[0]!] : [axis]))),
    keepdims: [false, true],
    ddof: [0, 1],
    eps: hasScalar || numbers.length > 0 ? distinct([...(hasScalar ? [marker] : []), ...(numbers as number[])]) : [0],
    groups: distinct(parts.flatMap((e) => e.shape.filter((d) => typeof d === 'number' && d > 1))),
    reduction: ['mean', 'sum', 'none'],
  }
}

/** An operation on these tensors in every way that the choices allow. */
function callsOf(op: Operation, args: readonly Expr[], choices: Choices): readonly Expr[] {
  const needed = op.params.filter((p) => !isOptional(p)).length
  const lists = args.map((_, i) => args.slice(0, i + 1)).slice(needed - 1, op.params.length)
  const settings = Object.keys(op.attributes).reduce<readonly Attrs[]>(
    (all, name) => {
      const values = choices[name]?.length ? choices[name] : undefined
      return values ? all.flatMap((attrs) => values.map((value) => ({ ...attrs, [name]: value }))) : all
    },
    [{}],
  )
  return lists.flatMap((list) => settings.flatMap((attrs) => built(op, list, attrs) ?? []))
}

function built(op: Operation, args: readonly Expr[], attrs: Attrs): Expr | undefined {
  try {
    return op.build(args, attrs)
  } catch {
    // shapes that it does not take
    return undefined
  }
}
