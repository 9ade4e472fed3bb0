/** A derivation arranged for reading: sections of equations with their reasons, before any format is chosen. */
import type { Derivation, LoopDerivation } from '../derive/derive.ts'
import { rangeLayout } from '../derive/recurrence.ts'
import type { Gradient } from '../derive/reverse.ts'
import type { Layout } from '../layout/layout.ts'
import type { SymbolicLoop, Value } from '../network/network.ts'
import { type Draft, type Drafts, drafts } from './drafts.ts'
import { pathSections } from './inside.ts'
import { type Line, type Section, statementLine, type Writer, writerOf } from './lines.ts'
import { receivedFrom, sumLine } from './loops.ts'
import { reasonAtTop, reasonsOf } from './reasons.ts'
import { unreached, zeroLine, zeroSection } from './unreached.ts'
import { whereLines } from './where.ts'

export interface Report {
  readonly title: string | undefined
  readonly about: string | undefined
  readonly loss: Layout
  readonly sections: readonly Section[]
}

/** Arranges a derivation, from the loss back; `at` asks for some values only, by default for all. */
export function reportOf(derivation: Derivation, at: readonly Value[] | undefined): Report {
  const { network } = derivation
  const writer = writerOf(derivation)
  const sections = at === undefined ? wholeReport(derivation, writer) : askedFor(at, derivation, writer)
  return {
    title: network.title,
    about: network.about,
    loss: writer.loss,
    sections: at === undefined ? forwardSections(derivation, writer).concat(sections) : sections,
  }
}

/** The equations in their order, a loop under its heading. */
function forwardSections(derivation: Derivation, writer: Writer): Section[] {
  const { structure, loops } = derivation
  let rest: Value[] = []
  for (const { value } of structure.vertices) if (value.role === 'node' && !value.isCall) rest.push(value)
  const sections: Section[] = []
  for (const { loop, derivation: step } of loops) {
    const before = rest.filter((v) => isBefore(v, loop))
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
    if (loop) return sectionsIn(loop, (own, say) => sayAll(value, loop.derivation, own, (d) => say({ ...d, steps: stepsOf(loop) })))
    const received = receivedFrom(value, derivation)
    const kind = value.role === 'param' ? 'parameters' : 'inputs'
    const isAll = received.some((r) => r.isAll)
    const own = isAll ? [] : sectionsOf(derivation, writer, (say) => sayAll(value, derivation, writer, say))
    return [...own, ...received.flatMap(({ line, from }) => sectionsIn(from, (_, say) => say({ kind, lines: [line] })))]
  })
}

type Say = Drafts['say']

/** All that there is to say of one value. */
function sayAll(value: Value, derivation: Derivation, writer: Writer, say: Say): void {
  sayBlocks(value, derivation, writer, say)
  pathSections(derivation, [value]).forEach(say)
}

/** Sections with all that they need. */
function sectionsOf(derivation: Derivation, writer: Writer, tell: (say: Say) => void): Section[] {
  const told = drafts()
  tell(told.say)
  return whereLines(told, derivation, writer)
}

/** Sections in the names of one step of a loop. */
function sectionsIn(loop: LoopDerivation, tell: (writer: Writer, say: Say) => void): Section[] {
  const writer = writerOf(loop.derivation, loop)
  return sectionsOf(loop.derivation, writer, (say) => tell(writer, say))
}

function wholeReport(derivation: Derivation, writer: Writer): Section[] {
  const { network, loops } = derivation
  const ends = loops.flatMap(({ loop }) => loop.carried.map((c) => c.last))
  const isEnd = (g: Gradient): boolean => ends.includes(g.of)
  const { anchored, plain } = sorted(derivation)
  const lossArguments = ends.length > 0 ? plain.filter(isEnd).map(writer.gradient) : []
  const told = drafts()
  const { say } = told
  if (!network.lossIsOpaque) say(lossSection(derivation, writer, lossArguments))
  const [after, before] = aroundLoops(anchored, derivation)
  for (const g of after) sayBlocks(g.of, derivation, writer, say)
  const behind = told.all.length
  for (const g of before) sayBlocks(g.of, derivation, writer, say)
  sayLeaves(ends.length > 0 ? plain.filter((g) => !isEnd(g)) : plain, derivation, writer, say)
  pathSections(derivation).forEach(say)
  const outside = whereLines(told, derivation, writer)
  return loops.length === 0
    ? outside
    : [...outside.slice(0, behind), ...[...loops].reverse().flatMap(loopSections), ...outside.slice(behind)]
}

/** The gradients of what is defined after the loops, and of what comes before them. */
function aroundLoops(all: readonly Gradient[], { loops }: Derivation): readonly [after: readonly Gradient[], before: readonly Gradient[]] {
  if (loops.length === 0) return [[], all]
  const { loop } = loops[0]!
  return [all.filter((g) => !isBefore(g.of, loop)), all.filter((g) => isBefore(g.of, loop))]
}

/** Whether a value is defined before a loop. What a module defines stands elsewhere in the spec: expressions are numbered as they are made. */
const isBefore = ({ id }: Value, { step }: SymbolicLoop): boolean => id < step[0]!.id

/** Merges and fan-outs, and the others, those that the network defines first first. */
function sorted({ network, gradients, branches }: Derivation): {
  readonly anchored: readonly Gradient[]
  readonly plain: readonly Gradient[]
} {
  const [anchored, plain]: [Gradient[], Gradient[]] = [[], []]
  gradients.forEach((g, of) => {
    if (of === network.loss) return
    if (branches.merges.has(of) || branches.fanOuts.has(of) || branches.told.has(of)) anchored.push(g)
    else if (!g.given) plain.push(g)
  })
  return { anchored, plain: plain.reverse() }
}

function sayLeaves(plain: readonly Gradient[], derivation: Derivation, writer: Writer, say: Say): void {
  const [inputs, parameters]: [Line[], Line[]] = [[], []]
  const linesBy = ({ role }: Value): Line[] | undefined => (role === 'input' ? inputs : role === 'param' ? parameters : undefined)
  for (const g of plain) {
    const lines = linesBy(g.of)
    if (lines) for (const line of writer.lines(g)) lines.push(line)
  }
  for (const value of unreached(derivation)) linesBy(value)?.push(zeroLine(value, derivation))
  if (inputs.length > 0) say({ kind: 'inputs', lines: inputs })
  if (parameters.length > 0) say({ kind: 'parameters', lines: parameters })
}

const stepsOf = ({ loop: { index, from, to } }: LoopDerivation): Layout => rangeLayout(index, from, to)

/** How the error goes back through a loop: what follows for all steps, one step, and what the steps send to values from outside. */
function loopSections(whole: LoopDerivation): Section[] {
  const { loop, derivation, shown, shared, statements } = whole
  const writer = writerOf(derivation, whole)
  const isShown = (g: Gradient): boolean => shown.includes(g.of)
  const { anchored, plain } = sorted(derivation)
  const nodes = plain.filter((g) => g.of.role === 'node' && derivation.branches.anchors.has(g.of) && isShown(g)).reverse()
  const sums = (role: Value['role'][]): Line[] => shared.filter((s) => role.includes(s.of.role)).map((s) => sumLine(s, whole))
  const why = 'used by every step: the contributions of all steps add up'
  const range = stepsOf(whole)
  return sectionsOf(derivation, writer, (say) => {
    const inStep: Say = (draft) => say({ ...draft, steps: range })
    const block = (g: Gradient): void => sayBlocks(g.of, derivation, writer, inStep, isShown(g))
    say({
      kind: 'loop',
      title: range,
      why: 'each step receives the error of the next one',
      lines: statements.filter((s) => !s.isEnd).map(statementLine),
    })
    nodes.forEach(block)
    anchored.filter((g) => loop.step.includes(g.of) || isShown(g)).forEach(block)
    sayLeaves(plain.filter(isShown), derivation, writer, inStep)
    const [inputs, parameters] = [sums(['input', 'node']), sums(['param'])]
    if (inputs.length > 0) say({ kind: 'inputs', why, lines: inputs })
    if (parameters.length > 0) say({ kind: 'parameters', why, lines: parameters })
    pathSections(derivation).forEach(say)
  })
}

/** The loss with what it sends to its arguments; `more` are arguments that loops hand to it. */
const lossSection = ({ network, structure }: Derivation, writer: Writer, more: readonly Line[]): Draft => ({
  kind: 'loss',
  title: writer.equation(network.loss),
  why: reasonAtTop(network.loss, structure),
  lines: [...writer.sent(network.loss), ...more],
})

/**
 * What is said of one value: how its error adds up, where it is used several times, and what goes on from it, where it is a
 * merge or has something to tell; or simply its gradient. Unless `whole` only where the error goes from it.
 */
function sayBlocks(value: Value, derivation: Derivation, writer: Writer, say: Say, whole = true): void {
  const { gradients, branches } = derivation
  const g = gradients.get(value)!
  const uses = branches.fanOuts.get(value)
  const own = whole && !g.given ? writer.lines(g) : []
  if (uses && whole) say({ kind: 'fan-out', title: value.layout, why: writer.uses(uses), lines: own })
  if (branches.merges.has(value) || branches.told.has(value)) say(nodeSection(value, derivation, writer, uses ? [] : own))
  else if (!uses) say(plainSection(g, writer))
}

const nodeSection = (value: Value, { branches, structure }: Derivation, writer: Writer, own: readonly Line[]): Draft => ({
  kind: branches.merges.has(value) ? 'merge' : 'node',
  title: writer.equation(value),
  why: reasonsOf(value, structure),
  lines: own.concat(writer.sent(value)),
})

function plainSection(g: Gradient, writer: Writer): Draft {
  const kind = g.of.role === 'param' ? 'parameters' : g.of.role === 'input' ? 'inputs' : 'node'
  const title = kind === 'node' ? writer.equation(g.of) : undefined
  return g.given
    ? { kind: 'node', title: title ?? g.of.layout, why: 'an argument of the unknown loss: here the derivation starts', lines: [] }
    : { kind, title, lines: writer.lines(g) }
}
