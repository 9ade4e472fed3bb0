/** Turns the syntax tree of an expression into an expression of the graph; every fault gets its place. */
import { Failure, fail, hinted, located, nearest, type Span } from '../diagnostic.ts'
import { type Dim, isSymbolic } from '../expr/dim.ts'
import type { Attr, Attrs, Expr } from '../expr/expr.ts'
import { broadcastShape, shapeText } from '../expr/shape.ts'
import { add, divide, equal, greater, greaterEqual, less, lessEqual, multiply, negate, notEqual } from '../ops/arithmetic.ts'
import { isOptional, type Operation, signature } from '../ops/define.ts'
import { power } from '../ops/elementary.ts'
import { operations } from '../ops/index.ts'
import { fill, numberOf, sizeValue } from '../ops/leaves.ts'
import { product } from '../ops/linear.ts'
import { T } from '../ops/movement.ts'
import type { Ast, Mark, ProductSign } from './ast.ts'
import { binderNames, boundCall, isBinder } from './binders.ts'
import { isSymbolicRange, membersOf, referenceOf, refuseMember, requireIndex, stepsOf, withIndex } from './families.ts'
import { indexed } from './indexing.ts'
import { doNotFit, misfitAmong, textOf } from './misfits.ts'
import { namesIn } from './names.ts'
import type { Scope } from './network.ts'
import { attributeOf } from './sizes.ts'

/** Thrown silently where a name is used whose own definition is faulty. */
export const skipped = new Failure([])

const comparisons = { '>': greater, '>=': greaterEqual, '<': less, '<=': lessEqual, '==': equal, '!=': notEqual }

/** The expression that a tree stands for in a scope. Throws located faults. */
export function expressionOf(ast: Ast, scope: Scope): Expr {
  try {
    const extended = scope.extend?.(ast, scope)
    if (extended) return extended
    switch (ast.kind) {
      case 'number':
        return fill(ast.value)
      case 'name':
        return nameOf(ast.name, scope)
      case 'sum':
        return sumOf(ast, scope)
      case 'product':
        return productOf(ast, scope)
      case 'negate':
        return negated(expressionOf(ast.of, scope))
      case 'power':
        return power(expressionOf(ast.base, scope), expressionOf(ast.exponent, scope))
      case 'compare': {
        const [left, right] = [expressionOf(ast.left, scope), expressionOf(ast.right, scope)]
        if (!broadcastShape(left.shape, right.shape)) doNotFit('compare', [ast.left, ast.right], [left, right], 1, scope)
        return comparisons[ast.sign](left, right)
      }
      case 'transpose': {
        const x = expressionOf(ast.of, scope)
        if (x.shape.length > 2 && !ast.last) {
          fail('shapes', {
            what: '.T is for vectors and matrices',
            detail: `this has the shape ${shapeText(x.shape)}`,
            hint: '.mT swaps the last two axes; transpose(x, [2, 0, 1]) orders them all.',
          })
        }
        return T(x)
      }
      case 'index': {
        const member = referenceOf(ast, scope)
        if (member && member.rest.length < ast.marks.length) return entriesOf(nameOf(member.name, scope, ast), member.rest, ast, scope)
        return entriesOf(expressionOf(ast.of, scope), ast.marks, ast, scope)
      }
      case 'member': {
        const member = referenceOf(ast, scope)
        return member ? nameOf(member.name, scope, ast) : fail('not-here', { what: `.${ast.name}`, where: 'an expression' })
      }
      case 'over':
        return overIndex(ast, scope)
      case 'apply': {
        const name = referenceOf(ast.of, scope)?.name ?? ''
        if (!scope.isInstance?.(name)) {
          fail(
            'not-here',
            { what: 'a call', where: 'this place', hint: 'Functions and instances of modules are called by their names.' },
            ast.of,
          )
        }
        return onlyValue(name, scope.apply!(name, expressionsOf(ast.args, scope), ast))
      }
      case 'call':
        return callOf(ast, scope)
      case 'list':
        return fail('not-here', {
          what: 'a list',
          where: 'an expression',
          hint: 'Tensors are joined with concat([a, b]) or stack([a, b]).',
        })
      case 'string':
        return fail('not-here', { what: 'a string', where: 'an expression' })
      case 'derivative':
      case 'contribution':
        return fail('not-here', { what: 'a derivative', where: 'the definition of a network', hint: 'Derivatives belong into claims.' })
    }
  } catch (error) {
    throw located(error, ast)
  }
}

function expressionsOf(asts: readonly Ast[], scope: Scope): Expr[] {
  const exprs = new Array<Expr>(asts.length)
  for (let i = 0; i < asts.length; i++) exprs[i] = expressionOf(asts[i]!, scope)
  return exprs
}

const entriesOf = (x: Expr, marks: readonly Mark[], ast: Ast, scope: Scope): Expr =>
  marks.length === 0 ? x : indexed(x, marks, (bound) => sizeOf(bound, scope), ast)

/** sum(… for t in range(T)): the sum or the ordered product of what the body is for each value of the index. */
function overIndex(ast: Ast & { kind: 'over' }, scope: Scope): Expr {
  if (ast.sign === 'sum' && scope.sumOver && isSymbolicRange(ast.loop, scope)) return scope.sumOver(ast, scope)
  if (ast.sign === 'list') return fail('not-here', { what: 'a list', where: 'an expression' })
  const parts = partsOver(ast, scope)
  if (parts.length === 0) return fill(ast.sign === 'sum' ? 0 : 1)
  if (ast.sign === 'sum') return add(parts)
  return parts.reduce((left, right) =>
    left.shape.length === 2 && right.shape.length === 2 ? product(left, right) : multiply([left, right]),
  )
}

/** The body of a sum, product or list, for each value of its index. */
function partsOver(ast: Ast & { kind: 'over' }, scope: Scope): Expr[] {
  requireIndex(ast.loop, scope, ast)
  return stepsOf(ast.loop, scope, ast).map((at) => expressionOf(ast.body, withIndex(scope, ast.loop.index, at)))
}

/** The value of a call inside an expression. */
const onlyValue = (name: string, values: readonly Expr[]): Expr =>
  values.length === 1
    ? values[0]!
    : fail('not-here', {
        what: `${name}, which returns ${values.length} values,`,
        where: 'an expression',
        hint: 'Give each of them a name: h, c = cell(x, h0, c0)',
      })

const negated = (x: Expr): Expr => {
  const value = numberOf(x)
  return value === undefined ? negate(x) : fill(-value, x.shape)
}

function productWith(sign: ProductSign, before: Span, factor: Ast, left: Expr, right: Expr, scope: Scope): Expr {
  if (sign === '@') return product(left, right)
  if (sign === '//') fail('not-here', { what: '//', where: 'an expression', hint: 'It divides sizes; tensors are divided with /.' })
  if (!broadcastShape(left.shape, right.shape))
    doNotFit(sign === '*' ? 'multiply entry by entry' : 'divide', [before, factor], [left, right], 1, scope)
  return sign === '*' ? multiply([left, right]) : divide(left, right)
}

function sumOf({ terms }: Ast & { kind: 'sum' }, scope: Scope): Expr {
  const exprs = new Array<Expr>(terms.length)
  for (let i = 0; i < terms.length; i++) exprs[i] = expressionOf(terms[i]!.term, scope)
  const misfit = misfitAmong(exprs)
  if (misfit > 0)
    doNotFit(
      'add',
      terms.map((t) => t.term),
      exprs,
      misfit,
      scope,
    )
  for (let i = 0; i < terms.length; i++) if (terms[i]!.negative) exprs[i] = negated(exprs[i]!)
  return add(exprs)
}

function productOf(ast: Ast & { kind: 'product' }, scope: Scope): Expr {
  const { first, rest } = ast
  let result = expressionOf(first, scope)
  for (let i = 0; i < rest.length; i++) {
    const { sign, factor } = rest[i]!
    const next = expressionOf(factor, scope)
    try {
      result = productWith(sign, i === 0 ? first : upTo(i - 1, ast), factor, result, next, scope)
    } catch (error) {
      throw located(error, upTo(i, ast))
    }
  }
  return result
}

/** A product up to one of its factors. */
const upTo = (i: number, { start, rest }: Ast & { kind: 'product' }): Span => ({ start, end: rest[i]!.factor.end })

function nameOf(name: string, scope: Scope, ast?: Ast): Expr {
  if (scope.broken.has(name)) throw skipped
  const value = scope.values.get(name)
  if (value) return value
  const dim = scope.dims.get(name)
  if (dim !== undefined) return sizeValue(dim)
  if (name === 'pi') return fill(Math.PI)
  if (name === 'True' || name === 'False') return fill(name === 'True' ? 1 : 0)
  if (scope.families.has(name))
    return fail('not-here', {
      what: `the family ${name}`,
      where: 'an expression',
      hint: `Name a member, such as ${membersOf(name, scope)[0]}, or join them all: stack(${name}).`,
    })
  refuseMember(name, scope, ast)
  const near = nearest(name, [...scope.values.keys(), ...scope.dims.keys()])
  const isFunction = operations.has(name) || scope.functions.has(name)
  return fail('unknown-name', {
    name,
    ...(near && !name.endsWith(']') ? { near } : {}),
    ...hintFor(name, isFunction, scope),
  })
}

function hintFor(name: string, isFunction: boolean, { isInstance }: Scope): { hint?: string } {
  if (isInstance?.(name)) return { hint: `${name} is an instance of a module: call it, ${name}(…), or name a node in it, ${name}.y.` }
  if (isFunction) return { hint: `${name} is a function: call it, ${name}(…).` }
  return /^d\p{L}/u.test(name) ? { hint: 'Derivatives such as dL/dx stand in claims.' } : {}
}

/** A size in an index or another place where only sizes may stand. */
function sizeOf(ast: Ast, scope: Scope): Dim {
  const value = attributeOf(ast, scope.dims)
  if (isSymbolic(value) || (typeof value === 'number' && Number.isInteger(value))) return value
  return fail('bad-dim', { what: textOf(ast, scope), found: 'an index is a whole number or an expression of sizes' }, ast)
}

function callOf(ast: Ast & { kind: 'call' }, scope: Scope): Expr {
  const base = ast.callee.endsWith("'") ? ast.callee.replace(/'+$/, '') : ast.callee
  const declared = scope.functions.get(base)
  if (declared) return declaredCall(ast, declared, scope)
  if (scope.isInstance?.(ast.callee)) {
    const args = expressionsOf(ast.args, scope)
    return onlyValue(ast.callee, scope.apply!(ast.callee, args, ast))
  }
  if (scope.broken.has(base)) throw skipped
  if (isBinder(ast.callee)) {
    const mentioned = ast.args
      .slice(1)
      .flatMap((a) => namesIn(a))
      .map((n) => n.name)
    return boundCall(ast, scope, expressionOf, mentioned)
  }
  const operation = operations.get(ast.callee)
  if (operation) return operationCall(ast, operation, scope)
  if (operations.has(base)) fail('unknown-operation', { name: ast.callee }, ast.head)
  const near = nearest(base, [...[...operations.keys(), ...binderNames].filter((name) => !name.endsWith("'")), ...scope.functions.keys()])
  return fail('unknown-operation', { name: base, ...(near ? { near } : {}) }, ast.head)
}

function declaredCall(ast: Ast & { kind: 'call' }, f: NonNullable<ReturnType<Scope['functions']['get']>>, scope: Scope): Expr {
  const given = ast.args.length + ast.named.length
  const sign = `${f.name}(${f.params.join(', ')})`
  if (given !== f.params.length || ast.named.length > 0) fail('argument-count', { signature: sign, given })
  const args = expressionsOf(ast.args, scope)
  const primes = ast.callee.length - f.name.length
  if (primes === 0) return scope.nameCall?.(f, args) ?? f.apply(args)
  if (primes > 1 || !f.prime) fail('unknown-operation', { name: ast.callee }, ast.head)
  return f.prime(args)
}

/** Positional arguments fill the parameters, then the attributes; keywords either. */
function operationCall(written: Ast & { kind: 'call' }, operation: Operation, scope: Scope): Expr {
  const ast = operation.attributesFirst ? regrouped(written, operation) : written
  const { params, plainParams, slots, attributes } = operation
  if (ast.args.length > slots.length) fail('argument-count', { signature: signature(operation), given: ast.args.length })
  const given = ast.args.map(unlessNone)
  for (const argument of ast.named) {
    const at = slots.indexOf(argument.name)
    if (at < 0) {
      const near = nearest(argument.name, slots)
      fail('unknown-argument', { signature: signature(operation), argument: argument.name, ...(near ? { near } : {}) }, argument)
    }
    given[at] = unlessNone(argument.value)
  }
  const inSlot = (slot: string): Ast | undefined => given[slots.indexOf(slot)]
  // what may be left out is left out together with all after it
  let count = plainParams.length
  while (count > 0 && isOptional(params[count - 1]!) && !inSlot(plainParams[count - 1]!)) count--
  const needed = plainParams.slice(0, count).map(inSlot)
  if (needed.includes(undefined))
    fail('argument-count', { signature: signature(operation), given: given.filter((value) => value !== undefined).length })
  const isVariadic = params[0]?.startsWith('...') ?? false
  const args = isVariadic ? listOf(needed[0]!, operation, scope) : expressionsOf(needed as Ast[], scope)
  const raw: Record<string, Attr> = {}
  for (const name in attributes) {
    const value = inSlot(name)
    if (value) raw[name] = rawAttribute(value, name, operation, scope)
  }
  try {
    return operation.build(args, raw as Attrs)
  } catch (error) {
    throw hinted(error, `It is called like this: ${signature(operation)}`)
  }
}

const unlessNone = (ast: Ast): Ast | undefined => (ast.kind === 'name' && ast.name === 'None' ? undefined : ast)

/** einsum("ij,jk->ik", A, B) as einsum([A, B], "ij,jk->ik"). */
function regrouped(ast: Ast & { kind: 'call' }, { attributes }: Operation): Ast & { kind: 'call' } {
  const count = Object.keys(attributes).length
  const items = ast.args.slice(count)
  const { start } = items[0] ?? ast
  const { end } = items.at(-1) ?? ast
  return { ...ast, args: [{ kind: 'list', start, end, items }, ...ast.args.slice(0, count)] }
}

function listOf(ast: Ast, operation: Operation, scope: Scope): Expr[] {
  if (ast.kind === 'list' && ast.items.length > 0) return expressionsOf(ast.items, scope)
  const family = referenceOf(ast, scope)?.name
  if (family !== undefined && scope.families.has(family)) return membersOf(family, scope).map((name) => nameOf(name, scope))
  if (ast.kind === 'over' && ast.sign === 'list') {
    const parts = partsOver(ast, scope)
    if (parts.length > 0) return parts
  }
  return fail(
    'bad-argument',
    { signature: signature(operation), argument: operation.plainParams[0]!, expected: 'a list, [a, b]', found: textOf(ast, scope) },
    ast,
  )
}

function rawAttribute(ast: Ast, name: string, operation: Operation, scope: Scope): Attr {
  const value = attributeOf(ast, scope.dims)
  if (value !== undefined) return value
  return fail(
    'bad-argument',
    { signature: signature(operation), argument: name, expected: operation.attributes[name]!.expected, found: textOf(ast, scope) },
    ast,
  )
}
