/** Which names of a spec can be given a number from outside: those of sizes, and nothing that has another meaning. */
import { type Diagnostic, diagnostic } from '../diagnostic.ts'
import { operations } from '../ops/index.ts'
import type { ClaimEntry, Declaration, Document, Layer, ModuleDefinition } from './document.ts'
import { mentions, targetsOf } from './names.ts'

/** What is wrong with giving a name a number, if something is. */
export function refusalOf(name: string, document: Document): Diagnostic | undefined {
  const what = meaningOf(name, document)
  if (what) return diagnostic('not-a-size', { name, what })
  return expressionsIn(document).some((text) => mentions(text, name)) ? undefined : diagnostic('unknown-size', { name })
}

function meaningOf(name: string, document: Document): string | undefined {
  const isHead = (text: string): boolean => baseOf(text) === name
  const { inputs, params, constants, layers, functions, modules, loss } = document
  if (operations.has(name)) return 'an operation'
  if (functions.some(({ head }) => isHead(head.text))) return 'a function'
  if (modules.some(({ head }) => isHead(head.text))) return 'a module'
  if ([...inputs, ...params, ...constants].some((d) => isHead(d.name.text)) || layers.flatMap(targetsOf).includes(name)) return 'a value'
  if (/^[^=(]+(?=[=(])/.exec(loss.text)?.[0].trim() === name) return 'the loss'
  return expressionsIn(document).some((text) => indicesIn(text).includes(name)) ? 'an index' : undefined
}

/** W in W[N], F in F(x). */
const baseOf = (text: string): string => text.replace(/[[(].*$/s, '').trim()

const indicesIn = (text: string): string[] => [...text.matchAll(/([\p{L}_][\p{L}\p{N}_]*)\s+in\s+range\b/gu)].map(([, index]) => index!)

/** All texts of a spec in which a size may stand. */
function expressionsIn(document: Document): string[] {
  const { inputs, assume, functions, loss, dims } = document
  return [
    ...dims.map((d) => d.name.text),
    ...[...inputs].flatMap(textsOf),
    ...assume.map((t) => t.text),
    ...functions.flatMap(({ body }) => ('text' in body ? [body.text] : [body.value.text, body.vjp.text])),
    loss.text,
    ...[document, ...document.modules].flatMap(bodyTexts),
  ]
}

const bodyTexts = ({
  params,
  constants,
  layers,
  claims,
}: Pick<ModuleDefinition, 'params' | 'constants' | 'layers' | 'claims'>): string[] => [
  ...[...params, ...constants].flatMap(textsOf),
  ...layers.flatMap(layerTexts),
  ...claims.flatMap(claimTexts),
]

const textsOf = ({ name, shape, is }: Declaration): string[] => [
  name.text.slice(baseOf(name.text).length),
  ...(shape ?? []).map((s) => s.text),
  ...(is ? [is.text] : []),
]

const layerTexts = (layer: Layer): string[] =>
  layer.kind === 'for' ? [layer.header.text, ...layer.body.flatMap(layerTexts)] : [layer.text.text]

const claimTexts = ({ text, where, for: range }: ClaimEntry): string[] => [
  text.text,
  ...where.map((w) => w.value.text),
  ...(range ? [range.text] : []),
]
