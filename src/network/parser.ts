/** What the grammar is written with: a place among the tokens, and what it takes to go on from there. */
import { fail, type Span } from '../diagnostic.ts'
import type { Text } from './document.ts'
import { type Token, tokens } from './lexer.ts'

/**
 * What a name stands for: dL/dx is one token only where L and x are values. Members are asked for with empty brackets:
 * `z[]` is a value where `z` is a family, and so is `blocks[].W1`.
 */
export type Declared = (pattern: string) => 'value' | 'family' | 'instance' | undefined

export const nowhere: Declared = () => undefined
export const deepest = 400

export interface Parser {
  readonly tokens: readonly Token[]
  readonly declared: Declared
  at: number
  depth: number
}

export function start(text: Text, declared: Declared): Parser {
  const { span, exact } = text
  const place = (from: number, to: number): Span => (exact ? { start: span.start + from, end: span.start + to } : span)
  return { tokens: tokens(text.text, place), declared, at: 0, depth: 0 }
}

/** The token that is read next; the last one is the end, which nothing takes. */
export const peek = (p: Parser): Token => p.tokens[p.at]!

export const ahead = (p: Parser, by: number): Token => p.tokens[Math.min(p.at + by, p.tokens.length - 1)]!

export const isMark = (token: Token, text: string): boolean => token.kind === 'mark' && token.text === text

export function take(p: Parser, mark: string): Token | undefined {
  const token = p.tokens[p.at]!
  if (token.kind !== 'mark' || token.text !== mark) return undefined
  p.at++
  return token
}

export const found = (token: Token): string => (token.kind === 'end' ? 'the end' : token.text)

export function expect(p: Parser, mark: string, expected: string, hint?: string): Token {
  return take(p, mark) ?? fail('syntax', { expected, found: found(peek(p)), ...(hint ? { hint } : {}) }, peek(p).span)
}

export function expectEnd(p: Parser): void {
  const token = peek(p)
  if (token.kind === 'end') return
  const hint = token.text === ':' ? 'In YAML, quote an expression that contains a colon and a space.' : undefined
  const juxtaposed = token.kind === 'name' || token.text === '(' ? 'Write products with @ (matrices) or * (entries).' : hint
  fail('syntax', { expected: 'an operator or the end', found: found(token), ...(juxtaposed ? { hint: juxtaposed } : {}) }, token.span)
}

export const between = (a: { span: Span }, b: { span: Span }): Span => ({ start: a.span.start, end: b.span.end })

/** Parentheses, brackets and signs nest on the call stack: their depth is bounded. */
export function nested<T>(p: Parser, parse: () => T): T {
  if (++p.depth > deepest) fail('syntax', { expected: `at most ${deepest} levels of parentheses`, found: 'more' }, peek(p).span)
  const result = parse()
  p.depth--
  return result
}

export function commaSeparated<T>(p: Parser, close: ')' | ']', item: (p: Parser) => T): { items: T[]; close: Token } {
  const items: T[] = []
  let end = take(p, close)
  while (!end) {
    items.push(nested(p, () => item(p)))
    end = take(p, close)
    if (!end) {
      expect(p, ',', `, or ${close}`)
      end = take(p, close)
    }
  }
  return { items, close: end }
}
