/** The paths inside operations, one equation each, and what they add up to: what a traced derivation tells beside the rest. */
import type { Derivation } from '../derive/derive.ts'
import { inOrder } from '../expr/traverse.ts'
import { typeset, typesetTerm } from '../expr/typeset.ts'
import { derivative, Level, prose, row } from '../layout/layout.ts'
import type { Value } from '../network/network.ts'
import type { Draft } from './drafts.ts'
import { lineOf } from './lines.ts'
import { reasonOf } from './reasons.ts'

/** A section for each such operation; with `at`, for those whose error goes to these values. */
export function pathSections({ inside, network }: Derivation, at?: readonly Value[]): Draft[] {
  const asked = at && new Set(at.map((value) => value.expr))
  return inside
    .filter(({ of }) => !asked || inOrder([of]).some((e) => asked.has(e)))
    .map(({ of, expr, paths, total }) => {
      const all = [
        ...paths.map(({ through, term }) => ({ term, note: row(Level.relation, [prose('through '), through]) })),
        { term: total, note: prose('together') },
      ]
      return {
        kind: 'paths',
        title: typeset(expr),
        why: reasonOf(expr),
        lines: all.map(({ term, note }) =>
          lineOf(derivative(network.loss.layout, typeset(of)), typesetTerm(term), { sign: '⟵', note, shows: [term] }),
        ),
      }
    })
}
