/** What `paths` says of the ways of the error: as a table, as a small chart for each value, and as JSON. */
import type { Evaluation } from '../check/evaluation.ts'
import { sharesByLength } from '../check/shares.ts'
import type { Derivation } from '../derive/derive.ts'
import {
  countWays,
  type ErrorGraph,
  errorAlong,
  lengthsOfWays,
  longestWay,
  noWays,
  type Unit,
  valuesOn,
  type Way,
  type Ways,
  waysTo,
} from '../derive/ways.ts'
import type { Expr } from '../expr/expr.ts'
import { typeset } from '../expr/typeset.ts'
import { toLatex } from '../layout/latex.ts'
import { derivative, type Layout } from '../layout/layout.ts'
import { toText } from '../layout/text.ts'
import type { Value } from '../network/network.ts'
import { variable } from '../ops/leaves.ts'
import type { Paint } from './paint.ts'

export const waysSchema = 'backproof/paths/1'

/** A way that was asked for, with the product of its factors. */
interface Listed {
  readonly values: readonly Value[]
  readonly error: Layout
  readonly unchanged: boolean
}

/** All that is said of one value. */
export interface Told {
  readonly ways: Ways
  readonly shortest: readonly Value[]
  readonly longest: readonly Value[]
  /** How many ways have each length; undefined where that would take too long. */
  readonly lengths: readonly bigint[] | undefined
  readonly shares: readonly number[] | undefined
  readonly listed: readonly Listed[]
}

/** So many sums are carried at most for a distribution. */
const mostSums = 30_000_000

export function tellWays(
  of: Value,
  graph: ErrorGraph,
  derivation: Derivation,
  { unit, list, evaluation }: { readonly unit: Unit; readonly list: number; readonly evaluation: Evaluation | undefined },
): Told {
  const ways = countWays(graph).get(of)
  if (!ways) return { ways: noWays(of), shortest: [], longest: [], lengths: [], shares: undefined, listed: [] }
  const hops = [...graph.hops.values()].reduce((n, found) => n + found.length, 0)
  const isSmall = hops * (ways.longest + 1) <= mostSums
  return {
    ways,
    shortest: valuesOn(waysTo(of, graph).next().value!, graph),
    longest: valuesOn(longestWay(of, graph), graph),
    lengths: isSmall ? lengthsOfWays(graph, unit, of) : undefined,
    shares: evaluation && isSmall ? sharesByLength(graph, unit, of, derivation, evaluation) : undefined,
    listed: [...first(list, waysTo(of, graph))].map((way) => listed(way, graph, derivation)),
  }
}

function* first<T>(count: number, from: Generator<T>): Generator<T> {
  for (let i = 0; i < count; i++) {
    const next = from.next()
    if (next.done) return
    yield next.value
  }
}

function listed(way: Way, graph: ErrorGraph, { network, raw, simplify }: Derivation): Listed {
  const partOf = (argument: Value): Expr | undefined => {
    const { contributions } = raw.get(argument)!
    return contributions.length > 1 ? contributions.find((c) => c.consumer === network.loss)?.term : undefined
  }
  const start = (argument: Value): Expr =>
    partOf(argument) ?? variable(`dL/d${argument.name}`, argument.expr.shape, derivative(network.loss.layout, argument.layout))
  const values = valuesOn(way, graph)
  const isPart = values.length === 1 && partOf(values[0]!) !== undefined
  const unchanged = !isPart && way.every((hop) => hop.unchanged || hop.inLoss)
  return { values, error: typeset(simplify(errorAlong(way, start, graph))), unchanged }
}

const chain = (values: readonly Value[], most = 12): string => {
  const names = values.map((v) => toText(v.layout))
  return (names.length <= most ? names : [...names.slice(0, most - 4), '…', ...names.slice(-3)]).join(' → ')
}

/** 1 048 576; beyond twenty digits 2.70·10²⁹⁹. */
function brief(count: bigint): string {
  const digits = count.toString()
  if (digits.length <= 20) return digits.replace(/\B(?=(\d{3})+$)/g, ' ')
  const power = [...String(digits.length - 1)].map((c) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)]).join('')
  return `${digits[0]}.${digits.slice(1, 3)}·10${power}`
}

/** Exact up to some four lines of digits; JSON has them all. */
const headline = (count: bigint): string => (count < 10n ** 400n ? plural(count, 'way', 'ways') : `${brief(count)} ways`)

const plural = (n: bigint | number, one: string, many: string): string => `${n} ${n === 1n || n === 1 ? one : many}`

/** One line for each value. */
export function waysTable(all: readonly Ways[], loss: Value, paint: Paint): string {
  const rows = all.map((w) => [
    toText(w.of.layout),
    brief(w.count),
    brief(w.identities),
    w.count === 0n ? '' : w.shortest === w.longest ? String(w.shortest) : `${w.shortest} … ${w.longest}`,
  ])
  const head = ['', 'ways', 'unchanged', 'nodes passed']
  const widths = head.map((h, i) => Math.max(h.length, ...rows.map((row) => row[i]!.length)))
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((c, i) => (i === 0 ? c.padEnd(widths[i]!) : c.padStart(widths[i]!))).join('   ')}`.trimEnd()
  const title = `ways of the error from ${toText(loss.layout)} back to every input and parameter`
  return [paint.strong(title), '', paint.faint(line(head)), ...rows.map(line), ''].join('\n')
}

/** One value with its chart. */
export function waysText(told: Told, unit: Unit, loss: Value, paint: Paint): string {
  const { ways, shortest, longest, lengths, listed } = told
  const name = toText(ways.of.layout)
  const unchanged =
    ways.identities === 0n
      ? 'on none of them the error arrives unchanged'
      : `on ${ways.identities} of them the error arrives unchanged (${ways.identities === 1n ? 'an identity path' : 'identity paths'})`
  const title = paint.strong(`${headline(ways.count)} of the error from ${toText(loss.layout)} back to ${name}`)
  if (ways.count === 0n) return `${title}\n`
  const lines = [
    title,
    `  ${unchanged}`,
    `  shortest  ${plural(ways.shortest, 'node', 'nodes')}   ${chain(shortest)}`,
    `  longest   ${plural(ways.longest, 'node', 'nodes')}   ${chain(longest)}`,
    '',
    ...(lengths ? chart(told, unit, lengths, paint) : [paint.faint('  too many lengths for a chart')]),
  ]
  const items = listed.flatMap(({ values, error, unchanged }, i) => [
    `  ${String(i + 1).padStart(String(listed.length).length)}  ${chain(values, 40)}`,
    `  ${' '.repeat(String(listed.length).length)}  ${paint.accent(toText(error))}${unchanged ? paint.faint('   unchanged') : ''}`,
  ])
  return [...lines, ...(items.length > 0 ? ['', ...items] : []), ''].join('\n')
}

const unitNames: Readonly<Record<Unit, string>> = {
  nodes: 'by the number of nodes passed',
  branches: 'by the number of branches passed that change the error',
}
const barWidth = 40

function chart({ shares }: Told, unit: Unit, lengths: readonly bigint[], paint: Paint): string[] {
  const most = largest(lengths)
  const present = lengths.flatMap((n, length) => (n > 0n ? [{ length, n }] : []))
  // of very many lengths only those that show in the chart
  const shown = present.length <= 40 ? present : present.filter(({ n }) => n * BigInt(barWidth) >= most)
  const width = Math.max(...shown.map(({ n }) => brief(n).length))
  const rows = shown.map(({ length, n }) => {
    const share = shares ? `  ${(100 * (shares[length] ?? 0)).toFixed(1).padStart(5)} %` : ''
    return `  ${String(length).padStart(4)}  ${brief(n).padStart(width)}${share}  ${paint.accent(bar(Number((n * 8000n) / most) / 8000))}`.trimEnd()
  })
  const others = present.length - shown.length
  return [
    paint.faint(`  ${unitNames[unit]}${shares ? ', with their share of the norms' : ''}`),
    ...rows,
    ...(others > 0 ? [paint.faint(`  and ${others} more lengths, each with less than a fortieth of the highest count`)] : []),
  ]
}

function largest(counts: readonly bigint[]): bigint {
  let most = 1n
  for (const n of counts) if (n > most) most = n
  return most
}

/** ███▌ for a share of the whole width. */
function bar(share: number): string {
  const eighths = Math.max(1, Math.round(share * barWidth * 8))
  return '█'.repeat(Math.floor(eighths / 8)) + (['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? '')
}

/** Counts are strings: they are exact, and JSON's numbers are not. */
export function waysJson(all: readonly Ways[], told: readonly Told[], unit: Unit, loss: Value): object {
  const details = new Map(told.map((t) => [t.ways.of, t]))
  const names = (values: readonly Value[]): string[] => values.map((v) => v.name)
  return {
    schema: waysSchema,
    loss: loss.name,
    unit,
    paths: all.map((w) => {
      const detail = details.get(w.of)
      return {
        of: w.of.name,
        count: w.count.toString(),
        identities: w.identities.toString(),
        shortest: w.count > 0n ? w.shortest : null,
        longest: w.count > 0n ? w.longest : null,
        ...(detail
          ? {
              shortestPath: names(detail.shortest),
              longestPath: names(detail.longest),
              lengths: detail.lengths?.map(String) ?? null,
              shares: detail.shares ?? null,
              listed: detail.listed.map((l) => ({
                path: names(l.values),
                text: toText(l.error),
                latex: toLatex(l.error),
                unchanged: l.unchanged,
              })),
            }
          : {}),
      }
    }),
  }
}
