/** A derivation arranged for reading: sections of equations with their reasons, before any format is chosen. */
import type { Derivation, LoopDerivation } from '../derive/derive.ts'
import { rangeLayout } from '../derive/recurrence.ts'
import type { Gradient } from '../derive/reverse.ts'
import type { Layout } from '../layout/layout.ts'
import type { Value } from '../network/network.ts'
import { type Section, statementLine, type Writer, writerOf } from './lines.ts'
import { receivedFrom, sumLine } from './loops.ts'
import { hasPathsInside, reasonsOf } from './reasons.ts'
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
  const sections = at === undefined ? wholeReport(derivation, writer) : askedFor(at, derivation, writer)
  return {
    title: network.title,
    about: network.about,
    loss: writer.loss,
    sections: [...(at === undefined ? forwardSections(derivation, writer) : []), ...sections],
  }
}

/** The equations in their order, a loop under its heading. */
function forwardSections(derivation: Derivation, writer: Writer): Section[] {
  const { network, loops } = derivation
  const nodes = [...network.values.values()].filter((v) => v.role === 'node' && !v.isCall)
  const sections: Section[] = []
  let rest = nodes
  for (const { loop, derivation: step } of loops) {
    const before = rest.filter((v) => v.span.start < loop.span.start)
    if (before.length > 0) sections.push({ kind: 'forward', lines: before.map(writer.forward), where: [] })
    const lines = loop.step.filter((v) => !v.isCall).map(writerOf(step).forward)
    sections.push({ kind: 'forward', title: rangeLayout(loop.index, loop.from, loop.to), lines, where: [] })
    rest = rest.filter((v) => !before.includes(v))
  }
  if (rest.length > 0 || loops.length === 0) sections.push({ kind: 'forward', lines: rest.map(writer.forward), where: [] })
  return sections
}

/** What is said of some values only: of those of a loop's step in its own derivation, of those that loops send errors to by the loops. */
function askedFor(at: readonly Value[], derivation: Derivation, writer: Writer): Section[] {
  return at.flatMap((value) => {
    const loop = derivation.gradients.has(value) ? undefined : derivation.loops.find((l) => l.derivation.gradients.has(value))
    if (loop) return sectionsIn(loop, (own) => blocksOf(value, loop.derivation, own))
    const received = receivedFrom(value, derivation)
    const kind = value.role === 'param' ? 'parameters' : 'inputs'
    const own = received.some((r) => r.isAll) ? [] : whereLines(blocksOf(value, derivation, writer), derivation, writer)
    return [...own, ...received.flatMap(({ line, from }) => sectionsIn(from, () => [{ kind, lines: [line] }]))]
  })
}

/** Sections in the names of one step of a loop. */
function sectionsIn(loop: LoopDerivation, drafts: (writer: Writer) => readonly Draft[]): Section[] {
  const writer = writerOf(loop.derivation, loop)
  return whereLines(drafts(writer), loop.derivation, writer)
}

function wholeReport(derivation: Derivation, writer: Writer): Section[] {
  const { network, branches, loops } = derivation
  const start = loops[0]?.loop.span.start ?? Number.POSITIVE_INFINITY
  const isAfter = (g: Gradient): boolean => g.of.span.start > start
  const ends = new Set(loops.flatMap(({ loop }) => loop.carried.map((c) => c.last)))
  const { anchored, plain } = sorted(derivation)
  const lossArguments = plain.filter((g) => (g.of.role === 'node' && branches.anchors.has(g.of)) || ends.has(g.of))
  const loss: Draft[] = network.lossIsOpaque ? [] : [{ ...lossSection(derivation, writer), lines: lossArguments.map(writer.gradient) }]
  const blocks = (found: readonly Gradient[]): Draft[] => found.flatMap((g) => blocksOf(g.of, derivation, writer))
  const leaves = plain.filter((g) => !ends.has(g.of))
  if (loops.length === 0) return whereLines([...loss, ...blocks(anchored), ...leafSections(leaves, writer)], derivation, writer)
  const [after, before] = [anchored.filter(isAfter), anchored.filter((g) => !isAfter(g))]
  const outside = whereLines([...loss, ...blocks(after), ...blocks(before), ...leafSections(leaves, writer)], derivation, writer)
  const cut = loss.length + blocks(after).length
  return [...outside.slice(0, cut), ...[...loops].reverse().flatMap(loopSections), ...outside.slice(cut)]
}

/** Merges and fan-outs, and the others, those that the network defines first first. */
function sorted({ network, gradients, branches, structure }: Derivation): {
  readonly anchored: readonly Gradient[]
  readonly plain: readonly Gradient[]
} {
  const all = [...gradients.values()].filter((g) => g.of !== network.loss)
  const isAnchored = (g: Gradient): boolean =>
    branches.merges.has(g.of) || branches.fanOuts.has(g.of) || (g.of.role === 'node' && hasPathsInside(g.of, structure))
  return { anchored: all.filter(isAnchored), plain: all.filter((g) => !isAnchored(g) && !g.given).reverse() }
}

function leafSections(plain: readonly Gradient[], writer: Writer): Draft[] {
  const section = (kind: Section['kind'], role: Value['role']): Draft[] => {
    const found = plain.filter((g) => g.of.role === role)
    return found.length > 0 ? [{ kind, lines: found.map(writer.gradient) }] : []
  }
  return [...section('inputs', 'input'), ...section('parameters', 'param')]
}

/** How the error goes back through a loop: what follows for all steps, one step, and what the steps send to values from outside. */
function loopSections(whole: LoopDerivation): Section[] {
  const { loop, derivation, shown, shared, statements } = whole
  const writer = writerOf(derivation, whole)
  const isShown = (g: Gradient): boolean => shown.includes(g.of)
  const { anchored, plain } = sorted(derivation)
  const nodes = plain.filter((g) => g.of.role === 'node' && derivation.branches.anchors.has(g.of) && isShown(g)).reverse()
  const heading: Draft = {
    kind: 'loop',
    title: rangeLayout(loop.index, loop.from, loop.to),
    why: 'each step receives the error of the next one',
    lines: statements.filter((s) => !s.isEnd).map(statementLine),
  }
  const sums = (role: Value['role'][], kind: Section['kind']): Draft[] => {
    const lines = shared.filter((s) => role.includes(s.of.role)).map((s) => sumLine(s, whole, writer))
    return lines.length > 0 ? [{ kind, lines, why: 'used by every step: the contributions of all steps add up' }] : []
  }
  const blocks = (g: Gradient): Draft[] => blocksOf(g.of, derivation, writer, isShown(g))
  const drafts = [
    heading,
    ...nodes.flatMap(blocks),
    ...anchored.flatMap((g) => (loop.step.includes(g.of) || isShown(g) ? blocks(g) : [])),
    ...leafSections(plain.filter(isShown), writer),
    ...sums(['input', 'node'], 'inputs'),
    ...sums(['param'], 'parameters'),
  ]
  return whereLines(drafts, derivation, writer)
}

const lossSection = ({ network, structure }: Derivation, writer: Writer): Draft => ({
  kind: 'loss',
  title: writer.equation(network.loss),
  why: reasonsOf(network.loss, structure, 'all'),
  lines: [],
})

/** What is said of one value: as a merge, as a fan-out, or simply its gradient; unless `whole` only where the error goes from it. */
function blocksOf(value: Value, { gradients, branches, structure }: Derivation, writer: Writer, whole = true): Draft[] {
  const g = gradients.get(value)!
  const isMerge = branches.merges.has(value)
  const uses = branches.fanOuts.get(value)
  const title = value.role === 'node' ? writer.equation(value) : undefined
  if (!isMerge && !uses) {
    if (value.role === 'node' && hasPathsInside(value, structure))
      return [{ kind: 'node', title, why: reasonsOf(value, structure, 'merges'), lines: g.given ? [] : writer.lines(g) }]
    if (g.given)
      return [{ kind: 'node', title: title ?? value.layout, why: 'an argument of the unknown loss: here the derivation starts', lines: [] }]
    return [{ kind: value.role === 'param' ? 'parameters' : value.role === 'input' ? 'inputs' : 'node', title, lines: writer.lines(g) }]
  }
  const merge: Draft[] = isMerge
    ? [
        {
          kind: 'merge',
          title,
          why: reasonsOf(value, structure, 'merges'),
          lines: [...(g.given || uses || !whole ? [] : writer.lines(g)), ...writer.branches(value)],
        },
      ]
    : []
  const fanOut: Draft[] = uses && whole ? [{ kind: 'fan-out', title: value.layout, why: writer.uses(uses), lines: writer.lines(g) }] : []
  return [...merge, ...fanOut]
}
