/** Parses expressions and equations: Python's precedence, NumPy's indexing, and the derivatives that claims speak of. */
import { fail, type Span } from '../diagnostic.ts'
import { hints } from '../words.ts'
import type { Ast, CompareSign, EquationAst, Loop, Mark, NamedArgument, ProductSign } from './ast.ts'
import type { Text } from './document.ts'
import type { Token } from './lexer.ts'
import {
  ahead,
  between,
  commaSeparated,
  type Declared,
  deepest,
  expect,
  expectEnd,
  found,
  isMark,
  nested,
  nowhere,
  type Parser,
  peek,
  start,
  take,
} from './parser.ts'

const compareSigns: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '==', '!='])
const productSigns: ReadonlySet<string> = new Set(['*', '/', '//', '@'])

/** An expression, the whole text. */
export function parseExpression(text: Text, declared: Declared = nowhere): Ast {
  const p = start(text, declared)
  const result = comparison(p)
  expectEnd(p)
  return result
}

/** name = expression, or name, name = expression. */
export function parseEquation(text: Text, declared: Declared = nowhere): EquationAst {
  const p = start(text, declared)
  const targets = [comparison(p)]
  while (take(p, ',')) targets.push(comparison(p))
  if (peek(p).kind === 'end') fail('no-equation', { what: 'this' }, text.span)
  expect(p, '=', 'an = ')
  const value = comparison(p)
  expectEnd(p)
  return { targets, value }
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
    fail('syntax', { expected: 'a name with its parameters, such as F(x)', found: text.text }, text.span)
  }
  return { name: ast.callee, args: ast.args }
}

function comparison(p: Parser): Ast {
  const left = sum(p)
  const sign = peek(p)
  if (sign.kind !== 'mark' || !compareSigns.has(sign.text)) return left
  p.at++
  const right = sum(p)
  return { kind: 'compare', sign: sign.text as CompareSign, left, right, span: between(left, right) }
}

function sum(p: Parser): Ast {
  const first = product(p)
  if (!isSumSign(peek(p))) return first
  const terms = [{ negative: false, term: first }]
  while (isSumSign(peek(p))) {
    const negative = p.tokens[p.at++]!.text === '-'
    terms.push({ negative, term: product(p) })
  }
  return { kind: 'sum', terms, span: between(first, terms.at(-1)!.term) }
}

const isSumSign = ({ kind, text }: Token): boolean => kind === 'mark' && (text === '+' || text === '-')

function product(p: Parser): Ast {
  const first = signed(p)
  if (!isProductSign(peek(p))) return first
  const rest: { sign: ProductSign; factor: Ast }[] = []
  while (isProductSign(peek(p))) {
    const sign = p.tokens[p.at++]!.text as ProductSign
    rest.push({ sign, factor: signed(p) })
  }
  return { kind: 'product', first, rest, span: between(first, rest.at(-1)!.factor) }
}

const isProductSign = ({ kind, text }: Token): boolean => kind === 'mark' && productSigns.has(text)

function signed(p: Parser): Ast {
  const sign = peek(p)
  if (isAlone(p, sign)) {
    p.at++
    return { kind: 'name', name: sign.text, span: sign.span }
  }
  if (!isSumSign(sign)) return powered(p)
  p.at++
  const of = nested(p, () => signed(p))
  return sign.text === '-' ? { kind: 'negate', of, span: between(sign, of) } : of
}

/** A name that nothing binds more tightly to, the usual case: it need not go through all the levels below. */
function isAlone(p: Parser, { kind, text }: Token): boolean {
  if (kind !== 'name' || text.startsWith('d')) return false
  const next = p.tokens[p.at + 1]!
  return next.kind === 'end' || (next.kind === 'mark' && loose.has(next.text))
}

const loose: ReadonlySet<string> = new Set(['+', '-', '*', '/', '@', '=', ',', ')', ']'])

function powered(p: Parser): Ast {
  const base = postfix(p)
  if (!take(p, '**')) return base
  const exponent = nested(p, () => signed(p))
  return { kind: 'power', base, exponent, span: between(base, exponent) }
}

function postfix(p: Parser): Ast {
  let of = primary(p)
  for (let count = 0; ; count++) {
    const token = peek(p)
    if (token.kind !== 'mark') return of
    if (count > deepest)
      fail('syntax', { expected: `at most ${deepest} indices and transposes after each other`, found: 'more' }, token.span)
    if (token.text === '.T' || token.text === '.mT') {
      p.at++
      of = { kind: 'transpose', of, last: token.text === '.mT', span: between(of, token) }
    } else if (take(p, '[')) {
      const marks = commaSeparated(p, ']', mark)
      of = { kind: 'index', of, marks: marks.items, span: between(of, marks.close) }
    } else if (isMark(token, '.') && ahead(p, 1).kind === 'name') {
      p.at += 2
      of = { kind: 'member', of, name: ahead(p, -1).text, span: between(of, ahead(p, -1)) }
    } else if ((of.kind === 'index' || of.kind === 'member') && take(p, '(')) {
      const args = commaSeparated(p, ')', comparison)
      of = { kind: 'apply', of, args: args.items, span: between(of, args.close) }
    } else return of
  }
}

function mark(p: Parser): Mark {
  if (peek(p).text === 'None') {
    p.at++
    return { kind: 'new' }
  }
  const bound = (): Ast | undefined => (isMark(peek(p), ':') || isMark(peek(p), ',') || isMark(peek(p), ']') ? undefined : comparison(p))
  const from = bound()
  if (!take(p, ':')) {
    return from ? { kind: 'at', value: from } : fail('syntax', { expected: 'an index or a slice', found: found(peek(p)) }, peek(p).span)
  }
  const to = bound()
  const step = take(p, ':') ? bound() : undefined
  return { kind: 'range', from, to, step }
}

function primary(p: Parser): Ast {
  const token = peek(p)
  if (token.kind === 'name') return derivative(p) ?? named(p)
  if (token.kind === 'number') {
    p.at++
    return { kind: 'number', value: Number(token.text), span: token.span }
  }
  if (token.kind === 'string') {
    p.at++
    return { kind: 'string', value: token.text, span: token.span }
  }
  if (take(p, '(')) {
    const inner = nested(p, () => comparison(p))
    const close = expect(p, ')', ')', isMark(peek(p), ',') ? hints.list : undefined)
    return { ...inner, span: between(token, close) }
  }
  if (take(p, '[')) {
    const { items, close } = commaSeparated(p, ']', argument)
    const span = between(token, close)
    const [only] = items
    if (only?.loop && items.length === 1) return { kind: 'over', sign: 'list', body: only.value, loop: only.loop, span }
    return { kind: 'list', items: items.map((item) => item.value), span }
  }
  return fail('syntax', { expected: 'a name, a number or (', found: found(token) }, token.span)
}

/** A name, or a call of one. */
function named(p: Parser): Ast {
  const token = p.tokens[p.at++]!
  let primes = ''
  while (take(p, "'")) primes += "'"
  if (!take(p, '(')) {
    if (primes !== '')
      fail('syntax', { expected: `the argument of ${token.text}${primes}, in parentheses`, found: found(peek(p)) }, peek(p).span)
    return { kind: 'name', name: token.text, span: token.span }
  }
  const { items, close } = commaSeparated(p, ')', argument)
  const span = between(token, close)
  const args = items.filter((i) => i.name === undefined).map((i) => i.value)
  const loop = items.find((i) => i.loop)?.loop
  if (loop && args.length === 1) {
    const over = (sign: 'sum' | 'prod' | 'list'): Ast => ({ kind: 'over', sign, body: args[0]!, loop, span: items[0]!.value.span })
    if (items.length === 1 && (token.text === 'sum' || token.text === 'prod')) return { ...over(token.text), span }
    const keywords = items.filter((i): i is { value: Ast } & NamedArgument => i.name !== undefined)
    return { kind: 'call', callee: token.text + primes, head: token.span, args: [over('list')], named: keywords, span }
  }
  const keywords = items.filter((i): i is { value: Ast } & NamedArgument => i.name !== undefined)
  return { kind: 'call', callee: token.text + primes, head: token.span, args, named: keywords, span }
}

interface Argument {
  readonly value: Ast
  readonly name?: string
  readonly span?: Span
  readonly loop?: Loop
}

function argument(p: Parser): Argument {
  const token = peek(p)
  if (token.kind === 'name' && isMark(ahead(p, 1), '=')) {
    p.at += 2
    return { name: token.text, span: token.span, value: comparison(p) }
  }
  const value = comparison(p)
  if (peek(p).text !== 'for') return { value }
  p.at++
  return { value, loop: loop(p) }
}

function loop(p: Parser): Loop {
  const index = peek(p)
  if (index.kind !== 'name') fail('syntax', { expected: 'the name of an index', found: found(index) }, index.span)
  p.at++
  for (const word of ['in', 'range']) {
    if (peek(p).text !== word) fail('syntax', { expected: word === 'in' ? 'in range(…)' : 'range(…)', found: found(peek(p)) }, peek(p).span)
    p.at++
  }
  expect(p, '(', '(')
  const { items } = commaSeparated(p, ')', comparison)
  const [a, b, step] = items
  if (!a || items.length > 3)
    fail('syntax', { expected: 'range(N) or range(a, b)', found: `range with ${items.length} arguments` }, index.span)
  return b ? { index: index.text, from: a, to: b, step } : { index: index.text, to: a }
}

/** dL/dx, dL/d(x->y), dA/dB, d(EXPR)/d(ref): recognised where the names are declared. */
function derivative(p: Parser): Ast | undefined {
  const token = peek(p)
  if (!token.text.startsWith('d') || p.declared(token.text)) return undefined
  const before = p.at
  const of = differential(p)
  if (of && take(p, '/')) {
    const by = peek(p)
    if (by.kind === 'name' && by.text === 'd' && isMark(ahead(p, 1), '(')) {
      p.at += 2
      const from = reference(p)
      const to = take(p, '->') ? reference(p) : undefined
      const close = expect(p, ')', to ? ')' : '-> or )')
      return to
        ? { kind: 'contribution', of, from, to, span: between(token, close) }
        : { kind: 'derivative', of, by: from, span: between(token, close) }
    }
    const name = by.text.slice(1)
    if (by.kind === 'name' && by.text.startsWith('d') && name !== '') {
      p.at++
      const first: Ast = { kind: 'name', name, span: { start: by.span.start + 1, end: by.span.end } }
      const known = node(p, first)
      // where only one of the two is declared, the other one is what is wrong
      if (known || of.kind !== 'name' || p.declared(of.name)) {
        return { kind: 'derivative', of, by: known ?? first, span: between(token, known ?? first) }
      }
    }
  }
  p.at = before
  return undefined
}

/** dL or d(EXPR), the numerator. */
function differential(p: Parser): Ast | undefined {
  const token = peek(p)
  if (token.text === 'd' && isMark(ahead(p, 1), '(')) {
    p.at += 2
    const of = nested(p, () => comparison(p))
    return take(p, ')') ? of : undefined
  }
  p.at++
  return node(p, { kind: 'name', name: token.text.slice(1), span: { start: token.span.start + 1, end: token.span.end } })
}

/** What a derivative is of or by, after its first name was read: x, z[l], blocks[0].W1; undefined where that is not declared. */
function node(p: Parser, first: Ast & { kind: 'name' }): Ast | undefined {
  let [ast, pattern]: [Ast, string] = [first, first.name]
  for (;;) {
    const kind = p.declared(pattern)
    if (kind === 'family' && take(p, '[')) {
      const { items, close } = commaSeparated(p, ']', mark)
      ast = { kind: 'index', of: ast, marks: items, span: between(ast, close) }
      pattern += '[]'.repeat(items.length)
    } else if (kind === 'instance' && isMark(peek(p), '.') && ahead(p, 1).kind === 'name') {
      p.at += 2
      const name = ahead(p, -1).text
      ast = { kind: 'member', of: ast, name, span: between(ast, ahead(p, -1)) }
      pattern += `.${name}`
    } else return kind === 'value' || kind === 'family' ? ast : undefined
  }
}

/** A node as it is named in a derivative: x, h[2], blocks[0].W1. */
const reference = (p: Parser): Ast => nested(p, () => postfix(p))
