/** Writes a syntax tree with all its parentheses, so that a test can say how an expression is read. */
import type { Ast, Loop, Mark } from '../../src/network/ast.ts'

/** (W.T @ r) * g is ((W.T @ r) * g). */
export function written(ast: Ast): string {
  switch (ast.kind) {
    case 'number':
      return String(ast.value)
    case 'string':
      return JSON.stringify(ast.value)
    case 'name':
      return ast.name
    case 'list':
      return `[${ast.items.map(written).join(', ')}]`
    case 'sum':
      return `(${ast.terms.map(({ negative, term }, i) => `${negative ? '- ' : i > 0 ? '+ ' : ''}${written(term)}`).join(' ')})`
    case 'product':
      return ast.rest.reduce((left, { sign, factor }) => `(${left} ${sign} ${written(factor)})`, written(ast.first))
    case 'apply':
      return `${written(ast.of)}(${ast.args.map(written).join(', ')})`
    case 'negate':
      return `(-${written(ast.of)})`
    case 'power':
      return `(${written(ast.base)} ** ${written(ast.exponent)})`
    case 'compare':
      return `(${written(ast.left)} ${ast.sign} ${written(ast.right)})`
    case 'transpose':
      return `${written(ast.of)}.${ast.last ? 'mT' : 'T'}`
    case 'call':
      return `${ast.callee}(${[...ast.args.map(written), ...ast.named.map((n) => `${n.name}=${written(n.value)}`)].join(', ')})`
    case 'index':
      return `${written(ast.of)}[${ast.marks.map(markText).join(', ')}]`
    case 'member':
      return `${written(ast.of)}.${ast.name}`
    case 'derivative':
      return `d{${written(ast.of)}}/d{${written(ast.by)}}`
    case 'contribution':
      return `d{${written(ast.of)}}/d{${written(ast.from)}->${written(ast.to)}}`
    case 'over':
      return `${ast.sign}{${written(ast.body)} for ${loopText(ast.loop)}}`
  }
}

const part = (ast: Ast | undefined): string => (ast ? written(ast) : '')

function markText(mark: Mark): string {
  if (mark.kind === 'new') return 'None'
  if (mark.kind === 'at') return written(mark.value)
  return `${part(mark.from)}:${part(mark.to)}${mark.step ? `:${written(mark.step)}` : ''}`
}

const loopText = ({ index, from, to, step }: Loop): string => `${index} in ${[from, to, step].filter((a) => a).map(part)}`
