/** From a document to a network: names get their meaning, expressions their shapes, and every fault is gathered. */

import { collecting, type Diagnostic, diagnostic, Failure, type Source } from '../diagnostic.ts'
import type { Dim } from '../expr/dim.ts'
import { claimOf, unknownNames } from './claims.ts'
import type { Document, Layer } from './document.ts'
import type { Draft } from './draft.ts'
import { callsIn, defineNode, equationOf, nameCall } from './equations.ts'
import { expressionOf } from './expression.ts'
import { declareFunctions } from './functions.ts'
import { defineLoss, isOpaqueLoss, lossEquation } from './loss.ts'
import type { Network, Scope } from './network.ts'
import type { Differentiate } from './pointwise.ts'
import { parseExpression } from './syntax.ts'
import { declareVariables } from './variables.ts'

/**
 * The network that a document describes. `sizes` fixes symbols over and above the document's own `dims`;
 * `differentiate` is asked for the derivatives of written-out pointwise functions.
 * Throws one Failure with every fault of the document.
 */
export function elaborate(document: Document, source: Source, sizes: ReadonlyMap<string, number>, differentiate: Differentiate): Network {
  const draft: Draft = {
    text: source.text,
    faults: [],
    dims: new Map<string, Dim>(document.dims.map(({ name, value }) => [name.text, value])),
    values: new Map(),
    exprs: new Map(),
    functions: new Map(),
    broken: new Set(),
    fixed: new Map(),
    notation: new Map(document.notation.map(({ name, latex }) => [name.text, latex.text])),
    differentiate,
  }
  for (const [name, size] of sizes) {
    if (mentions(source.text, name)) draft.dims.set(name, size)
    else draft.faults.push(diagnostic('unknown-size', { name }))
  }
  const equations = document.layers.flatMap((layer) => {
    const read = collecting(draft.faults, () => equationOf(layer))
    if (!read) for (const name of targetsOf(layer)) draft.broken.add(name)
    return read ?? []
  })
  const loss = collecting(draft.faults, () => lossEquation(document.loss))
  const calls = callsIn([...equations.map((e) => e.value), ...(loss ? [loss.value] : [])])
  const taken = new Set(equations.map((e) => e.name))
  const scope: Scope = {
    values: draft.exprs,
    functions: draft.functions,
    dims: draft.dims,
    text: draft.text,
    broken: draft.broken,
    nameCall: (f, args) => (taken.has(f.name) ? undefined : nameCall(f, args, calls, draft)),
  }

  declareVariables(document, draft)
  declareFunctions(document.functions, draft, scope, calls)
  for (const [i, equation] of equations.entries()) collecting(draft.faults, () => defineNode(equation, equations, i, draft, scope))
  const lossIsOpaque = loss !== undefined && isOpaqueLoss(loss.value, draft)
  if (loss) collecting(draft.faults, () => defineLoss(loss, lossIsOpaque, draft, scope))
  const assumptions = document.assume.flatMap((text) => collecting(draft.faults, () => expressionOf(parseExpression(text), scope)) ?? [])
  const declared = (name: string) => draft.exprs.has(name) || draft.broken.has(name)
  const claims = document.claims.flatMap((entry) => {
    const claim = collecting(draft.faults, () => claimOf(entry, source, declared))
    if (claim) draft.faults.push(...unknownNames(claim, scope))
    return claim ? [claim] : []
  })
  if (draft.faults.length > 0) throw new Failure(inPlace(draft.faults))
  return {
    title: document.name?.text,
    about: document.about?.text,
    values: draft.values,
    loss: draft.values.get(loss!.name)!,
    lossIsOpaque,
    functions: draft.functions,
    claims,
    assumptions,
    fixed: draft.fixed,
    sizes: [...draft.dims].flatMap(([name, dim]) => (typeof dim === 'number' ? [] : [name])),
    scope: { ...scope, nameCall: undefined },
  }
}

const mentions = (text: string, name: string): boolean => new RegExp(`(?<![\\p{L}\\p{N}_])${name}(?![\\p{L}\\p{N}_])`, 'u').test(text)

/** The names that a faulty layer would have defined: nothing more is said of them. */
const targetsOf = (layer: Layer): string[] =>
  layer.kind === 'for'
    ? layer.body.flatMap(targetsOf)
    : layer.text.text
        .split('=')[0]!
        .split(',')
        .map((target) => target.replace(/\[.*$/, '').trim())

const inPlace = (faults: readonly Diagnostic[]): Diagnostic[] => [...faults].sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0))
