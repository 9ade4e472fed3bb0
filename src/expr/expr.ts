/** The expression graph: immutable, hash-consed nodes, so that equal expressions are one object. */
import { fail } from '../diagnostic.ts'
import type { Layout } from '../layout/layout.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Dim, isSymbolic, type Sizes, sizeIn } from './dim.ts'
import { type Shape, shapeText } from './shape.ts'

/** What an operation can be told beside its arguments: axes, sizes, flags. */
export type Attr = Dim | string | boolean | null | readonly Attr[]
export type Attrs = Readonly<Record<string, Attr>>

/** One of the ways on which the error comes back inside an operation, and what it brings. */
export interface Path {
  readonly through: Layout
  readonly term: Expr
}

/** An operation as the engines see it: all that is known of it hangs here, and nobody asks for its name. */
export interface Op {
  readonly name: string
  /** One sentence: what happens to the error here. */
  readonly why: string
  /** Brings the arguments to one shape before the expression is built: what is broadcast prints as it was written. */
  readonly align?: ((args: readonly Expr[]) => readonly Expr[]) | undefined
  /** How many axes at the end of each argument it works on together: those before them broadcast (NumPy's core dimensions). */
  readonly core?: number | undefined
  /** A name for its arguments: printing and rewriting don't look inside. */
  readonly atomic?: boolean | undefined
  /** A leaf with an identity of its own: never interned. */
  readonly fresh?: boolean | undefined
  /** Without a rule it has the shape of its first argument: it works entry by entry, or hands on. */
  readonly shape?: ((args: readonly Shape[], attrs: Attrs) => Shape) | undefined
  /** A name and a variable are written alike everywhere. */
  readonly layout?: Layout | undefined
  notation(args: readonly Layout[], attrs: Attrs, expr: Expr): Layout
  /** For what repeats its argument (or a number): how it prints beside something that has the full shape. */
  readonly bare?: ((args: readonly Layout[], attrs: Attrs) => Layout) | undefined
  /** A primitive computes its value … */
  readonly evaluate?: ((args: readonly Tensor[], attrs: Attrs, shape: readonly number[]) => Tensor) | undefined
  /** … a composite is defined by other operations. */
  readonly expand?: ((args: readonly Expr[], attrs: Attrs) => Expr) | undefined
  readonly vjp?: ((args: readonly Expr[], g: Expr, attrs: Attrs, y: Expr) => readonly (Expr | null)[]) | undefined
  /** Tensors whose sign decides which smooth piece applies: where one changes sign there is a kink. */
  readonly kinks?: ((args: readonly Tensor[], attrs: Attrs) => readonly Tensor[]) | undefined
  /** The arguments in which it is linear; 'each' in every one of them by itself. */
  readonly linear?: readonly number[] | 'each' | undefined
  /** By definition its gradient is not its derivative: differences hold its value fixed. */
  readonly frozen?: boolean | undefined
  /** Its value is not known: checks evaluate a stand-in, and nothing else can be evaluated. How large a loss is, points say. */
  readonly unknown?: boolean | 'loss' | undefined
  /** Its author declares its gradient: differences check the linear map that it claims. */
  readonly surrogate?: boolean | undefined
  /** Says more precisely what happens to the error, where the shapes decide it. */
  readonly reason?: ((expr: Expr) => string) | undefined
  /** f′ of a pointwise function f, where it has a name. */
  readonly slope?: ((args: readonly Expr[], attrs: Attrs) => Expr) | undefined
  /** The derivative of a pointwise function in another guise. */
  readonly guises?: Guises | undefined
  /** Sends the error of one argument along several paths, which its reason tells. */
  readonly joins?: true | undefined
  /** The paths on which the error comes back to its first argument; they add up to what `vjp` sends there. */
  readonly paths?: ((args: readonly Expr[], g: Expr, attrs: Attrs, y: Expr) => readonly Path[]) | undefined
  /** The letter that textbooks use for this quantity. */
  readonly letter?: string | undefined
  /** The arguments that it hands on as they are, at most scaled by a scalar or padded: where a sum joins them, they skip. */
  readonly passes?: ((expr: Expr) => readonly Expr[]) | undefined
}

/** An operation of its own. (Names and variables, of which there are many, have few fields.) */
export const operation = (face: Op): Op => dressed({ name: face.name }, face)

/**
 * Makes an operation of something that has its name, a function perhaps, with every field in its place, present or not. One layout of
 * objects for all operations keeps the engines' loops fast: they must not treat each as a new kind of thing. Field by field: what is
 * copied in a loop, V8 keeps as a hash table.
 */
export function dressed<T extends Pick<Op, 'name'>>(bare: T, face: Op): T & Op {
  const op = bare as T & { -readonly [K in keyof Op]: Op[K] }
  op.why = face.why
  op.align = face.align
  op.core = face.core
  op.atomic = face.atomic
  op.fresh = face.fresh
  op.shape = face.shape
  op.layout = face.layout
  op.notation = face.notation
  op.bare = face.bare
  op.evaluate = face.evaluate
  op.expand = face.expand
  op.vjp = face.vjp
  op.kinks = face.kinks
  op.linear = face.linear
  op.frozen = face.frozen
  op.unknown = face.unknown
  op.surrogate = face.surrogate
  op.reason = face.reason
  op.slope = face.slope
  op.guises = face.guises
  op.joins = face.joins
  op.paths = face.paths
  op.letter = face.letter
  op.passes = face.passes
  return op
}

/** f′(x) written out, or in terms of y = f(x). */
export interface Guises {
  explicit(args: readonly Expr[], attrs: Attrs): Expr
  output?: ((args: readonly Expr[], attrs: Attrs) => Expr) | undefined
}

export interface Expr {
  readonly op: Op
  readonly args: readonly Expr[]
  readonly attrs: Attrs
  readonly shape: Shape
  /** What is printed and rewritten below it: its arguments; nothing below a name, which hides what it stands for. */
  readonly visible: readonly Expr[]
  /** Creation order. It identifies; it never decides an order of printing. */
  readonly id: number
  /** Expressions that this one is the youngest argument of: most have one, in a long sum they have a table by key. */
  users: Expr | readonly Expr[] | Map<string, Expr> | undefined
  /** The last traversal that came by. */
  seen: number
}

/** What an operation without attributes is told. */
export const none: Attrs = {}
const nothing: readonly Expr[] = []
const opIds = new WeakMap<Op, number>()
const constants = new Map<string, Expr>()
let opCount = 0
let nodeCount = 0

function idOf(op: Op): number {
  let id = opIds.get(op)
  if (id === undefined) opIds.set(op, (id = ++opCount))
  return id
}

function attrKey(attr: Attr): string {
  if (typeof attr === 'object' && attr !== null)
    return isSymbolic(attr) ? attr.key : `(${(attr as readonly Attr[]).map(attrKey).join(',')})`
  return typeof attr === 'string' ? JSON.stringify(attr) : String(attr)
}

function attrsKey(attrs: Attrs): string {
  if (attrs === none) return ''
  let key = ''
  for (const name in attrs) key += `;${name}=${attrKey(attrs[name]!)}`
  return key
}

/**
 * The expression `op(args)`; the same object when it exists already.
 *
 * The table of expressions hangs on each one's youngest argument, so a network's expressions are garbage together with
 * its variables. Constants count as oldest (negative ids): they outlive networks and must not hold them.
 */
export function make(op: Op, args: readonly Expr[], attrs: Attrs = none): Expr {
  let host: Expr | undefined
  for (let i = 0; i < args.length; i++) if (host === undefined || args[i]!.id > host.id) host = args[i]
  if (host === undefined) return tabled(constants, op, args, attrs)
  const { users } = host
  if (users === undefined) return (host.users = node(op, args, attrs, host))
  if (users instanceof Map) return tabled(users, op, args, attrs, host)
  if ('op' in users) {
    if (isSame(users, op, args, attrs)) return users
    const made = node(op, args, attrs, host)
    host.users = [users, made]
    return made
  }
  for (let i = 0; i < users.length; i++) if (isSame(users[i]!, op, args, attrs)) return users[i]!
  if (users.length === fewUsers) {
    const table = new Map(users.map((user) => [keyOfNode(user.op, user.args, user.attrs), user]))
    host.users = table
    return tabled(table, op, args, attrs, host)
  }
  const made = node(op, args, attrs, host)
  // of exact length: there are many, and they are short
  host.users = [...users, made]
  return made
}

/** So many users are compared one by one; for more there is a table. */
const fewUsers = 6

function tabled(table: Map<string, Expr>, op: Op, args: readonly Expr[], attrs: Attrs, host?: Expr): Expr {
  const key = keyOfNode(op, args, attrs)
  let found = table.get(key)
  if (found === undefined) table.set(key, (found = node(op, args, attrs, host)))
  return found
}

const keyOfNode = (op: Op, args: readonly Expr[], attrs: Attrs): string =>
  `${idOf(op)},${args.map((a) => a.id).join(',')}${attrsKey(attrs)}`

const isSame = (user: Expr, op: Op, args: readonly Expr[], attrs: Attrs): boolean =>
  user.op === op && areSame(user.args, args) && (user.attrs === attrs || attrsKey(user.attrs) === attrsKey(attrs))

/** A new expression with this youngest argument. What is made of constants alone is a constant. */
function node(op: Op, args: readonly Expr[], attrs: Attrs, host: Expr | undefined): Expr {
  const shape = op.shape === undefined ? args[0]!.shape : shapeBy(op.shape, op, args, attrs)
  const id = host !== undefined && host.id >= 0 ? ++nodeCount : -++nodeCount
  return { op, args, attrs, shape, visible: op.atomic ? nothing : args, id, users: undefined, seen: 0 }
}

/** A new leaf with an identity of its own. */
export function leaf(op: Op, shape: Shape): Expr {
  return { op, args: nothing, attrs: none, shape, visible: nothing, id: ++nodeCount, users: undefined, seen: 0 }
}

/** The shape that a rule leads to, which must not be less than nothing. */
function shapeBy(rule: NonNullable<Op['shape']>, op: Op, args: readonly Expr[], attrs: Attrs): Shape {
  const shapes = new Array<Shape>(args.length)
  for (let i = 0; i < args.length; i++) shapes[i] = args[i]!.shape
  const shape = rule(shapes, attrs)
  for (let i = 0; i < shape.length; i++) if (typeof shape[i] === 'number' && !((shape[i] as number) >= 0)) leavesNothing(op, shape)
  return shape
}

const leavesNothing = ({ name }: Op, shape: Shape): never =>
  fail('shapes', { what: `${name} leaves nothing`, detail: `the result would have the shape ${shapeText(shape)}` })

/** The same operation on other arguments; the same object when nothing changed. */
export const withArgs = (expr: Expr, args: readonly Expr[]): Expr => (areSame(args, expr.args) ? expr : make(expr.op, args, expr.attrs))

/** Whether two lists hold the same expressions. */
export function areSame(a: readonly Expr[], b: readonly Expr[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** The attributes with numbers for symbolic sizes. */
export function concreteAttrs(attrs: Attrs, sizes: Sizes): Attrs {
  const concrete = (attr: Attr): Attr => (Array.isArray(attr) ? attr.map(concrete) : isSymbolic(attr) ? sizeIn(attr, sizes) : attr)
  return attrs === none ? attrs : Object.fromEntries(Object.entries(attrs).map(([k, v]) => [k, concrete(v)]))
}

/** The definition of a composite's value in other operations, remembered. */
export function definition(expr: Expr): Expr | undefined {
  if (!expr.op.expand) return undefined
  let known = definitions.get(expr)
  if (!known) definitions.set(expr, (known = expr.op.expand(expr.args, expr.attrs)))
  return known
}
const definitions = new WeakMap<Expr, Expr>()
