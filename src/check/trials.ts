/** Loops whose length is a symbol are tried with some numbers for it: short ones, and longer ones where a claim asks for them. */
import { type Derivation, deriveGradients } from '../derive/derive.ts'
import { Failure } from '../diagnostic.ts'
import { evenly } from '../network/lengths.ts'
import type { Lengths, Unrolling } from '../network/network.ts'

/** A network with numbers for the lengths of its loops. */
export interface Trial {
  readonly lengths: Lengths
  readonly derivation: Derivation
}

/** Trials that are made when they are asked for. */
export interface Trials {
  readonly short: readonly Trial[]
  /** Ever longer ones, of more than a hundred steps in the end. */
  longer(): Iterable<readonly Trial[]>
}

/** Neither all in a row nor all small: a formula for the first few lengths is not one for every length. */
const few = [1, 2, 3, 4, 7]
/** About twice as long as the last one, so that few are needed to go beyond a number in a claim; three go beyond all that count. */
const many = [14, 28, 56, 112, 120, 128]
/** Two symbols of a longer trial differ by so much. */
const apart = 3
/** With so many, at least, lengths need not be equal. */
const enough = 2

export function trialsOf({ depths, to }: Unrolling): Trials {
  const made = new Map<number, readonly Trial[]>()
  return {
    short: firstTrials(depths, to),
    *longer() {
      for (const length of many) {
        const trials = made.get(length) ?? longTrials(depths, length, to)
        made.set(length, trials)
        yield trials
      }
    },
  }
}

/** Different symbols have different lengths: the first is longer than the second or shorter. Where they must be equal, they are. */
function firstTrials(depths: readonly string[], to: Unrolling['to']): readonly Trial[] {
  const equal = few.map((length) => evenly(depths, length))
  if (depths.length === 1) return tried(equal, to)
  const rotated = (lengths: readonly number[], by: number): Lengths =>
    new Map(depths.map((name, i) => [name, lengths[(by + i) % lengths.length]!]))
  const rising = few.map((_, by) => rotated(few, by))
  const falling = [2, 4].map((by) => rotated(few.toReversed(), by - 1))
  const different = tried([...rising, ...falling], to)
  return different.length < enough ? [...different, ...tried(equal, to)] : different
}

/** The same length but for a little, in either order. */
function longTrials(depths: readonly string[], length: number, to: Unrolling['to']): readonly Trial[] {
  const less = depths.map((_, i) => length - apart * i)
  const given = (lengths: readonly number[]): Lengths => new Map(depths.map((name, i) => [name, lengths[i]!]))
  const different = tried(depths.length === 1 ? [given(less)] : [given(less), given(less.toReversed())], to)
  return different.length > 0 ? different : tried([evenly(depths, length)], to)
}

/** The network with each of these lengths, as far as it has them: where one loop takes what another makes, not all of them fit. */
const tried = (candidates: readonly Lengths[], to: Unrolling['to']): readonly Trial[] =>
  candidates.flatMap((lengths) => trialWith(lengths, to) ?? [])

function trialWith(lengths: Lengths, to: Unrolling['to']): Trial | undefined {
  try {
    return { lengths, derivation: deriveGradients(to(lengths), { form: 'local', derivatives: 'symbol', trace: false }) }
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}
