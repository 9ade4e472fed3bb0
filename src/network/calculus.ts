/** Differentiates written-out pointwise functions with mathjs. Loaded only where a spec has such a function: mathjs is heavy. */
import { create, derivativeDependencies, parseDependencies, simplifyDependencies } from 'mathjs'
import { operations } from '../ops/index.ts'
import type { Ast } from './ast.ts'

const math = create({ ...derivativeDependencies, ...parseDependencies, ...simplifyDependencies })

/** Derivatives of the functions that mathjs lacks (or gets wrong at 0), by the outer function's argument. */
const outer: Readonly<Record<string, (u: string) => string>> = {
  abs: (u) => `sign(${u})`,
  sign: () => '0',
  erf: (u) => `${2 / Math.sqrt(Math.PI)} * exp(-(${u})^2)`,
  log1p: (u) => `1 / (1 + ${u})`,
  rsqrt: (u) => `-0.5 / (${u})^1.5`,
  reciprocal: (u) => `-1 / (${u})^2`,
  square: (u) => `2 * (${u})`,
}
const known: ReadonlySet<string> = new Set(['exp', 'log', 'sqrt', 'sin', 'cos'])

/** The derivative of a formula by its parameter, in the syntax of specs, simplified. */
export function differentiate(ast: Ast, param: string): string {
  return math.simplify(math.parse(derivative(ast, param))).toString({ implicit: 'show' })
}

/** What mathjs can't differentiate: calls of functions that it lacks, and comparisons, which are 0 or 1. */
type Lacking = Ast & { kind: 'call' | 'compare' }

/**
 * mathjs differentiates what it knows; a call h(u) of another function (or a comparison) stands in its formula as a symbol s,
 * and by the chain rule adds ∂/∂s · h′(u) · u′.
 */
function derivative(ast: Ast, param: string): string {
  const lacking = lackingIn(ast).map((part, i) => ({ symbol: `s${i}_`, text: asText(part), slope: slopeOf(part, param) }))
  let count = 0
  const body = written(ast, () => lacking[count++]!.symbol)
  const direct = math.derivative(body, param).toString({ implicit: 'show' })
  const inner = lacking.map(({ symbol, slope }) => `(${math.derivative(body, symbol).toString({ implicit: 'show' })}) * (${slope})`)
  return lacking.reduce((all, { symbol, text }) => all.replaceAll(symbol, `(${text})`), [direct, ...inner].join(' + '))
}

const asText = (ast: Ast): string =>
  written(ast, (part) =>
    part.kind === 'call' ? `${part.callee}(${argumentsOf(part).join(', ')})` : `(${asText(part.left)} ${part.sign} ${asText(part.right)})`,
  )

/** The arguments of a call as text, keywords in their places: mathjs has none. */
function argumentsOf({ callee, args, named }: Ast & { kind: 'call' }): string[] {
  const texts = args.map(asText)
  const slots = operations.get(callee)?.slots ?? []
  for (const { name, value } of named) texts[slots.indexOf(name)] = asText(value)
  return texts
}

/** The derivative of what mathjs can't differentiate. */
function slopeOf(call: Lacking, param: string): string {
  if (call.kind === 'compare') return '0'
  const [a, b, c] = call.args as [Ast, Ast, Ast]
  const at = (ast: Ast) => `(${derivative(ast, param)})`
  if (call.callee === 'where') return `where(${asText(a)}, ${at(b)}, ${at(c)})`
  if (call.callee === 'maximum') return `where(${asText(a)} > ${asText(b)}, ${at(a)}, ${at(b)})`
  if (call.callee === 'minimum') return `where(${asText(a)} < ${asText(b)}, ${at(a)}, ${at(b)})`
  const slope = outer[call.callee]?.(asText(a)) ?? `${call.callee}_prime(${argumentsOf(call).join(', ')})`
  return `${slope} * ${at(a)}`
}

/** The outermost of what mathjs can't differentiate, in reading order. */
function lackingIn(ast: Ast): Lacking[] {
  const found: Lacking[] = []
  written(ast, (part) => {
    found.push(part)
    return '0'
  })
  return found
}

/** A formula in mathjs's syntax; `other` writes what it can't differentiate. */
function written(ast: Ast, other: (part: Lacking) => string): string {
  const of = (inner: Ast): string => `(${written(inner, other)})`
  switch (ast.kind) {
    case 'number':
      return String(ast.value)
    case 'name':
      return ast.name
    case 'negate':
      return `-${of(ast.of)}`
    case 'sum':
      return ast.terms.map(({ negative, term }, i) => `${negative ? '-' : i > 0 ? '+' : ''}${of(term)}`).join(' ')
    case 'product':
      return ast.rest.reduce((text, { sign, factor }) => `${text} ${sign} ${of(factor)}`, of(ast.first))
    case 'power':
      return `${of(ast.base)}^${of(ast.exponent)}`
    case 'compare':
      return other(ast)
    case 'call':
      return known.has(ast.callee) ? `${ast.callee}(${ast.args.map((a) => written(a, other)).join(', ')})` : other(ast)
    default:
      throw new Error(`${ast.kind} in a pointwise formula`)
  }
}
