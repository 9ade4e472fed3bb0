/** What a spec describes, once names and shapes are settled: one graph, and what is known of its nodes beside it. */
import type { Span } from '../diagnostic.ts'
import type { Dim } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import type { Layout } from '../layout/layout.ts'
import type { DeclaredFunction } from '../ops/opaque.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Ast, EquationAst, Loop } from './ast.ts'

/** A named value: an input, parameter, constant, or the node that an equation defines. */
export interface Value {
  /** That of its expression: what is known of values stands in tables. */
  readonly id: number
  readonly name: string
  /** A loop whose length is a symbol sends errors to values outside of it. */
  readonly role: 'input' | 'param' | 'constant' | 'node' | 'loss' | 'loop'
  /** A leaf, or the named wrapper of the right-hand side. */
  readonly expr: Expr
  readonly layout: Layout
  readonly span: Span
  /** It names the one call of an opaque function; in the equation it prints as the call. */
  readonly isCall?: boolean
}

export interface Claim {
  readonly equation: EquationAst
  /** It is about each value of an index. */
  readonly loop?: Loop | undefined
  readonly where: readonly { readonly name: string; readonly value: EquationAst['value'] }[]
  readonly negated: boolean
  /** As it was written. */
  readonly source: string
  readonly span: Span
}

/** A loop whose length is a symbol: one step of it, for an index that is a symbol too, and the step after it. */
export interface SymbolicLoop {
  /** loop l, by which it is spoken of. */
  readonly name: string
  /** What marks the part of an error that comes through it: enough to tell it from other loops. */
  readonly mark: string
  readonly index: string
  /** The index runs from `from` to `to` − 1. */
  readonly from: Dim
  readonly to: Dim
  readonly carried: readonly Carried[]
  /** The nodes that a step defines. */
  readonly step: readonly Value[]
  readonly next: readonly Value[]
  /** Variables that belong to a step: inputs and parameters with its index. */
  readonly own: readonly Value[]
  /** What the loss sums over the steps: the term of this step. */
  readonly summands: readonly Summand[]
  readonly span: Span
}

/** What a step hands to the next: z[l] → z[l+1]. */
export interface Carried {
  readonly family: string
  readonly incoming: Value
  readonly outgoing: Value
  readonly after: Value
  /** Where the recursion starts, z[0], and what is used of it when the loop is over, z[N]. */
  readonly first: Value
  readonly last: Value | undefined
}

/** What a network that is one step of a loop knows of the loop. */
export interface StepOfLoop {
  readonly index: string
  /** Nodes whose gradient has another form in the last step, where no next one sends an error: their names stay. */
  readonly recurring: ReadonlySet<Expr>
  /** The errors that arrive from nodes of the next step, each with the same node of this one. */
  readonly ahead: ReadonlyMap<Expr, Value>
  /** A formula of this step as the next one has it. */
  readonly shift: (formula: Expr) => Expr
}

/** An error that arrives at a value from outside. */
export interface Seed {
  readonly error: Expr
  /** What sends it: a loop, or the loss for all that the network is a part of. */
  readonly by: Value
}

export interface Summand {
  /** Stands for the whole sum in the loss. */
  readonly sum: Expr
  readonly term: Expr
}

export interface Network {
  readonly title: string | undefined
  readonly about: string | undefined
  /** All named values in the order of their definition, the loss last. */
  readonly values: ReadonlyMap<string, Value>
  readonly loss: Value
  /** Only the arguments of the loss are known: the derivation starts from their gradients. */
  readonly lossIsOpaque: boolean
  readonly functions: ReadonlyMap<string, DeclaredFunction>
  readonly claims: readonly Claim[]
  /** Modules that make claims, each as a network of its own with an unknown loss: one for each shape that they are called with. */
  readonly modules: readonly Network[]
  /** Loops that stay symbolic. */
  readonly loops: readonly SymbolicLoop[]
  readonly unrolling?: Unrolling | undefined
  /** The loop that this network is one step of. */
  readonly step?: StepOfLoop | undefined
  /** How the name of a value is set, also of one that only a formula speaks of. */
  readonly layoutOf: (name: string) => Layout
  /** Errors that come from outside: the rest of a network that this one is a part of. */
  readonly seeds: ReadonlyMap<Expr, readonly Seed[]>
  /** Conditions on random points: masks that must hold everywhere. */
  readonly assumptions: readonly Expr[]
  /** Values that the spec gives to constants. */
  readonly fixed: ReadonlyMap<Expr, Tensor>
  /** Sizes that stay symbolic. */
  readonly sizes: readonly string[]
  readonly scope: Scope
}

/** How a network with symbolic loops is unrolled. */
export interface Unrolling {
  /** The symbols that say how long loops and families are. */
  readonly depths: readonly string[]
  /** Whether modules speak of them. */
  readonly isInModules: boolean
  /** The same network with numbers for them. Throws a Failure if they don't fit together. */
  to(lengths: Lengths): Network
}

/** A number for each symbol that says how long loops are. */
export type Lengths = ReadonlyMap<string, number>

/** What a name means in an expression. */
export interface Scope {
  readonly values: ReadonlyMap<string, Expr>
  /** The members of each family, by their names: z has z[0], z[1] … */
  readonly families: ReadonlyMap<string, ReadonlySet<string>>
  readonly functions: ReadonlyMap<string, DeclaredFunction>
  readonly dims: ReadonlyMap<string, Dim>
  readonly text: string
  /** Numbers that stand for lengths which stay symbols. */
  readonly trial?: Lengths | undefined
  /** Names whose definition is faulty: what uses them is skipped, not reported again. */
  readonly broken: ReadonlySet<string>
  /** Gives the call of an opaque function that is called once the function's name, as a node of its own. */
  readonly nameCall?: ((f: DeclaredFunction, args: readonly Expr[]) => Expr | undefined) | undefined
  /** Makes the member of a family that has no end: it exists as soon as it is spoken of. */
  readonly reach?: ((family: string, at: Dim, span: Span) => void) | undefined
  /** A sum whose bounds are symbols. */
  readonly sumOver?: ((ast: Ast & { kind: 'over' }, scope: Scope) => Expr) | undefined
  /** Calls an instance of a module: what it returns. */
  readonly isInstance?: ((name: string) => boolean) | undefined
  readonly apply?: ((name: string, args: readonly Expr[], ast: Ast) => readonly Expr[]) | undefined
  /** Reads what only some expressions can say: derivatives in claims. */
  readonly extend?: (ast: Ast, scope: Scope) => Expr | undefined
}
