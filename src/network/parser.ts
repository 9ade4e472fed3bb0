/** What the grammar is written with: a place in a text, and what it takes to go on from there. */
import { fail } from '../diagnostic.ts'
import type { Text } from './document.ts'
import { advance, Binding, here, type Scanner, tokensOf } from './lexer.ts'
import { past } from './lines.ts'

/**
 * What a name stands for: dL/dx is one token only where L and x are values. Members are asked for with empty brackets:
 * `z[]` is a value where `z` is a family, and so is `blocks[].W1`.
 */
export type Declared = (pattern: string) => 'value' | 'family' | 'instance' | undefined

export const nowhere: Declared = () => undefined
export const deepest = 400

export interface Parser extends Scanner {
  readonly declared: Declared
  depth: number
}

export function start(source: Text, declared: Declared): Parser {
  const { text, start } = source
  const p: Parser = {
    source,
    text,
    tokens: tokensOf(text),
    kind: 'end',
    word: '',
    binding: Binding.none,
    from: 0,
    to: 0,
    start,
    end: start,
    last: start,
    declared,
    depth: 0,
  }
  advance(p)
  return p
}

export const isMark = (p: Parser, mark: string): boolean => p.kind === 'mark' && p.word === mark

/** Whether the token that comes next is followed by such a text. */
export const isBefore = (p: Parser, pattern: RegExp): boolean => past(pattern, p.text, p.to) >= 0

export function take(p: Parser, mark: string): boolean {
  if (p.kind !== 'mark' || p.word !== mark) return false
  advance(p)
  return true
}

/** The word that comes next, whatever it is. */
export function next(p: Parser): string {
  const { word } = p
  advance(p)
  return word
}

export function expect(p: Parser, mark: string, expected: string, hint?: string): void {
  if (!take(p, mark)) fail('syntax', { expected, found: p.word, ...(hint ? { hint } : {}) }, here(p))
}

export function expectEnd(p: Parser): void {
  if (p.kind === 'end') return
  const hint = p.word === ':' ? 'In YAML, quote an expression that contains a colon and a space.' : undefined
  const juxtaposed = p.kind === 'name' || p.word === '(' ? 'Write products with @ (matrices) or * (entries).' : hint
  fail('syntax', { expected: 'an operator or the end', found: p.word, ...(juxtaposed ? { hint: juxtaposed } : {}) }, here(p))
}

/** Parentheses, brackets and signs nest on the call stack: their depth is bounded. */
export function nested<T>(p: Parser, parse: (p: Parser) => T): T {
  if (++p.depth > deepest) fail('syntax', { expected: `at most ${deepest} levels of parentheses`, found: 'more' }, here(p))
  const result = parse(p)
  p.depth--
  return result
}

export function commaSeparated<T>(p: Parser, close: ')' | ']', item: (p: Parser) => T): T[] {
  if (take(p, close)) return []
  const items = [nested(p, item)]
  while (!take(p, close)) {
    expect(p, ',', `, or ${close}`)
    if (take(p, close)) break
    items.push(nested(p, item))
  }
  return items
}
