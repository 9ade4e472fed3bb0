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
  readonly name: string
  readonly role: 'input' | 'param' | 'constant' | 'node' | 'loss'
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
  /** Conditions on random points: masks that must hold everywhere. */
  readonly assumptions: readonly Expr[]
  /** Values that the spec gives to constants. */
  readonly fixed: ReadonlyMap<Expr, Tensor>
  /** Sizes that stay symbolic. */
  readonly sizes: readonly string[]
  readonly scope: Scope
}

/** What a name means in an expression. */
export interface Scope {
  readonly values: ReadonlyMap<string, Expr>
  /** The members of each family, by their names: z has z[0], z[1] … */
  readonly families: ReadonlyMap<string, readonly string[]>
  readonly functions: ReadonlyMap<string, DeclaredFunction>
  readonly dims: ReadonlyMap<string, Dim>
  readonly text: string
  /** Names whose definition is faulty: what uses them is skipped, not reported again. */
  readonly broken: ReadonlySet<string>
  /** Gives the call of an opaque function that is called once the function's name, as a node of its own. */
  readonly nameCall?: ((f: DeclaredFunction, args: readonly Expr[]) => Expr | undefined) | undefined
  /** Calls an instance of a module: what it returns. */
  readonly isInstance?: ((name: string) => boolean) | undefined
  readonly apply?: ((name: string, args: readonly Expr[], span: Span) => readonly Expr[]) | undefined
  /** Reads what only some expressions can say: derivatives in claims. */
  readonly extend?: (ast: Ast, scope: Scope) => Expr | undefined
}
