/** Families: z[0] … z[N] are values of their own, each under its name with the index in it. */
import { Failure, fail, nearest, type Span } from '../diagnostic.ts'
import { type Dim, isSymbolic } from '../expr/dim.ts'
import { dimText } from '../expr/shape.ts'
import { operations } from '../ops/index.ts'
import type { Ast, Loop, Mark } from './ast.ts'
import { lengthsText } from './lengths.ts'
import type { Scope } from './network.ts'
import { attributeOf } from './sizes.ts'

/** Longer loops are a mistake: every step is a layer. */
const mostSteps = 1_000_000

/** z[l+1] with l = 2 is the name z[3]. */
export const memberName = (family: string, at: Dim): string => `${family}[${indexText(at)}]`

export const indexText = (at: Dim): string => dimText(at).replaceAll('−', '-').replaceAll('·', '*')

/** A tree that names a member: its name, and the marks that then pick entries of the tensor. */
export interface Reference {
  readonly name: string
  readonly rest: readonly Mark[]
}

/** x, z[l+1], blocks[0].W1 or h[l, t][0]: the name that a tree refers to, if it refers to one. */
export function referenceOf(ast: Ast, scope: Scope): Reference | undefined {
  if (ast.kind === 'name') return { name: ast.name, rest: [] }
  if (ast.kind === 'member') {
    const owner = referenceOf(ast.of, scope)
    return owner?.rest.length === 0 ? { name: `${owner.name}.${ast.name}`, rest: [] } : undefined
  }
  if (ast.kind !== 'index') return undefined
  const owner = referenceOf(ast.of, scope)
  if (!owner || owner.rest.length > 0 || !isFamily(owner.name, scope)) return undefined
  let name = owner.name
  let used = 0
  for (const mark of ast.marks) {
    if (mark.kind !== 'at' || !isFamily(name, scope)) break
    const at = indexOf(mark.value, scope)
    scope.reach?.(name, at, ast)
    name = memberName(name, at)
    used++
  }
  if (used === 0)
    fail('not-here', { what: 'a slice', where: 'a family', hint: `Members are taken one by one, ${name}[0], or all: stack(${name}).` }, ast)
  return { name, rest: ast.marks.slice(used) }
}

const isFamily = (name: string, { families }: Scope): boolean => families.has(name)

/** A whole number or an expression of sizes and indices. */
export function indexOf(ast: Ast, scope: Scope): Dim {
  const value = attributeOf(ast, scope.dims)
  if (isSymbolic(value) || (typeof value === 'number' && Number.isInteger(value))) return value
  const unknown = ast.kind === 'name' && !scope.dims.has(ast.name)
  if (unknown) {
    const near = nearest(ast.name, scope.dims.keys())
    fail(
      'unknown-name',
      { name: ast.name, ...(near ? { near } : {}), hint: 'An index is made of numbers, sizes and the indices of loops.' },
      ast,
    )
  }
  return fail('bad-dim', { what: 'this index', found: 'an index is a whole number or an expression of sizes' }, ast)
}

/** The members of a family in the order of their indices. */
export function membersOf(family: string, { families }: Pick<Scope, 'families'>): readonly string[] {
  const at = (name: string): number => Number(name.slice(family.length + 1, -1))
  return [...(families.get(family) ?? [])].sort((a, b) => at(a) - at(b))
}

/** Fails if a name that is not known is that of a member which its family does not have. */
export function refuseMember(name: string, scope: Scope, span?: Span): void {
  const { trial, text } = scope
  const family = name.slice(0, name.lastIndexOf('['))
  // a faulty loop has been told, and leaves members out
  if (scope.broken.has(family)) throw new Failure([])
  const members = name.endsWith(']') ? membersOf(family, scope) : []
  if (members.length === 0) return
  const listed = members.length > 3 ? `${members[0]}, ${members[1]}, …, ${members.at(-1)}` : members.join(', ')
  const written = span ? text.slice(span.start, span.end) : ''
  const isReference = written.startsWith(`${family}[`) && written.endsWith(']')
  const tried = trial && isReference ? { written, lengths: lengthsText([trial]) } : {}
  fail('no-member', { name, family, count: members.length, listed, ...tried }, span)
}

/** Where a range begins and ends; the step is 1 unless both are numbers. */
export function boundsOf({ from, to }: Loop, scope: Scope): readonly [from: Dim, to: Dim] {
  return [from ? indexOf(from, scope) : 0, indexOf(to, scope)]
}

export const isSymbolicRange = (loop: Loop, scope: Scope): boolean => boundsOf(loop, scope).some(isSymbolic)

/** What already bears the name of an index, if something does. */
export function ownerOf(index: string, { values, families, functions, dims, isInstance }: Scope): string | undefined {
  if (operations.has(index)) return 'an operation'
  if (functions.has(index)) return 'a function'
  if (dims.has(index)) return 'a size, or the index of a loop around this one'
  return values.has(index) || families.has(index) || isInstance?.(index) ? 'a value of the network' : undefined
}

/** Fails if the index of a loop, a sum or a product means something else already. */
export function requireIndex({ index }: Loop, scope: Scope, span: Span): void {
  const first = ownerOf(index, scope)
  if (first) fail('duplicate-name', { name: index, first }, span)
}

/** The values that an index takes. */
export function stepsOf(loop: Loop, scope: Scope, span: Span): readonly number[] {
  const bound = (ast: Ast | undefined, otherwise: number): number => {
    if (!ast) return otherwise
    const value = indexOf(ast, scope)
    return isSymbolic(value) ? fail('symbolic-length', { index: loop.index, bound: dimText(value) }, ast) : value
  }
  const [from, to, step] = [bound(loop.from, 0), bound(loop.to, 0), bound(loop.step, 1)]
  if (step === 0) fail('bad-dim', { what: 'the step of a range', found: 'it is 0, so the loop never ends' }, span)
  const count = Math.max(0, Math.ceil((to - from) / step))
  if (count > mostSteps) fail('too-large', { what: 'the loop', limit: `${mostSteps} steps` }, span)
  return Array.from({ length: count }, (_, i) => from + i * step)
}

/** A scope in which an index has a value. */
export const withIndex = <S extends Pick<Scope, 'dims'>>(scope: S, index: string, at: Dim): S => ({
  ...scope,
  dims: new Map([...scope.dims, [index, at]]),
})
