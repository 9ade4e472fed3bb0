/** Reads a claim: its two sides as expressions of the network, its gradients and its Jacobians. */
import type { Derivation } from '../derive/derive.ts'
import { fail, locating, nearest } from '../diagnostic.ts'
import type { Dim } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { shapeText } from '../expr/shape.ts'
import { nameLayout } from '../layout/names.ts'
import type { Ast } from '../network/ast.ts'
import { expressionOf } from '../network/expression.ts'
import { referenceOf, refuseMember, stepsOf, withIndex } from '../network/families.ts'
import type { Claim, Scope, Value } from '../network/network.ts'
import { add, divide, multiply, negate } from '../ops/arithmetic.ts'
import { fill, named, numberOf } from '../ops/leaves.ts'
import { product } from '../ops/linear.ts'
import { T } from '../ops/movement.ts'
import { hints } from '../words.ts'
import { applied, isOperator, negated, type Operator, shapesOf, zero } from './operator.ts'

export interface Sides {
  readonly left: Expr | Operator
  readonly right: Expr | Operator
}

/** The two sides of a claim. Throws a located Failure. */
export function sidesOf(claim: Claim, derivation: Derivation, at: ReadonlyMap<string, Dim>): Sides {
  const scope = claimScope(derivation, claim, at)
  const [target] = claim.equation.targets
  return { left: readSide(target!, scope, derivation), right: readSide(claim.equation.value, scope, derivation) }
}

/** The value whose gradient is the left side of a claim, if it is one and nothing else. */
export function subjectOf({ equation }: Claim, derivation: Derivation, at: ReadonlyMap<string, Dim>): Value | undefined {
  const [target] = equation.targets
  if (target?.kind !== 'derivative' || !isLoss(target.of, derivation)) return undefined
  const name = referenceOf(target.by, scopeAt(derivation, at))?.name
  return name === undefined ? undefined : derivation.network.values.get(name)
}

/** A network's scope in which derivatives have a meaning, with the claim's local names. */
function claimScope(derivation: Derivation, { where }: Pick<Claim, 'where'>, at: ReadonlyMap<string, Dim>): Scope {
  const plain = scopeAt(derivation, at)
  const values = new Map(plain.values)
  const scope: Scope = { ...plain, values, extend: (ast, here) => extended(ast, here, derivation) }
  for (const { name, value } of where) values.set(name, expressionOf(value, scope))
  return scope
}

/** A network's scope with a value for the index of a claim. */
const scopeAt = ({ network: { scope } }: Derivation, at: ReadonlyMap<string, Dim>): Scope =>
  at.size === 0 ? scope : { ...scope, dims: new Map([...scope.dims, ...at]) }

/** What only claims can say: gradients, contributions, and products with Jacobians. */
function extended(ast: Ast, scope: Scope, derivation: Derivation): Expr | undefined {
  if (ast.kind === 'contribution') return contribution(ast, scope, derivation)
  if (ast.kind !== 'derivative' && ast.kind !== 'product') return undefined
  if (ast.kind === 'product' && !mentionsOperator(ast, scope, derivation)) return undefined
  const value = operatorValue(ast, scope, derivation)
  if (isOperator(value)) {
    fail('not-here', { what: 'a Jacobian', where: 'a tensor expression', hint: 'Apply it to a tensor: dF/dx.T @ dL/dy.' }, ast)
  }
  return value
}

const isLoss = (ast: Ast, { network }: Derivation): boolean => ast.kind === 'name' && ast.name === network.loss.name

/** Whether a tree stands for an operator: it has a Jacobian or I at its top. */
function mentionsOperator(ast: Ast, scope: Scope, derivation: Derivation): boolean {
  const below = (inner: Ast): boolean => mentionsOperator(inner, scope, derivation)
  switch (ast.kind) {
    case 'derivative':
      return !isLoss(ast.of, derivation)
    case 'name':
      return ast.name === 'I' && !scope.values.has('I')
    case 'transpose':
    case 'negate':
      return below(ast.of)
    case 'over':
      return ast.sign !== 'list' && below(ast.body)
    case 'sum':
      return ast.terms.some((t) => below(t.term))
    case 'product':
      return (
        below(ast.first) ||
        ast.rest.some((r) => below(r.factor)) ||
        factorsOf(ast).some((f) => f.isMatrix && isEmptyProduct(f.factor, scope))
      )
    default:
      return false
  }
}

const readSide = (ast: Ast, scope: Scope, derivation: Derivation): Expr | Operator =>
  mentionsOperator(ast, scope, derivation) ? operatorValue(ast, scope, derivation) : expressionOf(ast, scope)

/** A tree that has an operator in it: the operator, or the tensor that it gives. */
function operatorValue(ast: Ast, scope: Scope, derivation: Derivation): Expr | Operator {
  const of = (inner: Ast): Expr | Operator => readSide(inner, scope, derivation)
  return locating(ast, () => {
    switch (ast.kind) {
      case 'name':
        return identity
      case 'derivative':
        return isLoss(ast.of, derivation) ? gradient(ast.by, scope, derivation) : jacobian(ast, scope, derivation)
      case 'transpose': {
        const inner = of(ast.of)
        return isOperator(inner) ? { kind: 'transposed', of: inner } : T(inner)
      }
      case 'negate':
        return summed([{ negative: true, term: of(ast.of) }])
      case 'sum':
        return summed(ast.terms.map(({ negative, term }) => ({ negative, term: of(term) })))
      case 'product':
        return factorsOf(ast)
          .map(({ sign, factor, isMatrix }) => ({ sign, value: isMatrix && isEmptyProduct(factor, scope) ? identity : of(factor) }))
          .reduce((left, right) => ({ sign: left.sign, value: combined(left.value, right.sign, right.value, derivation) })).value
      case 'over':
        return overIndex(ast, scope, derivation)
      default:
        return expressionOf(ast, scope)
    }
  })
}

const identity: Operator = { kind: 'identity' }

/** The factors of a product, each with the sign before it; what stands beside an @ is a matrix or a vector. */
function factorsOf({
  first,
  rest,
}: Ast & { kind: 'product' }): { readonly sign: string; readonly factor: Ast; readonly isMatrix: boolean }[] {
  const all = [{ sign: '', factor: first }, ...rest]
  return all.map(({ sign, factor }, i) => ({ sign, factor, isMatrix: sign === '@' || rest[i]?.sign === '@' }))
}

/** A product over an index that takes no value; of matrices it is I. */
const isEmptyProduct = (ast: Ast, scope: Scope): boolean =>
  ast.kind === 'transpose' ? isEmptyProduct(ast.of, scope) : isEmpty(ast, 'prod', scope)

const isEmpty = (ast: Ast, sign: 'sum' | 'prod', scope: Scope): boolean =>
  ast.kind === 'over' && ast.sign === sign && stepsOf(ast.loop, scope, ast).length === 0

/** The sum, or the product in the order of the index, of what has Jacobians in it. */
function overIndex(ast: Ast & { kind: 'over' }, scope: Scope, derivation: Derivation): Expr | Operator {
  const parts = stepsOf(ast.loop, scope, ast).map((at) => readSide(ast.body, withIndex(scope, ast.loop.index, at), derivation))
  if (ast.sign === 'sum') return parts.length === 0 ? fill(0) : summed(parts.map((term) => ({ negative: false, term })))
  if (parts.length === 0) return identity
  return parts.reduce((left, right) => combined(left, '@', right, derivation))
}

/** A sum of tensors (each may come of a Jacobian applied to one), or of operators. */
function summed(terms: readonly { readonly negative: boolean; readonly term: Expr | Operator }[]): Expr | Operator {
  const tensors = terms.flatMap(({ negative, term }) => (isOperator(term) ? [] : [negative ? negate(term) : term]))
  if (tensors.length === terms.length) return add(tensors)
  return { kind: 'sum', terms: terms.map(({ negative, term }) => (negative ? negated(asOperator(term)) : asOperator(term))) }
}

function combined(left: Expr | Operator, sign: string, right: Expr | Operator, { structure }: Derivation): Expr | Operator {
  if (sign === '@' && left === identity) return right
  if (sign === '@' && right === identity) return left
  if (!isOperator(left) && !isOperator(right))
    return sign === '@' ? product(left, right) : sign === '/' ? divide(left, right) : multiply([left, right])
  if (sign === '*' && !isOperator(left) && left.shape.length === 0) return { kind: 'scaled', factor: left, of: asOperator(right) }
  if (sign === '*' && !isOperator(right) && right.shape.length === 0) return { kind: 'scaled', factor: right, of: asOperator(left) }
  if (sign !== '@') fail('not-here', { what: sign, where: 'a product with a Jacobian', hint: 'A Jacobian is applied with @.' })
  if (isOperator(left) && !isOperator(right) && !isMatrixFor(left, right)) return applied(left, right, false, structure)
  if (!isOperator(left) && left.shape.length === 1) return applied(asOperator(right), left, true, structure)
  return { kind: 'product', left: asOperator(left), right: asOperator(right) }
}

/** A matrix beside a Jacobian of vectors is composed with it; beside one of matrices it is what it is applied to. */
const isMatrixFor = (left: Operator, right: Expr): boolean => right.shape.length === 2 && (shapesOf(left)[1]?.length ?? 1) < 2

/** What stands beside a Jacobian as a linear map: a matrix, or a literal 0, which fits any shape. */
export function asOperator(value: Expr | Operator): Operator {
  if (isOperator(value)) return value
  if (value.shape.length === 2) return { kind: 'matrix', matrix: value }
  if (numberOf(value) === 0 && value.shape.length === 0) return zero
  const hint = value.shape.length === 1 ? { hint: hints.diagonal } : {}
  return fail('shapes', { what: 'beside a Jacobian stand matrices', detail: `this has the shape ${shapeText(value.shape)}`, ...hint })
}

/** The value that a derivative is taken by. */
function referred(ast: Ast, scope: Scope, { network, structure }: Derivation): Value {
  const name = referenceOf(ast, scope)?.name
  if (name === undefined) return fail('not-here', { what: 'an expression', where: 'a derivative, which is taken by a named value' }, ast)
  const expr = scope.values.get(name)
  const value = expr && structure.valueAt.get(expr)
  if (value) return value
  refuseMember(name, scope, ast)
  const near = nearest(name, network.values.keys())
  return fail('unknown-name', { name, ...(near ? { near } : {}) }, ast)
}

function gradient(by: Ast, scope: Scope, derivation: Derivation): Expr {
  const value = referred(by, scope, derivation)
  if (value.role === 'constant') {
    fail(
      'not-here',
      {
        what: `the gradient by ${value.name}`,
        where: 'a claim',
        hint: `${value.name} is a constant; declare it under inputs to derive its gradient.`,
      },
      by,
    )
  }
  return derivation.raw.get(value)?.adjoint ?? fill(0, value.expr.shape)
}

function contribution(ast: Ast & { kind: 'contribution' }, scope: Scope, derivation: Derivation): Expr {
  const [from, to] = [referred(ast.from, scope, derivation), referred(ast.to, scope, derivation)]
  if (!isLoss(ast.of, derivation)) fail('later-version', { what: 'a contribution to anything but the gradient of the loss' }, ast)
  const found = derivation.raw.get(from)?.contributions.find((c) => c.consumer === to)
  if (found) return found.term
  const consumers = (derivation.structure.vertexAt.get(from)?.uses ?? []).map((u) => u.by.value.name)
  return fail(
    'not-here',
    {
      what: `${from.name}->${to.name}`,
      where: 'a claim',
      hint: `${to.name} does not use ${from.name}; it is used by ${consumers.join(', ') || 'nothing'}.`,
    },
    ast,
  )
}

function jacobian(ast: Ast & { kind: 'derivative' }, scope: Scope, derivation: Derivation): Operator {
  const by = referred(ast.by, scope, derivation).expr
  // a sum of nothing has no shape of its own
  if (isEmpty(ast.of, 'sum', scope)) return zero
  const name = referenceOf(ast.of, scope)
  const known = name?.rest.length === 0 ? scope.values.get(name.name) : undefined
  const of = known ?? named('A', nameLayout('A'), expressionOf(ast.of, scope))
  return { kind: 'jacobian', of, by }
}
