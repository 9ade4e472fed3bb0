/** What keeps loops whose length is a symbol from being derived one by one, each by a single step: it is refused. */
import { fail } from '../diagnostic.ts'
import type { Expr } from '../expr/expr.ts'
import { symbol } from '../layout/layout.ts'
import { mentionsIndex } from '../network/moved.ts'
import type { Network, SymbolicLoop, Value } from '../network/network.ts'
import { named } from '../ops/leaves.ts'
import { sourcesOf } from './structure.ts'

/** The names and variables that a step uses, and those that the loss sums over the steps. */
export const sourcesOfStep = ({ step, summands }: SymbolicLoop): ReadonlySet<Expr> =>
  new Set([...step.map((v) => v.expr), ...summands.map((s) => named('', symbol(''), s.term))].flatMap((e) => [...sourcesOf(e)]))

/**
 * The gradient of what one step uses is what that step sends: no loop may use what is defined in the steps of another, and of a
 * family with gradients each step uses one member, which nothing else uses.
 */
export function requireApart({ loops, values }: Network): void {
  const definedIn = new Map(loops.flatMap((loop) => nodesOf(loop).map((v) => [v.expr, { loop, v }] as const)))
  const users = new Map<string, { readonly name: string; readonly loop: SymbolicLoop }>()
  for (const loop of loops) {
    const sources = sourcesOfStep(loop)
    for (const source of sources) {
      const found = definedIn.get(source)
      if (found && found.loop !== loop) refuse(`${found.v.name}, which is defined in the steps of another loop,`, loop)
    }
    for (const { name } of loop.own.filter((v) => v.role !== 'constant' && sources.has(v.expr))) {
      const family = familyOf(name, (inside) => mentionsIndex(inside, loop.index))
      const other = users.get(family)
      if (other) refuse(other.name === name ? `${name}, which two loops use,` : `${name}, beside ${other.name} of the same family,`, loop)
      users.set(family, { name, loop })
    }
  }
  for (const { name } of [...values.values()].filter(isOpenMember)) {
    const other = users.get(familyOf(name, isSymbolic))
    if (other) refuse(`${name}, beside ${other.name} of the same family,`, other.loop)
  }
}

const refuse = (what: string, { span }: SymbolicLoop): never => fail('not-symbolic', { what }, span)

const nodesOf = ({ step, next, carried }: SymbolicLoop): readonly Value[] => [...step, ...next, ...carried.map((c) => c.incoming)]

/** W[N−1]: a variable with a symbol for its index. */
const isOpenMember = ({ name, role, expr }: Value): boolean =>
  (role === 'input' || role === 'param') && expr.args.length === 0 && isSymbolic(name)

const isSymbolic = (name: string): boolean => /\[[^\]]*\p{L}[^\]]*\]/u.test(name)

/** W[l] and W[l+1] are of the family W[]. */
const familyOf = (name: string, isIndex: (inside: string) => boolean): string =>
  name.replaceAll(/\[[^\]]*\]/g, (inside) => (isIndex(inside) ? '[]' : inside))
