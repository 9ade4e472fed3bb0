/** `backproof paths`: the ways of the error, counted. */
import { countWays, errorGraph, noWays, type Ways } from '../derive/ways.ts'
import { fail, type Source } from '../diagnostic.ts'
import type { Value } from '../network/network.ts'
import { deriveOnly, evaluateWith } from '../pipeline.ts'
import { tellWays, waysJson, waysTable, waysText } from '../report/ways.ts'
import { json, showFaults, valueNamed } from './commands.ts'
import { Exit } from './exit.ts'
import { readSource } from './files.ts'
import type { PathsFlags } from './flags.ts'
import { paintFor } from './paint.ts'

export async function pathsCommand(path: string, node: string | undefined, flags: PathsFlags): Promise<number> {
  let source: Source | undefined
  try {
    source = readSource(path)
    const exact = flags.values === undefined ? undefined : await evaluateWith(source, readSource(flags.values), flags.set)
    const derivation = exact?.derivation ?? (await deriveOnly(source, flags.set))
    const { network, structure, branches, loops } = derivation
    if (loops.length > 0) fail('counts-need-lengths', { index: loops[0]!.loop.index })
    const graph = errorGraph(network, structure, branches)
    const counted = countWays(graph)
    const waysOf = (v: Value): Ways => counted.get(v) ?? noWays(v)
    const values = [...network.values.values()]
    const others = values.filter((v) => v.role !== 'constant' && !counted.has(v))
    const asked = node === undefined ? undefined : valueNamed(node, derivation, others)
    const all = asked ? [waysOf(asked)] : values.filter((v) => v.role === 'input' || v.role === 'param').map(waysOf)
    const { by: unit, list } = flags
    const told = asked ? [tellWays(asked, graph, derivation, { unit, list, evaluation: exact?.evaluation })] : []
    const paint = await paintFor(process.stdout)
    if (flags.format === 'json') process.stdout.write(json(waysJson(all, told, unit, network.loss)))
    else process.stdout.write(told[0] ? waysText(told[0], unit, network.loss, paint) : waysTable(all, network.loss, paint))
    return Exit.ok
  } catch (error) {
    return showFaults(error, source)
  }
}
