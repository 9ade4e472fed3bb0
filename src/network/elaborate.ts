/** From a document to a network: names get their meaning, expressions their shapes, and every fault is gathered. */
import { collecting, type Diagnostic, Failure, fail, locating, type Source, type Span } from '../diagnostic.ts'
import { type Dim, sameDim } from '../expr/dim.ts'
import type { Expr } from '../expr/expr.ts'
import { type Shape, shapeText } from '../expr/shape.ts'
import { type Layout, symbol } from '../layout/layout.ts'
import { nameLayout } from '../layout/names.ts'
import { toText } from '../layout/text.ts'
import { operations } from '../ops/index.ts'
import { type Domain, named, variable } from '../ops/leaves.ts'
import { type DeclaredFunction, opaque } from '../ops/opaque.ts'
import { type Tensor, tensor } from '../tensor/tensor.ts'
import type { Ast, EquationAst } from './ast.ts'
import type { ClaimEntry, Declaration, Document, Text } from './document.ts'
import { expressionOf } from './expression.ts'
import { declareFunctions } from './functions.ts'
import { namesIn } from './names.ts'
import type { Claim, Network, Scope, Value } from './network.ts'
import type { Differentiate } from './pointwise.ts'
import { dimOf } from './sizes.ts'
import { parseEquation, parseExpression } from './syntax.ts'

/** What is being built: the only place where a network is not yet immutable. */
interface Draft {
  readonly text: string
  readonly faults: Diagnostic[]
  readonly dims: Map<string, Dim>
  readonly values: Map<string, Value>
  readonly exprs: Map<string, Expr>
  readonly functions: Map<string, DeclaredFunction>
  readonly broken: Set<string>
  readonly fixed: Map<Expr, Tensor>
  readonly notation: ReadonlyMap<string, string>
  readonly differentiate: Differentiate
}

/** A named equation that was parsed but not yet read. */
interface Equation {
  readonly name: string
  readonly span: Span
  readonly value: Ast
}

/**
 * The network that a document describes. `sizes` fixes symbols over and above the document's own `dims`;
 * `differentiate` is asked for the derivatives of written-out pointwise functions.
 * Throws one Failure with every fault of the document.
 */
export function elaborate(document: Document, source: Source, sizes: ReadonlyMap<string, number>, differentiate: Differentiate): Network {
  const draft: Draft = {
    text: source.text,
    faults: [],
    dims: new Map<string, Dim>(document.dims.map(({ name, value }) => [name.text, value])),
    values: new Map(),
    exprs: new Map(),
    functions: new Map(),
    broken: new Set(),
    fixed: new Map(),
    notation: new Map(document.notation.map(({ name, latex }) => [name.text, latex.text])),
    differentiate,
  }
  for (const [name, size] of sizes) draft.dims.set(name, size)
  const equations = document.layers.flatMap((layer) => collecting(draft.faults, () => equationOf(layer)) ?? [])
  const loss = collecting(draft.faults, () => lossEquation(document.loss))
  const calls = callsIn([...equations.map((e) => e.value), ...(loss ? [loss.value] : [])])
  const taken = new Set(equations.map((e) => e.name))
  const scope: Scope = {
    values: draft.exprs,
    functions: draft.functions,
    dims: draft.dims,
    text: draft.text,
    broken: draft.broken,
    nameCall: (f, args) => (taken.has(f.name) ? undefined : nameCall(f, args, calls, draft)),
  }

  declareVariables(document, draft)
  declareFunctions(document.functions, draft, scope, calls)
  for (const [i, equation] of equations.entries()) collecting(draft.faults, () => defineNode(equation, equations, i, draft, scope))
  const lossIsOpaque = loss !== undefined && isOpaqueLoss(loss.value, draft)
  if (loss) collecting(draft.faults, () => defineLoss(loss, lossIsOpaque, draft, scope))
  const assumptions = document.assume.flatMap((text) => collecting(draft.faults, () => expressionOf(parseExpression(text), scope)) ?? [])
  const declared = (name: string) => draft.exprs.has(name) || draft.broken.has(name)
  const claims = document.claims.flatMap((entry) => collecting(draft.faults, () => claimOf(entry, source, declared)) ?? [])
  if (draft.faults.length > 0) throw new Failure(inPlace(draft.faults))
  return {
    title: document.name?.text,
    about: document.about?.text,
    values: draft.values,
    loss: draft.values.get(loss!.name)!,
    lossIsOpaque,
    functions: draft.functions,
    claims,
    assumptions,
    fixed: draft.fixed,
    sizes: [...draft.dims].flatMap(([name, dim]) => (typeof dim === 'number' ? [] : [name])),
    scope: { ...scope, nameCall: undefined },
  }
}

const inPlace = (faults: readonly Diagnostic[]): Diagnostic[] => [...faults].sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0))

function layoutOf(name: string, draft: Draft): Layout {
  const plain = nameLayout(name)
  const latex = draft.notation.get(name)
  return latex === undefined ? plain : symbol(toText(plain), latex)
}

/** A name that may be defined: not taken, and not one that the syntax needs. */
function requireFree(name: string, span: Span, draft: Draft): void {
  const taken = draft.values.get(name)
  if (taken) {
    const line = draft.text.slice(0, taken.span.start).split('\n').length
    fail('duplicate-name', { name, first: `${article(taken.role)} (line ${line})` }, span)
  }
  if (draft.dims.has(name)) fail('duplicate-name', { name, first: 'the size of an axis' }, span)
  if (name === 'True' || name === 'False' || name === 'None') fail('bad-name', { name, why: 'it is a constant of the language' }, span)
  if (name === 'T' || name === 'mT' || /\.m?T$/.test(name)) fail('bad-name', { name, why: 'it would hide the transpose .T' }, span)
  if (operations.has(name)) fail('bad-name', { name, why: 'it is an operation' }, span)
}

const article = (role: Value['role']): string =>
  role === 'input'
    ? 'an input'
    : role === 'param'
      ? 'a parameter'
      : role === 'constant'
        ? 'a constant'
        : role === 'loss'
          ? 'the loss'
          : 'a node'

function define(value: Value, draft: Draft): void {
  draft.values.set(value.name, value)
  draft.exprs.set(value.name, value.expr)
}

// variables

function declareVariables(document: Document, draft: Draft): void {
  const groups = [
    ['input', document.inputs],
    ['param', document.params],
    ['constant', document.constants],
  ] as const
  const all = groups.flatMap(([role, declarations]) => declarations.map((declaration) => ({ role, declaration })))
  const shapes = all.map(({ declaration }) => collecting(draft.faults, () => shapeOf(declaration, draft)))
  all.forEach(({ role, declaration }, i) => {
    const { name } = declaration
    const ok = collecting(draft.faults, () => {
      if (!/^[\p{L}_][\p{L}\p{N}_.]*$/u.test(name.text)) {
        if (name.text.includes('[')) fail('later-version', { what: 'a family of variables' }, name.span)
        fail('bad-name', { name: name.text, why: 'a name is made of letters, digits and _' }, name.span)
      }
      if (declaration.module) fail('later-version', { what: 'an instance of a module' }, declaration.module.span)
      requireFree(name.text, name.span, draft)
      if (!shapes[i]) return
      const expr = variable(name.text, shapes[i], layoutOf(name.text, draft), domainOf(declaration, draft))
      define({ name: name.text, role, expr, layout: layoutOf(name.text, draft), span: name.span }, draft)
      if (declaration.value !== undefined) draft.fixed.set(expr, fixedValue(declaration, shapes[i]))
      return true
    })
    if (!ok) draft.broken.add(name.text)
  })
}

function shapeOf(declaration: Declaration, draft: Draft): Shape | undefined {
  if (declaration.shape) return declaration.shape.map((dim) => readDim(dim, draft))
  if (declaration.value !== undefined) return shapeOfNumbers(declaration.value)
  return []
}

function readDim(text: Text, draft: Draft): Dim {
  const dim = dimOf(parseExpression(text), draft.dims, (name) =>
    draft.dims.set(
      name,
      dimOf(parseExpression({ ...text, text: name }), new Map(), () => {}),
    ),
  )
  if (typeof dim === 'number' && dim < 0) fail('bad-dim', { what: text.text, found: 'a size is not negative' }, text.span)
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
      declaration.name.span,
    )
  return tensor(own, Float64Array.from(data))
}

function domainOf(declaration: Declaration, draft: Draft): Domain | undefined {
  if (!declaration.is) return undefined
  const index = /^index\((.+)\)$/.exec(declaration.is.text)
  if (index) return { kind: 'index', classes: readDim({ ...declaration.is, text: index[1]!, exact: false }, draft) }
  return { kind: declaration.is.text as Domain['kind'] }
}

// equations

function equationOf(layer: Document['layers'][number]): Equation[] {
  if (layer.kind === 'for') fail('later-version', { what: 'a loop' }, layer.header.span)
  const { targets, value } = parseEquation(layer.text)
  return targets.map((target) => {
    if (target.kind !== 'name') fail('syntax', { expected: 'a name before the =', found: 'an expression' }, target.span)
    if (targets.length > 1) fail('later-version', { what: 'an equation with several targets' }, target.span)
    return { name: target.name, span: target.span, value }
  })
}

function defineNode({ name, span, value }: Equation, all: readonly Equation[], at: number, draft: Draft, scope: Scope): void {
  let expr: Expr | undefined
  try {
    requireFree(name, span, draft)
    requireEarlier(name, value, all, at, draft)
    expr = expressionOf(value, scope)
  } finally {
    if (!expr) draft.broken.add(name)
  }
  const layout = layoutOf(name, draft)
  define({ name, role: 'node', expr: named(name, layout, expr), layout, span }, draft)
}

/** F(x) inside an equation becomes a node F, if it is the one call of F and nothing else bears the name. */
function nameCall(f: DeclaredFunction, args: readonly Expr[], calls: Calls, draft: Draft): Expr | undefined {
  const call = calls.get(f.name)
  if (!f.namesItsCall || !call || call.isEquation || draft.values.has(f.name) || draft.dims.has(f.name)) return undefined
  const layout = layoutOf(f.name, draft)
  const expr = named(f.name, layout, f.apply(args))
  define({ name: f.name, role: 'node', expr, layout, span: call.span, isCall: true }, draft)
  return expr
}

/** An equation that uses what is only defined further down is in the wrong place, or in a cycle. */
function requireEarlier(name: string, value: Ast, all: readonly Equation[], at: number, draft: Draft): void {
  const unknown = namesIn(value).find((n) => !draft.exprs.has(n.name) && !draft.broken.has(n.name))
  if (!unknown) return
  const later = new Map(all.slice(at).map((e) => [e.name, e]))
  const path = later.has(unknown.name) ? pathBetween(unknown.name, name, later) : undefined
  if (path) fail('cycle', { names: [name, ...path.slice(0, -1)] }, unknown.span)
  const definition = later.get(unknown.name)
  if (!definition) return
  fail('used-before', { name: unknown.name, line: draft.text.slice(0, definition.span.start).split('\n').length }, unknown.span)
}

/** A way from one name to another along "uses", breadth first. */
function pathBetween(from: string, to: string, equations: ReadonlyMap<string, Equation>): string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]])
  for (const name of cameFrom.keys()) {
    if (name === to) {
      const path: string[] = []
      for (let at: string | undefined = to; at !== undefined; at = cameFrom.get(at)) path.unshift(at)
      return path
    }
    const equation = equations.get(name)
    for (const next of equation ? namesIn(equation.value) : []) {
      if (!cameFrom.has(next.name)) cameFrom.set(next.name, name)
    }
  }
  return undefined
}

// the loss

const lossName = 'L'

function lossEquation(text: Text): Equation {
  const hasName = /^[^=!<>()]+=[^=]/.test(text.text)
  if (!hasName) {
    const value = parseExpression(text)
    return { name: value.kind === 'call' && /^\p{Lu}$/u.test(value.callee) ? value.callee : lossName, span: text.span, value }
  }
  const { targets, value } = parseEquation(text) as EquationAst
  const [target] = targets
  if (target?.kind !== 'name' || targets.length > 1) fail('syntax', { expected: 'a name before the =', found: 'an expression' }, text.span)
  return { name: target.name, span: text.span, value }
}

/** L(y): a call of a letter that is not declared as a function. */
const isOpaqueLoss = (value: Ast, draft: Draft): boolean =>
  value.kind === 'call' && /^\p{Lu}$/u.test(value.callee) && !draft.functions.has(value.callee)

function defineLoss({ name, span, value }: Equation, isOpaque: boolean, draft: Draft, scope: Scope): void {
  if (draft.values.has(name)) {
    fail('duplicate-name', { name, first: 'a value of the network; give the loss another name: E = …' }, span)
  }
  const layout = layoutOf(name, draft)
  const expr = isOpaque && value.kind === 'call' ? opaqueLoss(value, layout, scope) : expressionOf(value, scope)
  if (expr.shape.length > 0) fail('not-scalar', { what: 'the loss', shape: shapeText(expr.shape) }, value.span)
  define({ name, role: 'loss', expr: named(name, layout, expr), layout, span }, draft)
}

function opaqueLoss(value: Ast & { kind: 'call' }, head: Layout, scope: Scope): Expr {
  if (value.args.length === 0 || value.named.length > 0)
    fail('argument-count', { signature: `${value.callee}(y)`, given: value.args.length }, value.span)
  const args = value.args.map((a) => expressionOf(a, scope))
  return locating(value.span, () =>
    opaque(
      value.callee,
      head,
      value.args.map((_, i) => `x${i}`),
      () => [],
      true,
    ).apply(args),
  )
}

// claims

function claimOf(entry: ClaimEntry, source: Source, declared: (name: string) => boolean): Claim[] {
  if (entry.form === 'latex') fail('later-version', { what: 'a claim in LaTeX' }, entry.span)
  if (entry.for) fail('later-version', { what: 'a claim over an index' }, entry.for.span)
  const locals = new Set(entry.where.map((b) => b.name.text))
  const known = (name: string) => declared(name) || locals.has(name)
  const equation = parseEquation(entry.text, known)
  if (equation.targets.length !== 1)
    fail('syntax', { expected: 'one expression before the =', found: `${equation.targets.length}` }, entry.text.span)
  const where = entry.where.map((b) => ({ name: b.name.text, value: parseExpression(b.value, known) }))
  return [
    {
      equation,
      where,
      negated: entry.negated,
      source: source.text.slice(entry.text.span.start, entry.text.span.end),
      span: entry.text.span,
    },
  ]
}

/** How the functions of a spec are called. */
export type Calls = ReadonlyMap<string, { readonly count: number; readonly span: Span; readonly isEquation: boolean }>

/** One that is called once gives its name to its call, unless the call is a whole equation and so has a name already. */
function callsIn(asts: readonly Ast[]): Calls {
  const calls = new Map<string, { count: number; span: Span; isEquation: boolean }>()
  for (const ast of asts) {
    for (const { name, span } of namesIn(ast, 'calls')) {
      calls.set(name, { count: (calls.get(name)?.count ?? 0) + 1, span, isEquation: ast.kind === 'call' && ast.callee === name })
    }
  }
  return calls
}
