/** The syntax tree of expressions: what specs, claims and (later) LaTeX equations are read into. */
import type { Span } from '../diagnostic.ts'

export type Ast = Span &
  (
    | { readonly kind: 'number'; readonly value: number }
    | { readonly kind: 'string'; readonly value: string }
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'list'; readonly items: readonly Ast[] }
    /** Sums and products hold all their parts: a sum of a million terms is not a million levels deep. */
    | { readonly kind: 'sum'; readonly terms: readonly { readonly negative: boolean; readonly term: Ast }[] }
    | { readonly kind: 'product'; readonly first: Ast; readonly rest: readonly { readonly sign: ProductSign; readonly factor: Ast }[] }
    | { readonly kind: 'negate'; readonly of: Ast }
    | { readonly kind: 'power'; readonly base: Ast; readonly exponent: Ast }
    | { readonly kind: 'compare'; readonly sign: CompareSign; readonly left: Ast; readonly right: Ast }
    | { readonly kind: 'transpose'; readonly of: Ast; readonly last: boolean }
    | {
        readonly kind: 'call'
        readonly callee: string
        readonly head: Span
        readonly args: readonly Ast[]
        readonly named: readonly NamedArgument[]
      }
    /** blocks[l](x): the call of what is no plain name */
    | { readonly kind: 'apply'; readonly of: Ast; readonly args: readonly Ast[] }
    | { readonly kind: 'index'; readonly of: Ast; readonly marks: readonly Mark[] }
    | { readonly kind: 'member'; readonly of: Ast; readonly name: string }
    /** dL/dx, d(EXPR)/d(ref) */
    | { readonly kind: 'derivative'; readonly of: Ast; readonly by: Ast }
    /** dL/d(x->y) */
    | { readonly kind: 'contribution'; readonly of: Ast; readonly from: Ast; readonly to: Ast }
    /** sum(body for i in range(from, to)), or a list of them */
    | { readonly kind: 'over'; readonly sign: 'sum' | 'prod' | 'list'; readonly body: Ast; readonly loop: Loop }
  )

export type ProductSign = '*' | '/' | '//' | '@'
export type CompareSign = '<' | '<=' | '>' | '>=' | '==' | '!='

export interface NamedArgument extends Span {
  readonly name: string
  readonly value: Ast
}

/** One place between the brackets of an index. */
export type Mark =
  | { readonly kind: 'at'; readonly value: Ast }
  | { readonly kind: 'range'; readonly from?: Ast | undefined; readonly to?: Ast | undefined; readonly step?: Ast | undefined }
  | { readonly kind: 'new' }

/** l in range(from, to) */
export interface Loop {
  readonly index: string
  readonly from?: Ast | undefined
  readonly to: Ast
  readonly step?: Ast | undefined
}

/** targets = value */
export interface EquationAst extends Span {
  readonly kind: 'equation'
  readonly targets: readonly Ast[]
  readonly value: Ast
}

/** One line of a body of equations, or a loop over such lines. */
export type Step = EquationAst | { readonly kind: 'for'; readonly loop: Loop; readonly span: Span; readonly body: readonly Step[] }
