/** A derivation arranged for reading: sections of equations with their reasons, before any format is chosen. */
import type { Derivation, LoopDerivation } from '../derive/derive.ts'
import { rangeLayout } from '../derive/recurrence.ts'
import type { Gradient } from '../derive/reverse.ts'
import { Table } from '../expr/table.ts'
import type { Layout } from '../layout/layout.ts'
import type { Value } from '../network/network.ts'
import { pathSections } from './inside.ts'
import { type Line, type Section, statementLine, type Writer, writerOf } from './lines.ts'
import { receivedFrom, sumLine } from './loops.ts'
import { reasonsOf } from './reasons.ts'
import { unreached, zeroLine, zeroSection } from './unreached.ts'
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
  const zeros = unreached(derivation)
  return at.flatMap((value) => {
    if (zeros.includes(value)) return [zeroSection(value, derivation)]
    const loop = derivation.gradients.has(value) ? undefined : derivation.loops.find((l) => l.derivation.gradients.has(value))
    if (loop) return sectionsIn(loop, (own) => said(value, loop.derivation, own))
    const received = receivedFrom(value, derivation)
    const kind = value.role === 'param' ? 'parameters' : 'inputs'
    const own = received.some((r) => r.isAll) ? [] : whereLines(once(said(value, derivation, writer)), derivation, writer)
    return [...own, ...received.flatMap(({ line, from }) => sectionsIn(from, () => [{ kind, lines: [line] }]))]
  })
}

/** All that is said of one value. */
const said = (value: Value, derivation: Derivation, writer: Writer): Draft[] => [
  ...blocksOf(value, derivation, writer),
  ...pathSections(derivation, writer, [value]),
]

/** Sections in the names of one step of a loop. */
function sectionsIn(loop: LoopDerivation, drafts: (writer: Writer) => readonly Draft[]): Section[] {
  const writer = writerOf(loop.derivation, loop)
  return whereLines(once(drafts(writer)), loop.derivation, writer)
}

function wholeReport(derivation: Derivation, writer: Writer): Section[] {
  const { network, loops } = derivation
  const start = loops[0]?.loop.span.start ?? Number.POSITIVE_INFINITY
  const isAfter = (g: Gradient): boolean => g.of.span.start > start
  const ends = new Set(loops.flatMap(({ loop }) => loop.carried.map((c) => c.last)))
  const { anchored, plain } = sorted(derivation)
  const lossArguments = plain.filter((g) => ends.has(g.of)).map(writer.gradient)
  const loss: Draft[] = network.lossIsOpaque ? [] : [lossSection(derivation, writer, lossArguments)]
  const blocks = (found: readonly Gradient[]): Draft[] => found.flatMap((g) => blocksOf(g.of, derivation, writer))
  const leaves = plain.filter((g) => !ends.has(g.of))
  const rest = [...leafSections(leaves, derivation, writer), ...pathSections(derivation, writer)]
  if (loops.length === 0) return whereLines(once([...loss, ...blocks(anchored), ...rest]), derivation, writer)
  const [after, before] = [anchored.filter(isAfter), anchored.filter((g) => !isAfter(g))]
  const behind = once([...loss, ...blocks(after)])
  const all = once([...behind, ...blocks(before), ...rest])
  const outside = whereLines(all, derivation, writer)
  return [...outside.slice(0, behind.length), ...[...loops].reverse().flatMap(loopSections), ...outside.slice(behind.length)]
}

/** Merges and fan-outs, and the others, those that the network defines first first. */
function sorted({ network, gradients, branches }: Derivation): {
  readonly anchored: readonly Gradient[]
  readonly plain: readonly Gradient[]
} {
  const all = [...gradients.values()].filter((g) => g.of !== network.loss)
  const isAnchored = (g: Gradient): boolean => branches.merges.has(g.of) || branches.fanOuts.has(g.of) || branches.told.has(g.of)
  return { anchored: all.filter(isAnchored), plain: all.filter((g) => !isAnchored(g) && !g.given).reverse() }
}

function leafSections(plain: readonly Gradient[], derivation: Derivation, writer: Writer): Draft[] {
  const zeros = unreached(derivation)
  const section = (kind: Section['kind'], role: Value['role']): Draft[] => {
    const lines: Line[] = []
    for (const g of plain) if (g.of.role === role) lines.push(...writer.lines(g))
    for (const value of zeros) if (value.role === role) lines.push(zeroLine(value, derivation))
    return lines.length > 0 ? [{ kind, lines }] : []
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
    ...leafSections(plain.filter(isShown), derivation, writer),
    ...sums(['input', 'node'], 'inputs'),
    ...sums(['param'], 'parameters'),
    ...pathSections(derivation, writer),
  ]
  return whereLines(once(drafts), derivation, writer)
}

/** The loss with what it sends to its arguments; `more` are arguments that loops hand to it. */
const lossSection = ({ network, structure }: Derivation, writer: Writer, more: readonly Line[]): Draft => ({
  kind: 'loss',
  title: writer.equation(network.loss),
  why: reasonsOf(network.loss, structure, 'all'),
  lines: [...writer.sent(network.loss), ...more],
})

/**
 * What is said of one value: how its error adds up, where it is used several times, and what goes on from it, where it is a
 * merge or has something to tell; or simply its gradient. Unless `whole` only where the error goes from it.
 */
function blocksOf(value: Value, derivation: Derivation, writer: Writer, whole = true): Draft[] {
  const { gradients, branches } = derivation
  const g = gradients.get(value)!
  const uses = branches.fanOuts.get(value)
  const goesOn = branches.merges.has(value) || branches.told.has(value)
  const own = whole && !g.given ? writer.lines(g) : []
  const fanOut: Draft[] = uses && whole ? [{ kind: 'fan-out', title: value.layout, why: writer.uses(uses), lines: own }] : []
  if (goesOn) return [...fanOut, nodeSection(value, derivation, writer, uses ? [] : own)]
  return uses ? fanOut : [plainSection(g, writer)]
}

const nodeSection = (value: Value, { branches, structure }: Derivation, writer: Writer, own: readonly Line[]): Draft => ({
  kind: branches.merges.has(value) ? 'merge' : 'node',
  title: writer.equation(value),
  why: reasonsOf(value, structure, 'merges'),
  lines: [...own, ...writer.sent(value)],
})

function plainSection(g: Gradient, writer: Writer): Draft {
  const kind = g.of.role === 'param' ? 'parameters' : g.of.role === 'input' ? 'inputs' : 'node'
  const title = kind === 'node' ? writer.equation(g.of) : undefined
  return g.given
    ? { kind: 'node', title: title ?? g.of.layout, why: 'an argument of the unknown loss: here the derivation starts', lines: [] }
    : { kind, title, lines: writer.lines(g) }
}

/** Each gradient is stated once, where it is met first; a fan-out or a list that has nothing left to say is left out. */
function once(drafts: readonly Draft[]): Draft[] {
  const said = new Table<true>()
  const isNew = ({ defines }: Line): boolean => defines === undefined || !said.has(defines)
  const left: Draft[] = []
  for (const draft of drafts) {
    const { kind, title, why } = draft
    const lines = draft.lines.every(isNew) ? draft.lines : draft.lines.filter(isNew)
    for (const { defines } of lines) if (defines) said.set(defines, true)
    if (lines === draft.lines) left.push(draft)
    else if (lines.length > 0 || !(kind === 'fan-out' || title === undefined)) left.push({ kind, title, why, lines })
  }
  return left
}
