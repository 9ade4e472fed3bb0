/** Which names an expression mentions. */
import type { Span } from '../diagnostic.ts'
import type { Ast, Mark } from './ast.ts'
import { isBinder } from './binders.ts'

interface Mention {
  readonly name: string
  readonly span: Span
}

/** The values (or the functions) that a tree mentions, in reading order. */
export function namesIn(root: Ast, what: 'values' | 'calls' = 'values'): Mention[] {
  const parts = partsOf(root)
  const own = parts.flatMap((ast) => (ast.kind === 'call' && isBinder(ast.callee) ? { span: ast.span, bound: ast.args[0] } : []))
  const isOwn = ({ name, span }: Mention): boolean =>
    own.some((o) => o.bound?.kind === 'name' && o.bound.name === name && o.span.start <= span.start && span.end <= o.span.end)
  return parts.flatMap((ast): Mention[] => {
    if (ast.kind === 'name') return what === 'values' && !isOwn(ast) ? [ast] : []
    return ast.kind === 'call' && what === 'calls' ? [{ name: ast.callee.replace(/'+$/, ''), span: ast.head }] : []
  })
}

/** The names of the indices that sums, products and lists in a tree run over. */
export const indicesIn = (root: Ast): string[] => partsOf(root).flatMap((ast) => (ast.kind === 'over' ? [ast.loop.index] : []))

/** A tree and all that is in it, in reading order. */
export function partsOf(root: Ast): Ast[] {
  const found: Ast[] = []
  const todo: Ast[] = [root]
  while (todo.length > 0) {
    const ast = todo.pop()!
    found.push(ast)
    for (const child of children(ast).reverse()) todo.push(child)
  }
  return found
}

function children(ast: Ast): Ast[] {
  switch (ast.kind) {
    case 'list':
      return [...ast.items]
    case 'sum':
      return ast.terms.map((t) => t.term)
    case 'product':
      return [ast.first, ...ast.rest.map((r) => r.factor)]
    case 'negate':
    case 'transpose':
    case 'member':
      return [ast.of]
    case 'power':
      return [ast.base, ast.exponent]
    case 'compare':
      return [ast.left, ast.right]
    case 'call':
      return [...ast.args, ...ast.named.map((n) => n.value)]
    case 'apply':
      return [ast.of, ...ast.args]
    case 'index':
      return [ast.of, ...ast.marks.flatMap(bounds)]
    case 'derivative':
      return [ast.of, ast.by]
    case 'contribution':
      return [ast.of, ast.from, ast.to]
    case 'over':
      return [ast.body, ...[ast.loop.from, ast.loop.to, ast.loop.step].filter((a) => a !== undefined)]
    case 'number':
    case 'string':
    case 'name':
      return []
  }
}

const bounds = (mark: Mark): Ast[] =>
  mark.kind === 'at' ? [mark.value] : mark.kind === 'range' ? [mark.from, mark.to, mark.step].filter((a) => a !== undefined) : []
