/** The spec file: its keys, their types, and the JSON Schema that editors complete it with, all from one definition. */
import { Failure, fail, nearest, type Source, type Span } from '../diagnostic.ts'
import {
  type Context,
  described,
  type Entry,
  entriesOf,
  expected,
  latex,
  listOf,
  mapOf,
  optional,
  type Reader,
  record,
  required,
  type Text,
  text,
  textOf,
  whole,
} from './readers.ts'
import { isMap, isScalar, isSeq, type Node, parseYaml, spanOf } from './yaml.ts'

export type { Text } from './readers.ts'

export type Numbers = number | readonly Numbers[]

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

// shapes and declarations

const shape = listOf(described('a size: a whole number, a symbol, or arithmetic on them', text))

const domains = ['one_hot', 'index(k)', 'mask', 'sign', 'simplex', 'positive']

const domain: Reader<Text> = {
  schema: { type: 'string', pattern: '^(one_hot|mask|sign|simplex|positive|index\\(.+\\))$' },
  read(node, context, where) {
    const found = text.read(node, context, where)
    if (/^(one_hot|mask|sign|simplex|positive|index\(.+\))$/.test(found.text)) return found
    const near = nearest(found.text, domains)
    return fail(
      'expected',
      { where, expected: near ? `${near} (or another of ${domains.join(', ')})` : `one of ${domains.join(', ')}`, found: found.text },
      found.span,
    )
  },
}

const numbers: Reader<Numbers> = {
  schema: { type: ['number', 'array'] },
  read(node, context, where) {
    if (isSeq(node)) return node.items.map((item) => numbers.read(item as Node, context, where))
    const value = isScalar(node) ? node.value : undefined
    return typeof value === 'number' ? value : expected(where, 'a number or nested lists of numbers', node)
  },
}

const longForm = record(
  {
    shape: optional<readonly Text[] | undefined>(shape, undefined),
    is: optional<Text | undefined>(domain, undefined),
    value: optional<Numbers | undefined>(numbers, undefined),
  },
  'a declaration',
)

type Body = Omit<Declaration, 'name'>

const declaration = (allowed: 'value' | 'instance' | 'shape'): Reader<Body> => ({
  schema: {
    anyOf: [
      shape.schema,
      ...(allowed === 'value' ? [numbers.schema] : allowed === 'instance' ? [{ type: 'string' }] : []),
      longForm.schema,
    ],
  },
  read(node, context, where) {
    if (isSeq(node)) return { shape: shape.read(node, context, `the shape of ${where}`) }
    if (isMap(node)) return longForm.read(node, context, where)
    if (allowed === 'value' && isScalar(node) && typeof node.value === 'number') return { value: node.value }
    const name = textOf(node, context)
    if (allowed === 'instance' && name) return { module: name }
    return expected(where, 'a shape, such as [n, k], or [] for a scalar', node)
  },
})

const named = (entries: readonly Entry<Body>[]): Declaration[] => entries.map(({ key, value }) => ({ name: key, ...value }))

const declarations = (allowed: 'value' | 'instance' | 'shape', description: string): Reader<Declaration[]> => {
  const map = mapOf(declaration(allowed), 'a map from names to shapes')
  return { schema: { ...map.schema, description }, read: (node, context, where) => named(map.read(node, context, where)) }
}

// functions

const ownGradient = record({ value: required(text), vjp: required(text) }, 'a function with its own gradient')

const functionBody: Reader<FunctionDefinition['body']> = {
  schema: { anyOf: [{ type: 'string' }, ownGradient.schema] },
  read: (node, context, where) => (isMap(node) ? ownGradient.read(node, context, where) : text.read(node, context, where)),
}

// layers

const layer: Reader<Layer> = {
  schema: {
    anyOf: [{ type: 'string' }, { type: 'object', patternProperties: { '^for ': { type: 'array' } }, additionalProperties: false }],
  },
  read(node, context, where) {
    const loop = isMap(node) ? entriesOf(node, context, where) : []
    if (loop.length === 1 && loop[0]!.key.text.startsWith('for ')) {
      return { kind: 'for', header: loopHeader(loop[0]!.key), body: layers.read(loop[0]!.node, context, 'the loop') }
    }
    return { kind: 'equation', text: text.read(node, context, where) }
  },
}

const layers: Reader<readonly Layer[]> = listOf(layer, 'a list of equations')

/** `for l in range(N)` without its first word. */
function loopHeader(key: Text): Text {
  const rest = key.text.replace(/^for\s+/, '')
  const start = key.span.start + key.text.length - rest.length
  return { ...key, text: rest, span: key.exact ? { start, end: key.span.end } : key.span }
}

// claims

const bindings: Reader<ClaimEntry['where']> = {
  ...mapOf(text),
  read: (node, context, where) =>
    mapOf(text)
      .read(node, context, where)
      .map(({ key, value }) => ({ name: key, value })),
}

const claim: Reader<ClaimEntry> = {
  schema: {
    anyOf: [
      { type: 'string' },
      {
        type: 'object',
        properties: {
          claim: { type: 'string' },
          not: { anyOf: [{ type: 'string' }, { type: 'object', properties: { latex: { type: 'string' } } }] },
          latex: { type: 'string' },
          where: bindings.schema,
          for: { type: 'string' },
        },
      },
    ],
  },
  read(node, context, where) {
    if (!isMap(node)) {
      const found = text.read(node, context, where)
      return { form: 'spec', text: found, negated: false, where: [], span: found.span }
    }
    const entries = entriesOf(node, context, where)
    const [first] = entries
    if (entries.length === 1 && first!.key.text.startsWith('for ')) {
      const found = text.read(first!.node, context, where)
      return { form: 'spec', text: found, negated: false, where: [], for: loopHeader(first!.key), span: found.span }
    }
    return longClaim(node, entries, context, where)
  },
}

const claimKeys = ['claim', 'not', 'latex', 'where', 'for']

function longClaim(node: Node, entries: ReturnType<typeof entriesOf>, context: Context, where: string): ClaimEntry {
  const strange = entries.find((e) => !claimKeys.includes(e.key.text))
  if (strange && /[=[(/]/.test(strange.key.text)) return { ...emptyClaim(text.read(node, context, where)) }
  if (strange) {
    const near = nearest(strange.key.text, claimKeys)
    fail(
      'unknown-key',
      { key: strange.key.text, where: 'a claim', known: claimKeys.join(', '), ...(near ? { near } : {}) },
      strange.key.span,
    )
  }
  const of = (key: string): Node | null | undefined => entries.find((e) => e.key.text === key)?.node
  const bodies = ['claim', 'not', 'latex'].filter((k) => of(k) !== undefined)
  if (bodies.length !== 1)
    fail(
      'expected',
      { where: 'a claim', expected: 'exactly one of claim, not, latex', found: bodies.join(' and ') || 'none' },
      spanOf(node),
    )
  const [kind] = bodies
  const body = of(kind!)!
  const local = of('where')
  const range = of('for')
  const inner = isMap(body) ? entriesOf(body, context, where) : []
  const isLatex = kind === 'latex' || (kind === 'not' && inner.length === 1 && inner[0]!.key.text === 'latex')
  const found = isLatex ? latex.read(isMap(body) ? inner[0]!.node : body, context, where) : text.read(body, context, where)
  return {
    form: isLatex ? 'latex' : 'spec',
    text: found,
    negated: kind === 'not',
    where: local ? bindings.read(local, context, 'where') : [],
    for: range ? text.read(range, context, 'for') : undefined,
    span: found.span,
  }
}

const emptyClaim = (found: Text): ClaimEntry => ({ form: 'spec', text: found, negated: false, where: [], span: found.span })

// modules

const returns: Reader<readonly Text[]> = {
  schema: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  read: (node, context, where) => (isSeq(node) ? listOf(text).read(node, context, where) : [text.read(node, context, where)]),
}

const module = record(
  {
    params: optional(declarations('instance', 'weights of every instance'), []),
    constants: optional(declarations('value', 'constants of every instance'), []),
    layers: required(layers),
    returns: required(returns),
    claims: optional(listOf(claim), []),
  },
  'a module',
)

// the whole

const spec = record(
  {
    name: optional<Text | undefined>(described('the title', text), undefined),
    about: optional<Text | undefined>(described('a citation or note', text), undefined),
    dims: optional(described('fixes symbolic sizes', mapOf(whole(0))), []),
    inputs: optional(declarations('shape', 'name → shape; gradients are derived for them'), []),
    params: optional(declarations('instance', 'name → shape; gradients are derived for them'), []),
    constants: optional(declarations('value', 'targets, masks, numbers: no gradients are derived'), []),
    assume: optional(described('conditions on random points, such as h > 0', listOf(text)), []),
    functions: optional(described('F(x): opaque, f(t): opaque pointwise, swish(t): t / (1 + exp(-t))', mapOf(functionBody)), []),
    modules: optional(described('reusable blocks', mapOf(module)), []),
    layers: required(described('the equations of the network, in order', layers), 'A list of equations:  layers: then  - y = W @ x'),
    loss: required(
      described('a scalar expression, or L(y) for an unknown loss', text),
      'A scalar such as half_sse(y, t), or L(y) for an unknown one.',
    ),
    claims: optional(described('equations that must hold, or under not: must not', listOf(claim)), []),
    notation: optional(described('name → LaTeX', mapOf(latex)), []),
  },
  'the spec',
)

/** Reads a spec. Throws one Failure with all faults of its form. */
export function readDocument(source: Source): Document {
  const context: Context = { source: source.text, faults: [] }
  const root = parseYaml(source)
  const read = spec.read(root, context, 'the spec')
  if (context.faults.length > 0) throw new Failure(context.faults)
  return {
    ...read,
    dims: read.dims.map(({ key, value }) => ({ name: key, value })),
    functions: read.functions.map(({ key, value }) => ({ head: key, body: value })),
    modules: read.modules.map(({ key, value }) => ({ head: key, ...value })),
    notation: read.notation.map(({ key, value }) => ({ name: key, latex: value })),
  }
}

/** The JSON Schema of specs, for editors. */
export const documentSchema = (): object => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Backproof spec',
  ...spec.schema,
})
