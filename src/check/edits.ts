/** Small changes of a claim as it is written: if one of them makes it true, that is what is wrong with it. */
import type { Ast, NamedArgument } from '../network/ast.ts'
import { partsOf } from '../network/names.ts'
import { mistakes as words } from '../words.ts'
import type { Diagnosis, DiagnosisKind } from './kinds.ts'

/** What is known of a claim's surroundings. */
export interface Context {
  /** The text that the claim's places are in. */
  readonly text: string
  readonly loss: string
  /** Values that a derivative may have been meant at. */
  readonly names: readonly string[]
}

interface Edit {
  readonly ast: Ast
  readonly kind: DiagnosisKind
  readonly message: string
}

/** Claims of more parts are not edited. */
const mostParts = 200

/** The first change of an expression with which the claim holds. */
export function mendedBy(ast: Ast, context: Context, holds: (edited: Ast) => boolean): Diagnosis | undefined {
  if (partsOf(ast).length > mostParts) return undefined
  for (const rule of rules) {
    for (const { ast: edited, kind, message } of everywhere(ast, (node, of) => rule(node, context, of))) {
      if (holds(edited)) return { kind, message }
    }
  }
  return undefined
}

/** A change at one place: `of` is what the place is part of. */
type Rule = (ast: Ast, context: Context, of: Ast | undefined) => readonly Edit[]

/** All trees in which a rule has changed one place. */
function everywhere(ast: Ast, rule: (ast: Ast, of: Ast | undefined) => readonly Edit[], of?: Ast): Edit[] {
  const below = placesIn(ast).flatMap(([part, put]) => everywhere(part, rule, ast).map((edit) => ({ ...edit, ast: put(edit.ast) })))
  return [...rule(ast, of), ...below]
}

type Place = readonly [part: Ast, put: (part: Ast) => Ast]

/** The parts of a tree, each with the way to put another in its place. */
function placesIn(ast: Ast): readonly Place[] {
  switch (ast.kind) {
    case 'sum':
      return ast.terms.map(({ negative, term }, i) => [term, (part) => ({ ...ast, terms: ast.terms.with(i, { negative, term: part }) })])
    case 'product':
      return [
        [ast.first, (first): Ast => ({ ...ast, first })],
        ...ast.rest.map(({ sign, factor }, i): Place => [factor, (part) => ({ ...ast, rest: ast.rest.with(i, { sign, factor: part }) })]),
      ]
    case 'negate':
    case 'transpose':
    case 'index':
      return [[ast.of, (of) => ({ ...ast, of })]]
    case 'over':
      return [[ast.body, (body) => ({ ...ast, body })]]
    case 'power':
      return [[ast.base, (base) => ({ ...ast, base })]]
    case 'call':
      return ast.args.map((arg, i) => [arg, (part) => ({ ...ast, args: ast.args.with(i, part) })])
    default:
      return []
  }
}

const written = ({ start, end }: Ast, { text }: Context): string => text.slice(start, end).replaceAll(/\s+/g, ' ')

/** As an operand: sums and products in parentheses, if they don't stand in them already. */
function operand(ast: Ast, context: Context): string {
  const text = written(ast, context)
  return (ast.kind === 'sum' || ast.kind === 'product' || ast.kind === 'negate') && !isFenced(text) ? `(${text})` : text
}

/** (a + b), but not (a) + (b) */
function isFenced(text: string): boolean {
  let depth = 0
  const closes = [...text].findIndex((c) => (depth += c === '(' ? 1 : c === ')' ? -1 : 0) === 0)
  return closes === text.length - 1
}

/** Whether a Jacobian is among the parts. */
const hasJacobian = (ast: Ast, { loss }: Context): boolean =>
  partsOf(ast).some((part) => part.kind === 'derivative' && !(part.of.kind === 'name' && part.of.name === loss))

const order: Rule = (ast, context) => {
  if (ast.kind !== 'product') return []
  const factors = [ast.first, ...ast.rest.map((r) => r.factor)]
  const pairs = factors.flatMap((_, i) => ast.rest.flatMap((_, j) => (j >= i ? [[i, j + 1] as const] : [])))
  return pairs.flatMap(([i, j]): Edit[] => {
    if (!ast.rest.slice(i, j).every(({ sign }) => sign === '@')) return []
    const swapped = factors.with(i, factors[j]!).with(j, factors[i]!)
    const rest = ast.rest.map((r, k) => ({ sign: r.sign, factor: swapped[k + 1]! }))
    const between = (list: readonly Ast[]): string => list.slice(i, j + 1).map((factor) => operand(factor, context)).join(' @ ') // biome-ignore format: one chain
    const message = words['wrong-order']({ written: between(factors), mended: between(swapped) })
    return [{ ast: { ...ast, first: swapped[0]!, rest }, kind: 'order', message }]
  })
}

const transposition: Rule = (ast, context, of) => {
  const isJacobian = hasJacobian(ast, context)
  const kind = isJacobian ? 'jacobian' : 'transpose'
  const matrix = operand(ast.kind === 'transpose' ? ast.of : ast, context)
  if (ast.kind === 'transpose')
    return [{ ast: ast.of, kind, message: words['transpose-too-many']({ written: written(ast, context), mended: matrix }) }]
  const isFactor = of?.kind === 'product' && of.rest.some(({ sign }) => sign === '@')
  if (!isFactor || ast.kind === 'number') return []
  const turned: Ast = { kind: 'transpose', start: ast.start, end: ast.end, of: ast, last: false }
  return [{ ast: turned, kind, message: words['transpose-missing']({ what: isJacobian ? 'the Jacobian' : 'a matrix', matrix }) }]
}

const point: Rule = (ast, context) => {
  if (ast.kind !== 'call' || !ast.callee.endsWith("'") || ast.args.length !== 1) return []
  const [at] = ast.args as [Ast]
  return context.names
    .filter((name) => !(at.kind === 'name' && at.name === name))
    .map((name) => ({
      ast: { ...ast, args: [{ kind: 'name', start: at.start, end: at.end, name } as const] },
      kind: 'point',
      message: words.point({ wrong: written(ast, context), right: `${ast.callee}(${name})` }),
    }))
}

const axes = [0, 1, 2]

const axis: Rule = (ast, context) => {
  if (ast.kind !== 'call' || ast.callee.endsWith("'") || ast.args.length !== 1) return []
  const others = ast.named.filter(({ name }) => name !== 'axis')
  const isKept = others.some(({ name }) => name === 'keepdims')
  const choices = [...axes, ...(others.length < ast.named.length ? [undefined] : [])].flatMap((k) =>
    (isKept || k === undefined ? [false] : [false, true]).map((kept) => ({ k, kept })),
  )
  return choices.map(({ k, kept }) => {
    const named = [...(k === undefined ? [] : [namedNumber('axis', k, ast)]), ...others, ...(kept ? [keptDims(ast)] : [])]
    const rest = [
      ...(k === undefined ? [] : [`axis=${k}`]),
      ...others.map((n) => `${n.name}=${written(n.value, context)}`),
      ...(kept ? ['keepdims=True'] : []),
    ]
    const mended = `${ast.callee}(${[...ast.args.map((a) => written(a, context)), ...rest].join(', ')})`
    return { ast: { ...ast, named }, kind: 'axis', message: words['wrong-axis']({ written: written(ast, context), mended }) }
  })
}

const namedNumber = (name: string, value: number, { start, end }: Ast): NamedArgument => ({
  start,
  end,
  name,
  value: { kind: 'number', start, end, value },
})

const sign: Rule = (ast, context) => {
  if (ast.kind !== 'sum') return []
  return ast.terms.map(({ negative, term }, i) => ({
    ast: { ...ast, terms: ast.terms.with(i, { negative: !negative, term }) },
    kind: 'sign',
    message: words['wrong-sign']({ term: written(term, context), sign: negative ? '+' : '−' }),
  }))
}

/** One factor, or one term, too many. */
const tooMuch: Rule = (ast, context) => {
  const message = (part: Ast): string => words['too-much']({ part: written(part, context), whole: written(ast, context) })
  if (ast.kind === 'sum')
    return ast.terms.map(({ term }, i) => ({
      ast: { ...ast, terms: ast.terms.toSpliced(i, 1) },
      kind: 'extra-term',
      message: message(term),
    }))
  if (ast.kind !== 'product') return []
  const [{ factor: second, sign: first }] = ast.rest as [(typeof ast.rest)[number]]
  const edits: readonly (readonly [left: Ast, ast: Ast])[] = [
    ...(first === '*' ? [[ast.first, { ...ast, first: second, rest: ast.rest.slice(1) }] as const] : []),
    ...ast.rest.flatMap((r, i) => (r.sign === '@' ? [] : [[r.factor, { ...ast, rest: ast.rest.toSpliced(i, 1) }] as const])),
  ]
  return edits.map(([left, edited]) => ({
    ast: edited,
    kind: left.kind === 'call' && left.callee.endsWith("'") ? 'mask' : 'factor',
    message: message(left),
  }))
}

const unsummed: Rule = (ast, context, of) => {
  if (of && of.kind !== 'sum' && of.kind !== 'product' && of.kind !== 'negate') return []
  return [false, true].flatMap((keepdims) =>
    axes.map((k): Edit => {
      const named = [namedNumber('axis', k, ast), ...(keepdims ? [keptDims(ast)] : [])]
      const mended = `sum(${written(ast, context)}, axis=${k}${keepdims ? ', keepdims=True' : ''})`
      return {
        ast: { kind: 'call', start: ast.start, end: ast.end, callee: 'sum', head: ast, args: [ast], named },
        kind: 'unsummed',
        message: words['sum-missing']({ written: written(ast, context), mended }),
      }
    }),
  )
}

const keptDims = ({ start, end }: Ast): NamedArgument => ({
  start,
  end,
  name: 'keepdims',
  value: { kind: 'name', start, end, name: 'True' },
})

/** Every way to be wrong; what says most of the mistake comes first. */
const rules: readonly Rule[] = [transposition, order, point, axis, sign, tooMuch, unsummed]
