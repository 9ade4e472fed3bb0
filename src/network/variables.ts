/** Inputs, parameters and constants: their shapes, domains and values. */

import { collecting, fail, gather, nearest } from '../diagnostic.ts'
import { type Dim, sameDim, sizeSymbol } from '../expr/dim.ts'
import { type Shape, shapeText } from '../expr/shape.ts'
import { type Domain, variable } from '../ops/leaves.ts'
import { type Tensor, tensor } from '../tensor/tensor.ts'
import type { Ast, Loop, Mark } from './ast.ts'
import type { Declaration, Document, Text } from './document.ts'
import { type Module, requireProper } from './draft.ts'
import { isSymbolicRange, memberName, requireIndex, stepsOf, withIndex } from './families.ts'
import { define, enrol, type Frame, namedValue, newNaming } from './frame.ts'
import { dimOf } from './sizes.ts'
import { parseExpression, parseLoop } from './syntax.ts'

type Declarations = Pick<Document, 'inputs' | 'params' | 'constants'>
type Role = 'input' | 'param' | 'constant'

/** Declares the variables of a body, and the instances of modules among its parameters. */
export function declareVariables({ inputs, params, constants }: Declarations, frame: Frame): void {
  const groups = [
    ['input', inputs],
    ['param', params],
    ['constant', constants],
  ] as const
  // every symbol of a shape is a size before the first name could be taken for one
  for (const [, declarations] of groups) for (const declaration of declarations) declareSizes(declaration, frame)
  for (const [role, declarations] of groups) {
    for (const declaration of declarations) {
      try {
        const members = membersOf(declaration, frame)
        for (let i = 0; i < members.length; i++) declareMember(members[i]!, role, declaration, frame)
      } catch (error) {
        gather(error, frame.draft.faults)
        frame.broken.add(declaration.name.text.replace(/\[.*$/s, ''))
      }
    }
  }
}

/** One variable of a declaration: a family has several, each with its own indices. */
export interface Member {
  readonly local: string
  readonly frame: Frame
}

/** x, s[1:T+1], W[N], or W[l in range(N)], where the shape may speak of l. */
const membersOf = ({ name }: Declaration, frame: Frame): readonly Member[] =>
  plainName.test(name.text) ? [{ local: name.text, frame }] : membersOfFamily(name, frame)

const plainName = /^[A-Za-z_]\w*$/

function membersOfFamily(name: Text, frame: Frame): readonly Member[] {
  const head = /^([\p{L}_][\p{L}\p{N}_]*)\s*(?:\[(.*)\])?$/su.exec(name.text)
  if (!head) return fail('bad-name', { name: name.text, why: 'a name is made of letters, digits and _' }, name)
  const [, base, inside] = head as unknown as [string, string, string | undefined]
  if (inside === undefined) return [{ local: base, frame }]
  requireProper(base, name, frame.draft)
  const start = name.start + name.text.indexOf('[') + 1
  const within: Text = name.exact ? { start, end: start + inside.length, text: inside, exact: true } : { ...name, text: inside }
  frame.families.set(base, frame.families.get(base) ?? new Set())
  // the members of a family whose length is a symbol are made when they are spoken of
  const isOpen = (loop: Loop): boolean => frame.keep !== undefined && isSymbolicRange(loop, frame.scope)
  if (/\bin\s+range\b/.test(inside)) {
    const loop = parseLoop(within)
    requireIndex(loop, frame.scope, within)
    if (isOpen(loop)) return []
    const at = (i: number): Frame => ({ ...frame, scope: withIndex(frame.scope, loop.index, i) })
    return stepsOf(loop, frame.scope, within).map((i) => ({ local: memberName(base, i), frame: at(i) }))
  }
  const marks = parseExpression({ ...name, text: name.text })
  if (marks.kind !== 'index') return fail('bad-name', { name: name.text, why: 'a family is written W[N] or s[1:T+1]' }, name)
  if (marks.marks.flatMap(bounds).some(isOpen)) return []
  const ranges = marks.marks.map((mark) => {
    // a family without members means nothing: h[0] is the first member alone, where a recursion starts
    if (mark.kind === 'at') return mark.value.kind === 'number' && mark.value.value === 0 ? [0] : rangeFrom(undefined, mark.value, frame)
    if (mark.kind === 'range' && mark.to && !mark.step) return rangeFrom(mark.from, mark.to, frame)
    return fail('bad-name', { name: name.text, why: 'a family is written W[N] or s[1:T+1]' }, name)
  })
  const names = ranges.reduce<string[]>((bases, range) => bases.flatMap((b) => range.map((i) => memberName(b, i))), [base])
  return names.map((local) => ({ local, frame }))
}

const bounds = (mark: Mark): Loop[] =>
  mark.kind === 'at'
    ? [{ index: 'i', to: mark.value }]
    : mark.kind === 'range' && mark.to
      ? [{ index: 'i', from: mark.from, to: mark.to }]
      : []

const rangeFrom = (from: Ast | undefined, to: Ast, { scope }: Frame): readonly number[] => stepsOf({ index: 'i', from, to }, scope, to)

/** One variable, or one instance of a module. */
export function declareMember({ local, frame }: Member, role: Role, declaration: Declaration, owner: Frame): void {
  const { draft } = frame
  const naming = newNaming(local, declaration.name, owner)
  if (declaration.module) {
    owner.instances.set(local, { name: local, module: moduleOf(declaration.module, frame), owner, calls: 0, places: new Map() })
    enrol(local, owner.families)
    return
  }
  const shape = shapeOf(declaration, frame)
  const expr = variable(naming.name, shape, naming.layout, domainOf(declaration, frame))
  define(local, namedValue(naming, role, expr), owner)
  if (declaration.value !== undefined) draft.fixed.set(expr, fixedValue(declaration, shape))
}

function moduleOf(name: Text, { draft: { modules } }: Frame): Module {
  const near = nearest(name.text, modules.keys())
  return modules.get(name.text) ?? fail('unknown-module', { name: name.text, ...(near ? { near } : {}) }, name)
}

/** Makes sizes of the symbols in a declaration's shape: shapes are read before names, whatever their order. */
function declareSizes({ name, shape }: Declaration, frame: Frame): void {
  if (shape === undefined || areKnown(shape, frame.scope)) return
  const index = name.text.endsWith(']') ? /\[\s*(\w+)\s+in\b/.exec(name.text)?.[1] : undefined
  const inner = index === undefined ? frame : { ...frame, scope: withIndex(frame.scope, index, sizeSymbol(index)) }
  // what is wrong with a shape is said when the variable is declared
  collecting([], () => shapeFrom(shape, inner))
}

function areKnown(shape: readonly Text[], { dims }: Frame['scope']): boolean {
  for (let i = 0; i < shape.length; i++) if (!dims.has(shape[i]!.text)) return false
  return true
}

function shapeOf({ shape, value }: Declaration, frame: Frame): Shape {
  if (shape) return shapeFrom(shape, frame)
  return value === undefined ? [] : shapeOfNumbers(value)
}

function shapeFrom(written: readonly Text[], frame: Frame): Shape {
  const shape = new Array<Dim>(written.length)
  for (let i = 0; i < written.length; i++) shape[i] = frame.scope.dims.get(written[i]!.text) ?? readDim(written[i]!, frame)
  return shape
}

/** A size of a shape. Its symbols are sizes from then on. */
function readDim(text: Text, { draft, dims, scope }: Frame): Dim {
  const declare = (name: string): void => {
    draft.dims.set(name, sizeSymbol(name))
    dims.set(name, sizeSymbol(name))
  }
  const dim = dimOf(parseExpression(text), scope.dims, declare)
  if (typeof dim === 'number' && dim < 0) fail('bad-dim', { what: text.text, found: 'a size is not negative' }, text)
  return dim
}

type Numbers = NonNullable<Declaration['value']>

function shapeOfNumbers(value: Numbers): number[] {
  const shape: number[] = []
  for (let inner: Numbers | undefined = value; Array.isArray(inner); inner = inner[0] as Numbers | undefined) shape.push(inner.length)
  return shape
}

function fixedValue(declaration: Declaration, shape: Shape): Tensor {
  const own = shapeOfNumbers(declaration.value!)
  const data = ([declaration.value!] as unknown[]).flat(Number.POSITIVE_INFINITY as 1) as number[]
  const fits = own.length === shape.length && own.every((d, i) => sameDim(d, shape[i]!)) && data.length === own.reduce((n, d) => n * d, 1)
  if (!fits)
    fail(
      'shapes',
      { what: `the value of ${declaration.name.text} does not fit its shape`, detail: `${shapeText(own)} and ${shapeText(shape)}` },
      declaration.name,
    )
  return tensor(own, Float64Array.from(data))
}

function domainOf(declaration: Declaration, frame: Frame): Domain | undefined {
  if (!declaration.is) return undefined
  const index = /^index\((.+)\)$/.exec(declaration.is.text)
  if (index) return { kind: 'index', classes: readDim({ ...declaration.is, text: index[1]!, exact: false }, frame) }
  return { kind: declaration.is.text as Domain['kind'] }
}
