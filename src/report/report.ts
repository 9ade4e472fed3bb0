/** A derivation arranged for reading: sections of equations with their reasons, before any format is chosen. */
import type { Derivation } from '../derive/derive.ts'
import type { Gradient } from '../derive/reverse.ts'
import type { Layout } from '../layout/layout.ts'
import type { Value } from '../network/network.ts'
import { type Section, type Writer, writerOf } from './lines.ts'
import { reasonsOf } from './reasons.ts'
import { whereLines } from './where.ts'

export interface Report {
  readonly title: string | undefined
  readonly about: string | undefined
  readonly loss: Layout
  readonly sections: readonly Section[]
}

type Draft = Omit<Section, 'where'>

/** Arranges a derivation, from the loss back; `at` asks for some values only, by default for all. */
export function reportOf(derivation: Derivation, at: readonly Value[] | undefined): Report {
  const { network } = derivation
  const writer = writerOf(derivation)
  const drafts = at === undefined ? wholeReport(derivation, writer) : at.flatMap((value) => blocksOf(value, derivation, writer))
  return {
    title: network.title,
    about: network.about,
    loss: writer.loss,
    sections: [...(at === undefined ? [forwardSection(derivation, writer)] : []), ...whereLines(drafts, derivation, writer)],
  }
}

const forwardSection = ({ network }: Derivation, writer: Writer): Section => ({
  kind: 'forward',
  lines: [...network.values.values()].filter((v) => v.role === 'node' && !v.isCall).map(writer.forward),
  where: [],
})

function wholeReport(derivation: Derivation, writer: Writer): Draft[] {
  const { network, gradients, branches } = derivation
  const all = [...gradients.values()].filter((g) => g.of !== network.loss)
  const isAnchored = (g: Gradient): boolean => branches.merges.has(g.of) || branches.fanOuts.has(g.of)
  const plain = all.filter((g) => !isAnchored(g) && !g.given).reverse()
  const section = (kind: Section['kind'], found: readonly Gradient[]): Draft[] =>
    found.length > 0 ? [{ kind, lines: found.map(writer.gradient) }] : []
  const lossArguments = plain.filter((g) => g.of.role === 'node' && branches.anchors.has(g.of))
  return [
    ...(network.lossIsOpaque ? [] : [{ ...lossSection(derivation, writer), lines: lossArguments.map(writer.gradient) }]),
    ...all.filter(isAnchored).flatMap((g) => blocksOf(g.of, derivation, writer)),
    ...section(
      'inputs',
      plain.filter((g) => g.of.role === 'input'),
    ),
    ...section(
      'parameters',
      plain.filter((g) => g.of.role === 'param'),
    ),
  ]
}

const lossSection = ({ network, structure }: Derivation, writer: Writer): Draft => ({
  kind: 'loss',
  title: writer.equation(network.loss),
  why: reasonsOf(network.loss, structure, 'all'),
  lines: [],
})

/** What is said of one value: as a merge, as a fan-out, or simply its gradient. */
function blocksOf(value: Value, derivation: Derivation, writer: Writer): Draft[] {
  const { gradients, branches, structure } = derivation
  const g = gradients.get(value)!
  const isMerge = branches.merges.has(value)
  const uses = branches.fanOuts.get(value)
  if (!isMerge && !uses) {
    if (g.given)
      return [
        { kind: 'node', title: writer.equation(value), why: 'an argument of the unknown loss: here the derivation starts', lines: [] },
      ]
    const kind = value.role === 'param' ? 'parameters' : value.role === 'input' ? 'inputs' : 'node'
    return [{ kind, title: kind === 'node' ? writer.equation(value) : undefined, lines: [writer.gradient(g)] }]
  }
  const merge: Draft[] = isMerge
    ? [
        {
          kind: 'merge',
          title: writer.equation(value),
          why: reasonsOf(value, structure, 'merges'),
          lines: [...(g.given || uses ? [] : [writer.gradient(g)]), ...writer.branches(value)],
        },
      ]
    : []
  const fanOut: Draft[] = uses ? [{ kind: 'fan-out', title: value.layout, why: writer.uses(uses), lines: [writer.gradient(g)] }] : []
  return [...merge, ...fanOut]
}
