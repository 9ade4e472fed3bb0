/** How an operation is defined: one call that says all there is to know of it, and gives back the function that builds it. */
import { fail } from '../diagnostic.ts'
import { type Dim, isSymbolic } from '../expr/dim.ts'
import { type Attr, type Attrs, dressed, type Expr, make, none, type Op, type Path } from '../expr/expr.ts'
import { dimText, type Shape } from '../expr/shape.ts'
import type { Layout } from '../layout/layout.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Attribute, Attributes, Values } from './attributes.ts'
import { tellingAll } from './untold.ts'

/** One T for each parameter; `['...terms']` stands for any number, and the last ones may be left out: `'b?'`. */
export type Each<P extends readonly string[], T> = P extends readonly [`...${string}`]
  ? readonly T[]
  : { readonly [K in keyof P]: P[K] extends `${string}?` ? T | undefined : T }

/** What every definition tells; leaving a part out does not compile. */
interface Face<P extends readonly string[], A> {
  /** One sentence: what happens to the error here. */
  readonly why: string
  /** The value, as documentation shows it. */
  readonly formula: string
  /** Where formula or gradient come from. */
  readonly source: string
  /** Calls in spec syntax with the shapes of their arguments: 'softmax(z) | z: [n, k]'. Tests and documentation come from them. */
  readonly examples: readonly string[]
  /** Brings the arguments to one shape: elementwise operations broadcast. */
  readonly align?: (args: readonly Expr[]) => readonly Expr[]
  readonly core?: number
  readonly joins?: true
  readonly letter?: string
  readonly passes?: (expr: Expr) => readonly Expr[]
  readonly frozen?: boolean
  readonly linear?: readonly number[] | 'each'
  /** A call gives the attributes first, and then the arguments one by one: einsum("ij,jk->ik", A, B). */
  readonly attributesFirst?: true
  /** The order in which a call gives arguments and attributes, where it is not the arguments first. */
  readonly slots?: readonly string[]
  /** Without a rule it has the shape of its first argument. */
  shape?(args: Each<P, Shape>, attrs: A): Shape
  notation(args: Each<P, Layout>, attrs: A, expr: Expr): Layout
  bare?(args: Each<P, Layout>, attrs: A): Layout
  kinks?(args: Each<P, Tensor>, attrs: A): readonly Tensor[]
  reason?(expr: Expr): string
  paths?(args: Each<P, Expr>, g: Expr, attrs: A, y: Expr): readonly Path[]
  /** f′ of a pointwise function. */
  slope?(args: Each<P, Expr>, attrs: A): Expr
  readonly guises?: { explicit(args: Each<P, Expr>, attrs: A): Expr; output?(args: Each<P, Expr>, attrs: A): Expr }
}

/** Errors that flow back to the arguments, null where none does. */
type Pullback<P extends readonly string[], A> = (args: Each<P, Expr>, g: Expr, attrs: A, y: Expr) => Each<P, Expr | null>

export interface Primitive<P extends readonly string[], A> extends Face<P, A> {
  evaluate(args: Each<P, Tensor>, attrs: A, shape: readonly number[]): Tensor
  vjp: Pullback<P, A>
}

export interface Composite<P extends readonly string[], A> extends Face<P, A> {
  expand(args: Each<P, Expr>, attrs: A): Expr
  /** A way to compute the same value that does not overflow. */
  evaluate?(args: Each<P, Tensor>, attrs: A, shape: readonly number[]): Tensor
  /** The textbook's closed form, where it is nicer than what follows from `expand`; tests compare the two. */
  vjp?: Pullback<P, A>
}

/** An operation in the registry: callable, and readable by documentation, elaborator and tests. */
export interface Operation extends Op {
  (...args: never[]): Expr
  readonly params: readonly string[]
  readonly attributes: Attributes
  readonly formula: string
  readonly source: string
  readonly examples: readonly string[]
  readonly attributesFirst: boolean
  /** Its parameters as a call names them. */
  readonly plainParams: readonly string[]
  /** The order in which a call gives arguments and attributes. */
  readonly slots: readonly string[]
  /** Builds the expression from arguments and raw attribute values; faults name the signature. */
  build(args: readonly Expr[], raw: Attrs): Expr
}

type Given<A> = Partial<Values<A>>
type Call<P extends readonly string[], A> = P extends readonly [`...${string}`]
  ? (args: readonly Expr[], attrs?: Given<A>) => Expr
  : (...args: [...{ [K in keyof P]: P[K] extends `${string}?` ? Expr | undefined : Expr }, attrs?: Given<A>]) => Expr

/**
 * Defines an operation: `op('matmul', ['A', 'B'])({ … })`. (Two calls, so that the rule for the error may use the
 * operation itself.) Parameters are tensors; attributes are everything else, in the order in which a call may give them.
 */
export function op<const P extends readonly string[], A extends Attributes = Record<never, never>>(
  name: string,
  params: P,
  attributes: A = {} as A,
) {
  return (definition: Primitive<P, Values<A>> | Composite<P, Values<A>>): Call<P, A> & Operation => {
    const variadic = params[0]?.startsWith('...') ?? false
    const hasAttributes = Object.keys(attributes).length > 0
    /** There is nothing to leave out and nothing else to give. */
    const isPlain = !variadic && !hasAttributes && !params.some(isOptional)
    const build = (args: readonly Expr[], raw: Attrs): Expr => {
      const ready = definition.align?.(args) ?? args
      return make(self, ready, hasAttributes ? resolved(self, ready, raw) : none)
    }
    // a key that is worked out gives the function its name
    const { [name]: callable } = {
      [name]: (...given: (Expr | readonly Expr[] | Attrs | undefined)[]): Expr => {
        if (isPlain && given.length === params.length) return build(given as Expr[], none)
        const args = (variadic ? given[0] : givenArgs(given, params.length)) as readonly Expr[]
        return build(args, (given[variadic ? 1 : params.length] ?? none) as Attrs)
      },
    }
    const { vjp } = definition as unknown as Op
    const notation = tellingAll((definition as unknown as Op).notation, attributes)
    // what was left out receives no error
    const sent: Op['vjp'] = params.some(isOptional) && vjp ? (args, ...rest) => vjp(args, ...rest).slice(0, args.length) : vjp
    const self = dressed(callable!, { ...definition, notation, vjp: sent, name } as unknown as Op) as Call<P, A> & Operation
    const facts: { -readonly [K in keyof Operation]: Operation[K] } = self
    facts.params = params
    facts.plainParams = params.map(plainName)
    facts.attributes = attributes
    facts.build = build
    facts.formula = definition.formula
    facts.source = definition.source
    facts.examples = definition.examples
    facts.attributesFirst = definition.attributesFirst ?? false
    facts.slots = definition.slots ?? [...params.map(plainName), ...Object.keys(attributes)]
    return self
  }
}

/** The arguments among what a call gives: those that are left out stand at the end. */
function givenArgs<T>(given: readonly (T | undefined)[], count: number): readonly (T | undefined)[] {
  let length = Math.min(count, given.length)
  while (length > 0 && given[length - 1] === undefined) length--
  return given.length === length ? given : given.slice(0, length)
}

/** A parameter that a call may leave out, together with all after it. */
export const isOptional = (param: string): boolean => param.endsWith('?')

/** A parameter as a call names it: without its marks. */
const plainName = (param: string): string => param.replace(/^\.\.\.|\?$/g, '')

/** matmul(A, B), softmax(x, axis=-1), linear(x, W, b=None) */
export function signature({ name, params, plainParams, attributes, attributesFirst, slots }: Operation): string {
  const rest = Object.keys(attributes).map((key) => settable(key, attributes[key]!.initial))
  if (attributesFirst) return `${name}(${[...rest, ...plainParams, '…'].join(', ')})`
  const all = slots.map((slot) => {
    const param = params[plainParams.indexOf(slot)]
    return param === undefined ? settable(slot, attributes[slot]!.initial) : written(param)
  })
  return `${name}(${all.join(', ')})`
}

const settable = (key: string, initial: Attr | undefined): string =>
  initial === undefined || initial === null ? key : `${key}=${pythonic(initial)}`

const written = (param: string): string =>
  param.startsWith('...') ? `[${plainName(param)}]` : isOptional(param) ? `${plainName(param)}=None` : param

const pythonic = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(pythonic).join(', ')}]`
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return value === null
    ? 'None'
    : isSymbolic(value as Attr)
      ? dimText(value as Dim)
      : typeof value === 'string'
        ? `"${value}"`
        : String(value)
}

/** All attributes, checked: the given ones, and the defaults of the others. */
function resolved(operation: Operation, args: readonly Expr[], raw: Attrs): Attrs {
  const names = Object.keys(operation.attributes)
  const shapes = args.map((a) => a.shape)
  return Object.fromEntries(
    names.map((key) => {
      const attribute = operation.attributes[key] as Attribute<never>
      const value = raw[key] === undefined ? attribute.initial : raw[key]
      const read = value === undefined ? undefined : attribute.read(value, shapes)
      if (read === undefined) {
        const found = value === undefined ? 'missing' : pythonic(value)
        fail('bad-argument', { signature: signature(operation), argument: key, expected: attribute.expected, found })
      }
      return [key, read]
    }),
  )
}
