/** Parses expressions and equations: Python's precedence, NumPy's indexing, and the derivatives that claims speak of. */
import { fail, type Span } from '../diagnostic.ts'
import { hints } from '../words.ts'
import type { Ast, CompareSign, EquationAst, Loop, Mark, NamedArgument, ProductSign } from './ast.ts'
import type { Text } from './document.ts'
import { advance, Binding, here } from './lexer.ts'
import {
  commaSeparated,
  type Declared,
  deepest,
  expect,
  expectEnd,
  isBefore,
  isMark,
  nested,
  next,
  nowhere,
  type Parser,
  start,
  take,
} from './parser.ts'

/** An expression, the whole text. */
export function parseExpression(text: Text, declared: Declared = nowhere): Ast {
  const p = start(text, declared)
  const result = expression(p)
  expectEnd(p)
  return result
}

/** name = expression, or name, name = expression. */
export function parseEquation(text: Text, declared: Declared = nowhere): EquationAst {
  const p = start(text, declared)
  const targets = [expression(p)]
  while (take(p, ',')) targets.push(expression(p))
  if (p.kind === 'end') fail('no-equation', { what: 'this' }, text)
  expect(p, '=', 'an = ')
  const value = expression(p)
  expectEnd(p)
  return { kind: 'equation', start: text.start, end: text.end, targets, value }
}

/** l in range(a, b), the whole text. */
export function parseLoop(text: Text): Loop {
  const p = start(text, nowhere)
  const result = loop(p)
  expectEnd(p)
  return result
}

/** F(x, W): a name, and what stands in its parentheses. */
export function parseHead(text: Text): { readonly name: string; readonly args: readonly Ast[] } {
  const ast = parseExpression(text)
  if (ast.kind !== 'call' || ast.named.length > 0) {
    fail('syntax', { expected: 'a name with its parameters, such as F(x)', found: text.text }, text)
  }
  return { name: ast.callee, args: ast.args }
}

/** Operands with the signs between them, if these bind at least so tightly. */
function expression(p: Parser, least: number = Binding.comparison): Ast {
  let left = signed(p)
  while (p.binding >= least) {
    if (p.binding === Binding.comparison) return compared(p, left)
    left = p.binding === Binding.sum ? sum(p, left) : product(p, left)
  }
  return left
}

function compared(p: Parser, left: Ast): Ast {
  const sign = next(p) as CompareSign
  const right = expression(p, Binding.sum)
  return { kind: 'compare', start: left.start, end: right.end, sign, left, right }
}

function sum(p: Parser, first: Ast): Ast {
  const terms = [{ negative: false, term: first }, summand(p)]
  while (p.binding === Binding.sum) terms.push(summand(p))
  return { kind: 'sum', start: first.start, end: terms.at(-1)!.term.end, terms }
}

const summand = (p: Parser): { negative: boolean; term: Ast } => ({ negative: next(p) === '-', term: expression(p, Binding.product) })

function product(p: Parser, first: Ast): Ast {
  const rest = [factor(p)]
  while (p.binding === Binding.product) rest.push(factor(p))
  return { kind: 'product', start: first.start, end: rest.at(-1)!.factor.end, first, rest }
}

const factor = (p: Parser): { sign: ProductSign; factor: Ast } => ({ sign: next(p) as ProductSign, factor: signed(p) })

function signed(p: Parser): Ast {
  if (p.binding === Binding.sum) {
    const { start } = p
    const sign = next(p)
    const of = nested(p, signed)
    return sign === '-' ? { kind: 'negate', start, end: p.last, of } : of
  }
  const of = primary(p)
  return p.binding === Binding.postfix ? powered(p, of) : of
}

function powered(p: Parser, of: Ast): Ast {
  const base = postfix(p, of)
  if (!take(p, '**')) return base
  const exponent = nested(p, signed)
  return { kind: 'power', start: base.start, end: exponent.end, base, exponent }
}

function postfix(p: Parser, first: Ast): Ast {
  let of = first
  const { start } = first
  for (let count = 0; p.kind === 'mark'; count++) {
    if (count > deepest) fail('syntax', { expected: `at most ${deepest} indices and transposes after each other`, found: 'more' }, here(p))
    if (isMark(p, '.T') || isMark(p, '.mT')) {
      const last = next(p) === '.mT'
      of = { kind: 'transpose', start, end: p.last, of, last }
    } else if (take(p, '[')) {
      const marks = commaSeparated(p, ']', mark)
      of = { kind: 'index', start, end: p.last, of, marks }
    } else if (isMember(p)) {
      advance(p)
      const name = next(p)
      of = { kind: 'member', start, end: p.last, of, name }
    } else if ((of.kind === 'index' || of.kind === 'member') && take(p, '(')) {
      const args = commaSeparated(p, ')', expression)
      of = { kind: 'apply', start, end: p.last, of, args }
    } else return of
  }
  return of
}

const opening = /\s*\(/y
const equals = /\s*=(?!=)/y

/** A dot before a name, and not before ᵀ. */
const isMember = (p: Parser): boolean => isMark(p, '.') && isBefore(p, /\s*(?!\u1d40)[\p{L}_]/uy)

function mark(p: Parser): Mark {
  if (p.word === 'None') {
    advance(p)
    return { kind: 'new' }
  }
  const from = bound(p)
  if (!take(p, ':')) {
    return from ? { kind: 'at', value: from } : fail('syntax', { expected: 'an index or a slice', found: p.word }, here(p))
  }
  const to = bound(p)
  const step = take(p, ':') ? bound(p) : undefined
  return { kind: 'range', from, to, step }
}

const bound = (p: Parser): Ast | undefined => (isMark(p, ':') || isMark(p, ',') || isMark(p, ']') ? undefined : expression(p))

function primary(p: Parser): Ast {
  const { kind, word, start, end } = p
  if (kind === 'name') {
    const found = word[0] === 'd' ? derivative(p) : undefined
    if (found) return found
    advance(p)
    return p.binding === Binding.call ? called(p, word, { start, end }) : { kind, start, end, name: word }
  }
  if (kind === 'number' || kind === 'string') {
    advance(p)
    return kind === 'number' ? { kind, start, end, value: Number(word) } : { kind, start, end, value: word }
  }
  if (take(p, '(')) {
    const inner = nested(p, expression)
    expect(p, ')', ')', isMark(p, ',') ? hints.list : undefined)
    return { ...inner, start, end: p.last }
  }
  if (take(p, '[')) {
    const items = commaSeparated(p, ']', argument)
    const [only] = items
    if (only?.loop && items.length === 1) return { kind: 'over', start, end: p.last, sign: 'list', body: only.value, loop: only.loop }
    return { kind: 'list', start, end: p.last, items: items.map((item) => item.value) }
  }
  return fail('syntax', { expected: 'a name, a number or (', found: p.word }, here(p))
}

function called(p: Parser, name: string, head: Span): Ast {
  let callee = name
  while (take(p, "'")) callee += "'"
  expect(p, '(', `the argument of ${callee}, in parentheses`)
  const items = commaSeparated(p, ')', argument)
  const { start } = head
  const end = p.last
  const args: Ast[] = []
  const keywords: NamedArgument[] = []
  let loop: Loop | undefined
  for (const item of items) {
    loop ??= item.loop
    if (item.name === undefined) args.push(item.value)
    else keywords.push(item)
  }
  if (!loop || args.length !== 1) return { kind: 'call', start, end, callee, head, args, named: keywords }
  const body = args[0]!
  if (items.length === 1 && (name === 'sum' || name === 'prod')) return { kind: 'over', start, end, sign: name, body, loop }
  const list: Ast = { kind: 'over', start: body.start, end: body.end, sign: 'list', body, loop }
  return { kind: 'call', start, end, callee, head, args: [list], named: keywords }
}

type Argument = (NamedArgument & { readonly loop?: never }) | { readonly value: Ast; readonly name?: never; readonly loop?: Loop }

function argument(p: Parser): Argument {
  if (p.kind === 'name' && isBefore(p, equals)) {
    const { start, end, word: name } = p
    advance(p)
    advance(p)
    return { start, end, name, value: expression(p) }
  }
  const value = expression(p)
  if (p.word !== 'for') return { value }
  advance(p)
  return { value, loop: loop(p) }
}

function loop(p: Parser): Loop {
  const span = here(p)
  if (p.kind !== 'name') fail('syntax', { expected: 'the name of an index', found: p.word }, span)
  const index = next(p)
  for (const word of ['in', 'range']) {
    if (p.word !== word) fail('syntax', { expected: word === 'in' ? 'in range(…)' : 'range(…)', found: p.word }, here(p))
    advance(p)
  }
  expect(p, '(', '(')
  const items = commaSeparated(p, ')', expression)
  const [a, b, step] = items
  if (!a || items.length > 3) fail('syntax', { expected: 'range(N) or range(a, b)', found: `range with ${items.length} arguments` }, span)
  return b ? { index, from: a, to: b, step } : { index, to: a }
}

/** dL/dx, dL/d(x->y), dA/dB, d(EXPR)/d(ref), after a d: recognised where the names are declared. */
function derivative(p: Parser): Ast | undefined {
  if (p.declared(p.word)) return undefined
  const before = { ...p }
  const found = quotient(p)
  if (!found) Object.assign(p, before)
  return found
}

function quotient(p: Parser): Ast | undefined {
  const { start } = p
  const of = differential(p)
  if (!of || !take(p, '/') || p.kind !== 'name') return undefined
  if (p.word === 'd' && isBefore(p, opening)) {
    advance(p)
    advance(p)
    const from = reference(p)
    const to = take(p, '->') ? reference(p) : undefined
    expect(p, ')', to ? ')' : '-> or )')
    const end = p.last
    return to ? { kind: 'contribution', start, end, of, from, to } : { kind: 'derivative', start, end, of, by: from }
  }
  if (!p.word.startsWith('d') || p.word === 'd') return undefined
  const first = differentiated(p)
  const known = node(p, first)
  // where only one of the two is declared, the other one is what is wrong
  if (!known && of.kind === 'name' && !p.declared(of.name)) return undefined
  return { kind: 'derivative', start, end: p.last, of, by: known ?? first }
}

/** dL or d(EXPR), the numerator. */
function differential(p: Parser): Ast | undefined {
  if (p.word !== 'd' || !isBefore(p, opening)) return node(p, differentiated(p))
  advance(p)
  advance(p)
  const of = nested(p, expression)
  return take(p, ')') ? of : undefined
}

/** The x in dx. */
function differentiated(p: Parser): Ast & { kind: 'name' } {
  return { kind: 'name', start: p.start + 1, end: p.end, name: next(p).slice(1) }
}

/** What a derivative is of or by, after its first name was read: x, z[l], blocks[0].W1; undefined where that is not declared. */
function node(p: Parser, first: Ast & { kind: 'name' }): Ast | undefined {
  const { start } = first
  let [ast, pattern]: [Ast, string] = [first, first.name]
  for (;;) {
    const kind = p.declared(pattern)
    if (kind === 'family' && take(p, '[')) {
      const marks = commaSeparated(p, ']', mark)
      ast = { kind: 'index', start, end: p.last, of: ast, marks }
      pattern += '[]'.repeat(marks.length)
    } else if (kind === 'instance' && isMember(p)) {
      advance(p)
      const name = next(p)
      ast = { kind: 'member', start, end: p.last, of: ast, name }
      pattern += `.${name}`
    } else return kind === 'value' || kind === 'family' ? ast : undefined
  }
}

/** A node as it is named in a derivative: x, h[2], blocks[0].W1. */
const reference = (p: Parser): Ast => nested(p, (inner) => postfix(inner, primary(inner)))
