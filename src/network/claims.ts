/** Claims as a spec writes them: parsed, with their names checked. */
import { type Diagnostic, diagnostic, fail, nearest, type Source } from '../diagnostic.ts'
import type { ClaimEntry } from './document.ts'
import { ownerOf } from './families.ts'
import { indicesIn, namesIn } from './names.ts'
import type { Claim, Scope } from './network.ts'
import type { Declared } from './parser.ts'
import { parseEquation, parseExpression, parseLoop } from './syntax.ts'

/** What names stand for in claims: values, families and instances, also inside other instances. */
export function declaredIn({ values, families, broken }: Pick<Scope, 'values' | 'families' | 'broken'>): Declared {
  let kinds: ReadonlyMap<string, Kind> | undefined
  return (pattern) => {
    // a family without members counts as if it had some
    kinds ??= kindsIn([...values.keys(), ...[...families.keys()].map((family) => `${family}[]`)])
    return kinds.get(pattern) ?? (broken.has(pattern) ? 'value' : undefined)
  }
}

type Kind = NonNullable<ReturnType<Declared>>

function kindsIn(names: Iterable<string>): ReadonlyMap<string, Kind> {
  const kinds = new Map<string, Kind>()
  const patterns = new Set([...names].map((name) => name.replaceAll(/\[[^\]]*\]/g, '[]')))
  for (const pattern of patterns) {
    if (!kinds.has(pattern)) kinds.set(pattern, 'value')
    for (const { index } of pattern.matchAll(/\[\]/g)) {
      kinds.set(pattern.slice(0, index), 'family')
      if (pattern[index + 2] === '.') kinds.set(pattern.slice(0, index + 2), 'instance')
    }
  }
  return kinds
}

export function claimOf(entry: ClaimEntry, source: Source, declared: Declared): Claim {
  if (entry.form === 'latex') fail('later-version', { what: 'a claim in LaTeX' }, entry.span)
  const loop = entry.for && parseLoop(entry.for)
  const locals = new Set(entry.where.map((b) => b.name.text))
  const known: Declared = (name) => (locals.has(name) ? 'value' : declared(name))
  const equation = parseEquation(entry.text, known)
  if (equation.targets.length !== 1)
    fail('syntax', { expected: 'one expression before the =', found: `${equation.targets.length}` }, entry.text)
  const where = entry.where.map((b) => ({ name: b.name.text, value: parseExpression(b.value, known) }))
  return {
    equation,
    loop,
    where,
    negated: entry.negated,
    source: source.text.slice(entry.text.start, entry.text.end),
    span: entry.text,
  }
}

/** Names in a claim that mean nothing, or two things: faults of the input, also under `not:`. */
export function faultyNames(claim: Claim, scope: Scope): Diagnostic[] {
  const { equation, where, loop, span } = claim
  const indices = [...(loop ? [loop.index] : []), ...[...equation.targets, equation.value, ...where.map((w) => w.value)].flatMap(indicesIn)]
  const ambiguous = [...new Set(indices)].flatMap((name) => {
    const first = ownerOf(name, scope)
    return first ? [diagnostic('duplicate-name', { name, first }, span)] : []
  })
  return ambiguous.length > 0 ? ambiguous : unknownNames(claim, scope)
}

function unknownNames({ equation, where, loop }: Claim, scope: Scope): Diagnostic[] {
  const locals = new Set(where.map((b) => b.name))
  const isKnown = (name: string): boolean =>
    locals.has(name) ||
    scope.values.has(name) ||
    scope.families.has(name) ||
    scope.broken.has(name) ||
    scope.dims.has(name) ||
    constants.has(name)
  const asts = [...equation.targets, equation.value, ...where.map((b) => b.value)]
  const all = asts.flatMap((ast) => namesIn(ast))
  for (const index of [...(loop ? [loop.index] : []), ...asts.flatMap(indicesIn)]) locals.add(index)
  // dL/dq is read as a quotient of two names where q is not declared: q is what is wrong
  const isDifferential = (name: string): boolean => name.startsWith('d') && isKnown(name.slice(1))
  return all
    .filter(({ name }) => !isKnown(name) && !isDifferential(name))
    .map((mention) => {
      const { name } = mention
      const meant = name.startsWith('d') && name.length > 1 && all.some((other) => isDifferential(other.name)) ? name.slice(1) : name
      const hint = forEvery(name, scope)
      const near = hint ? undefined : nearest(meant, scope.values.keys())
      return diagnostic('unknown-name', { name: meant, ...(near ? { near } : {}), ...(hint ? { hint } : {}) }, mention)
    })
}

/** What to write where the index of a loop stands free in a claim. */
function forEvery(index: string, { text }: Scope): string | undefined {
  const [header] = [...text.matchAll(/\bfor\s+(\w+)\s+in\s+range\([^:\n]*\):/g)].filter(([, name]) => name === index).map(([all]) => all)
  return header && `${index} is the index of a loop: a claim for each of its values begins with  ${header}`
}

const constants: ReadonlySet<string> = new Set(['I', 'pi', 'True', 'False', 'None'])
