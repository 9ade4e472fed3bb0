/** Claims as a spec writes them: parsed, with their names checked. */
import { type Diagnostic, diagnostic, fail, nearest, type Source } from '../diagnostic.ts'
import type { ClaimEntry } from './document.ts'
import { namesIn } from './names.ts'
import type { Claim, Scope } from './network.ts'
import { parseEquation, parseExpression } from './syntax.ts'

export function claimOf(entry: ClaimEntry, source: Source, declared: (name: string) => boolean): Claim {
  if (entry.form === 'latex') fail('later-version', { what: 'a claim in LaTeX' }, entry.span)
  if (entry.for) fail('later-version', { what: 'a claim over an index' }, entry.for.span)
  const locals = new Set(entry.where.map((b) => b.name.text))
  const known = (name: string) => declared(name) || locals.has(name)
  const equation = parseEquation(entry.text, known)
  if (equation.targets.length !== 1)
    fail('syntax', { expected: 'one expression before the =', found: `${equation.targets.length}` }, entry.text.span)
  const where = entry.where.map((b) => ({ name: b.name.text, value: parseExpression(b.value, known) }))
  return {
    equation,
    where,
    negated: entry.negated,
    source: source.text.slice(entry.text.span.start, entry.text.span.end),
    span: entry.text.span,
  }
}

/** Names in a claim that mean nothing: faults of the input, also under `not:`. */
export function unknownNames({ equation, where }: Claim, scope: Scope): Diagnostic[] {
  const locals = new Set(where.map((b) => b.name))
  const isKnown = (name: string): boolean =>
    locals.has(name) || scope.values.has(name) || scope.broken.has(name) || scope.dims.has(name) || constants.has(name)
  const all = [...equation.targets, equation.value, ...where.map((b) => b.value)].flatMap((ast) => namesIn(ast))
  // dL/dq is read as a quotient of two names where q is not declared: q is what is wrong
  const isDifferential = (name: string): boolean => name.startsWith('d') && isKnown(name.slice(1))
  return all
    .filter(({ name }) => !isKnown(name) && !isDifferential(name))
    .map(({ name, span }) => {
      const meant = name.startsWith('d') && name.length > 1 && all.some((other) => isDifferential(other.name)) ? name.slice(1) : name
      const near = nearest(meant, scope.values.keys())
      return diagnostic('unknown-name', { name: meant, ...(near ? { near } : {}) }, span)
    })
}

const constants: ReadonlySet<string> = new Set(['I', 'pi', 'True', 'False', 'None'])
