/** The spec file: its keys, their types, and the JSON Schema that editors complete it with, all from one definition. */
import { collecting, Failure, fail, type Source, type Span } from '../diagnostic.ts'
import { lineCounter } from './lines.ts'
import { readPlain } from './plain.ts'
import {
  type Context,
  described,
  entriesOf,
  expected,
  isEmpty,
  latex,
  listOf,
  mapOf,
  mapped,
  maybe,
  type Numbers,
  numbers,
  oneOf,
  optional,
  type Reader,
  record,
  required,
  text,
  textOf,
  whole,
} from './readers.ts'
import { isList, isMap, isScalar, type Node, spanOf, type Text } from './tree.ts'

export type { Text } from './tree.ts'

/** `x: [n, k]`, `eps: 0.1`, `enc: Block`, or the long form with shape, is and value. */
export interface Declaration {
  readonly name: Text
  readonly shape?: readonly Text[] | undefined
  readonly module?: Text | undefined
  readonly is?: Text | undefined
  readonly value?: Numbers | undefined
}

export interface FunctionDefinition {
  /** `F(x, W)` */
  readonly head: Text
  /** A formula, `opaque`, `opaque pointwise`, `opaque [m]`, or a value with its own gradient. */
  readonly body: Text | { readonly value: Text; readonly vjp: Text }
}

export type Layer =
  | { readonly kind: 'equation'; readonly text: Text }
  | { readonly kind: 'for'; readonly header: Text; readonly body: readonly Layer[] }

export interface ClaimEntry {
  readonly form: 'spec' | 'latex'
  readonly text: Text
  readonly negated: boolean
  readonly where: readonly { readonly name: Text; readonly value: Text }[]
  readonly for?: Text | undefined
  readonly span: Span
}

export interface ModuleDefinition {
  readonly head: Text
  readonly params: readonly Declaration[]
  readonly constants: readonly Declaration[]
  readonly layers: readonly Layer[]
  readonly returns: readonly Text[]
  readonly claims: readonly ClaimEntry[]
  /** All of it but its heading. */
  readonly span: Span
}

export interface Document {
  readonly name?: Text | undefined
  readonly about?: Text | undefined
  readonly dims: readonly { readonly name: Text; readonly value: number }[]
  readonly inputs: readonly Declaration[]
  readonly params: readonly Declaration[]
  readonly constants: readonly Declaration[]
  readonly assume: readonly Text[]
  readonly functions: readonly FunctionDefinition[]
  readonly modules: readonly ModuleDefinition[]
  readonly layers: readonly Layer[]
  readonly loss: Text
  readonly claims: readonly ClaimEntry[]
  readonly notation: readonly { readonly name: Text; readonly latex: Text }[]
}

const named = <T>(value: Reader<T>) => mapOf(value, (name, it) => ({ name, value: it }))

// shapes and declarations

const shape = described('a list of sizes; [] is a scalar', listOf(described('a whole number, a symbol, or arithmetic on them', text)))

const domain = oneOf(['one_hot', 'mask', 'sign', 'simplex', 'positive'], { name: 'index', argument: 'k' })

const facts = {
  shape: maybe(shape),
  is: maybe(described('what values it has: random points respect it, and laws may use it', domain)),
}
const longForm = record(facts, 'a declaration')
const longFormWithValue = record({ ...facts, value: maybe(described('its value', numbers)) }, 'a declaration')

type Kind = 'input' | 'param' | 'constant'
type Facts = Omit<Declaration, 'name'>

const declaration = (kind: Kind): Reader<Facts> => {
  const long = kind === 'constant' ? longFormWithValue : longForm
  const short = { input: [], param: [{ type: 'string' }], constant: [{ type: 'number' }] }[kind]
  return {
    schema: { anyOf: [shape.schema, ...short, long.schema] },
    read(node, context, where) {
      if (isList(node)) return { shape: shape.read(node, context, `the shape of ${where}`) }
      if (isMap(node)) return long.read(node, context, where)
      const isNumber = isScalar(node) && typeof node.value === 'number'
      if (kind === 'constant' && isNumber) return { value: node.value as number }
      const name = isScalar(node) && !isNumber ? textOf(node, context) : undefined
      if (kind === 'param' && name) return { module: name }
      return expected(where, 'a shape, such as [n, k], or [] for a scalar', node)
    },
  }
}

const declarations = (kind: Kind): Reader<readonly Declaration[]> =>
  mapOf(declaration(kind), (name, { shape, module, is, value }) => ({ name, shape, module, is, value }), 'a map from names to shapes')

// functions

const ownGradient = record(
  {
    value: required(described('the function', text)),
    vjp: required(described('the error of its argument, or a list of them; g is the incoming error', text)),
  },
  'a function with its own gradient',
)

const functionBody: Reader<FunctionDefinition['body']> = {
  schema: { anyOf: [{ type: 'string' }, ownGradient.schema] },
  read: (node, context, where) => (isMap(node) ? ownGradient : text).read(node, context, where),
}

const functions = mapOf(functionBody, (head, body) => ({ head, body }))

// layers

const loop = (body: object): object => {
  const one = { minProperties: 1, maxProperties: 1, additionalProperties: false }
  return { type: 'object', description: 'for l in range(N)', patternProperties: { '^for ': body }, ...one }
}

const layer: Reader<Layer> = {
  schema: { anyOf: [{ type: 'string' }, loop({ $ref: '#/$defs/layers' })] },
  read(node, context, where) {
    if (isMap(node)) {
      const entries = entriesOf(node, context, where)
      if (entries[0]?.key.text.startsWith('for ')) return loopOf(node, entries, context)
    }
    const found = text.read(node, context, where)
    if (found.text.startsWith('for')) refuseHeader(found)
    return { kind: 'equation', text: found }
  },
}

function loopOf(node: Node, entries: ReturnType<typeof entriesOf>, context: Context): Layer {
  const { key, node: body } = entries[0]!
  if (entries.length > 1)
    return expected('a loop', 'one "for …:" with its equations', node, 'What follows the loop is an item of its own, after "- ".')
  if (isEmpty(body)) return expected('the loop', 'a list of equations', body, 'Indent its equations further than the word for.')
  return { kind: 'for', header: loopHeader(key), body: layers.read(body, context, 'the loop') }
}

/** A loop without its colon runs on into the list that follows it. */
function refuseHeader(found: Text): void {
  const header = /^for\s.*?\)/.exec(found.text)?.[0]
  if (header) fail('expected', { where: 'a loop', expected: `${header}: with its equations below`, found: 'without the colon' }, found)
}

const layers: Reader<readonly Layer[]> = listOf(layer, 'a list of equations')

/** `for l in range(N)` without its first word. */
function loopHeader(key: Text): Text {
  const rest = key.text.replace(/^for\s+/, '')
  const start = key.start + key.text.length - rest.length
  return { ...key, text: rest, start: key.exact ? start : key.start }
}

// claims

type Body = Pick<ClaimEntry, 'form' | 'text'>

/** In quotes, a loop and its equation are one text. */
const claimText: Reader<Text> = {
  ...text,
  read(node, context, where) {
    const found = text.read(node, context, where)
    const header = /^for\s+[\p{L}\p{N}_]+\s+in\s+range\(.*?\)(?=\s*:)/su.exec(found.text)?.[0]
    if (header)
      fail('expected', { where: 'a claim', expected: `${header}: and behind it the equation`, found: 'one text', hint: quotes }, found)
    return found
  },
}
const quotes = 'Quotes stand around the equation alone, not around the whole line.'

const inSpec: Reader<Body> = mapped(claimText, (found) => ({ form: 'spec', text: found }))
const inLatex: Reader<Body> = mapped(latex, (found) => ({ form: 'latex', text: found }))
const latexOnly = record({ latex: required(described('an equation in LaTeX', inLatex)) }, 'not')

/** `not: {latex: …}`, unless the map is an equation with a colon. */
const negation: Reader<Body> = {
  schema: { anyOf: [inSpec.schema, latexOnly.schema] },
  read(node, context, where) {
    if (!isMap(node) || isEquation(entriesOf(node, { ...context, faults: [] }, where))) return inSpec.read(node, context, where)
    return latexOnly.read(node, context, where).latex
  },
}

const longClaim = record(
  {
    claim: maybe(described('an equation that must hold', inSpec)),
    not: maybe(described('an equation that must not hold', negation)),
    latex: maybe(described('an equation in LaTeX that must hold', inLatex)),
    where: optional(described('names for parts of this claim', named(text)), []),
    for: maybe(described('t in range(1, N): the claim is about each t', text)),
  },
  'a claim',
)

/** A map that YAML made of an equation with a colon in it. */
const isEquation = (entries: readonly { readonly key: Text }[]): boolean => entries.some(({ key }) => /[=[(/]/.test(key.text))

const claim: Reader<ClaimEntry> = {
  schema: { anyOf: [{ type: 'string' }, longClaim.schema, loop({ type: 'string' })] },
  read(node, context, where) {
    const entries = isMap(node) ? entriesOf(node, { ...context, faults: [] }, where) : []
    const [first] = entries
    if (isMap(node) && node.items.length === 1 && first?.key.text.startsWith('for '))
      return { ...entryOf(inSpec.read(first.node, context, where)), for: loopHeader(first.key) }
    if (!isMap(node) || isEquation(entries)) return entryOf(inSpec.read(node, context, where))
    const read = longClaim.read(node, context, where)
    const given = entries.filter(({ key }) => ['claim', 'not', 'latex'].includes(key.text))
    const kinds = given.map(({ key }) => key.text).join(' and ') || 'none'
    if (given.length !== 1 && entries.every(({ key }) => Object.hasOwn(read, key.text)))
      fail('expected', { where: 'a claim', expected: 'exactly one of claim, not, latex', found: kinds }, spanOf(node))
    if (given.length === 1 && isEmpty(given[0]!.node)) return expected(kinds, 'an equation', given[0]!.node)
    const body = read.claim ?? read.not ?? read.latex
    if (!body) throw new Failure([])
    return { ...entryOf(body), negated: read.not !== undefined, where: read.where, for: read.for }
  },
}

const entryOf = (body: Body): ClaimEntry => ({ ...body, negated: false, where: [], span: body.text })

// modules

const returns: Reader<readonly Text[]> = {
  schema: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  read: (node, context, where) => (isList(node) ? listOf(text).read(node, context, where) : [text.read(node, context, where)]),
}

const moduleParts = record(
  {
    params: optional(described('parameters that every instance has', declarations('param')), []),
    constants: optional(described('constants that every instance has', declarations('constant')), []),
    layers: required(described('its equations, in order', layers)),
    returns: required(described('the name of its value, or a list of names', returns)),
    claims: optional(described('equations about every instance', listOf(claim)), []),
  },
  'a module',
)

const module: Reader<Omit<ModuleDefinition, 'head'>> = {
  ...moduleParts,
  read(node, context, where) {
    const { start, end } = spanOf(node)
    return { ...moduleParts.read(node, context, where), span: { start, end } }
  },
}

const modules = mapOf(module, (head, parts) => ({ head, ...parts }))
const notation = mapOf(latex, (name, written) => ({ name, latex: written }))

// the whole

const spec = record(
  {
    name: maybe(described('the title', text)),
    about: maybe(described('a citation or note', text)),
    dims: optional(described('fixes symbolic sizes: d: 64', named(whole(0))), []),
    inputs: optional(described('name → shape; gradients are derived for them', declarations('input')), []),
    params: optional(described('name → shape, or the name of a module; gradients are derived for them', declarations('param')), []),
    constants: optional(
      described('name → shape or value: targets, masks, numbers; no gradients are derived', declarations('constant')),
      [],
    ),
    assume: optional(described('conditions on random points, such as h > 0', listOf(text)), []),
    functions: optional(described('F(x): opaque, f(t): opaque pointwise, swish(t): t / (1 + exp(-t))', functions), []),
    modules: optional(described('reusable blocks: Block(x) → params, layers, returns', modules), []),
    layers: required(described('the equations of the network, in order', layers), 'A list of equations:  layers: then  - y = W @ x'),
    loss: required(
      described('a scalar expression, or L(y) for an unknown loss', text),
      'A scalar such as half_sse(y, t), or L(y) for an unknown one.',
    ),
    claims: optional(described('equations that must hold, or under not: must not', listOf(claim)), []),
    notation: optional(described('name → LaTeX', notation), []),
  },
  'the spec',
)

/** Reads a spec. Throws one Failure with all faults of its form. The YAML library is loaded for what needs it. */
export async function readDocument(source: Source): Promise<Document> {
  return documentOf(readPlain(source.text) ?? (await import('./yaml.ts')).parseYaml(source), source)
}

/** What a tree says. */
export function documentOf(root: Node, source: Source): Document {
  const context: Context = { source: source.text, faults: [], lineOf: lineCounter(source.text) }
  const document = collecting(context.faults, () => spec.read(root, context, 'the spec'))
  if (!document || context.faults.length > 0) throw new Failure(context.faults)
  return document
}

/** The JSON Schema of specs, for editors. */
export const documentSchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Backproof spec',
  description: 'A network, its loss, and claims about its gradients',
  ...spec.schema,
  $defs: { layers: layers.schema },
})
