/** Which names an expression mentions, and which a layer defines. */
import type { Span } from '../diagnostic.ts'
import type { Ast, Mark } from './ast.ts'
import { isBinder } from './binders.ts'
import type { Layer } from './document.ts'

interface Mention extends Span {
  readonly name: string
}

/** The values (or the functions) that a tree mentions, in reading order. */
export function namesIn(root: Ast, what: 'values' | 'calls' = 'values'): Mention[] {
  const mentions: Mention[] = []
  const binders: (Ast & { kind: 'call' })[] = []
  for (const ast of partsOf(root)) {
    if (ast.kind === 'name' && what === 'values') mentions.push(ast)
    if (ast.kind !== 'call') continue
    if (isBinder(ast.callee)) binders.push(ast)
    if (what === 'calls') mentions.push({ ...ast.head, name: ast.callee.replace(/'+$/, '') })
  }
  const isBound = ({ name, start, end }: Mention): boolean =>
    binders.some(({ args: [bound], ...own }) => bound?.kind === 'name' && bound.name === name && own.start <= start && end <= own.end)
  return what === 'calls' || binders.length === 0 ? mentions : mentions.filter((mention) => !isBound(mention))
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
    if (ast.kind !== 'name' && ast.kind !== 'number') for (const child of children(ast).reverse()) todo.push(child)
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

/** Whether a text has a name in it. */
export const mentions = (text: string, name: string): boolean =>
  new RegExp(`(?<![\\p{L}\\p{N}_])${name}(?![\\p{L}\\p{N}_])`, 'u').test(text)

/** The names that a layer defines, faulty or not: z and h in z[l+1], h[l, t] = …. */
export const targetsOf = (layer: Layer): string[] =>
  layer.kind === 'for'
    ? layer.body.flatMap(targetsOf)
    : layer.text.text
        .split('=')[0]!
        .replaceAll(/\[[^\]]*\]/g, '')
        .split(',')
        .map((target) => target.trim())
