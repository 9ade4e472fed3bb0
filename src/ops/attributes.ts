/** The kinds of attributes that operations take, each with its check: what the elaborator reads from a spec goes through here. */
import { type Dim, isSymbolic } from '../expr/dim.ts'
import type { Attr } from '../expr/expr.ts'
import { axisOf, type Shape } from '../expr/shape.ts'

/** How one attribute is read: `undefined` from `read` means that the value does not fit. */
export interface Attribute<T extends Attr> {
  /** What it should be, as messages and documentation say it. */
  readonly expected: string
  /** Absent for an attribute that must be given. */
  readonly initial?: T
  /** It changes the shape only, which is written beside it: notations leave it out. */
  readonly silent?: true
  /** Notations tell it in every case. */
  readonly told?: true
  read(value: Attr, shapes: readonly Shape[]): T | undefined
}

export type Attributes = Readonly<Record<string, Attribute<never> | Attribute<Attr>>>
export type Values<A> = { readonly [K in keyof A]: A[K] extends Attribute<infer T> ? T : never }

const list = (value: Attr): readonly Attr[] | undefined => (Array.isArray(value) ? value : undefined)

const isDim = (value: Attr): value is Dim => (typeof value === 'number' && Number.isInteger(value)) || isSymbolic(value)

/** One axis of the first argument; the default may count from the back. */
export const axis = (initial?: number): Attribute<number> => ({
  expected: 'an axis',
  ...(initial === undefined ? {} : { initial }),
  read: (value, [shape]) => (typeof value === 'number' ? axisOf(value, shape!.length) : undefined),
})

/** An axis that the result has over and above those of the first argument. */
export const newAxis = (initial: number): Attribute<number> => ({
  expected: 'an axis of the result',
  initial,
  read: (value, [shape]) => (typeof value === 'number' ? axisOf(value, shape!.length + 1) : undefined),
})

/** Axes of the first argument, one or a list; by default all of them. */
export const axes = (): Attribute<readonly number[]> => ({
  expected: 'an axis or a list of axes',
  initial: null as never,
  read(value, [shape]) {
    if (value === null) return shape!.map((_, i) => i)
    const given = (list(value) ?? [value]).map((v) => (typeof v === 'number' ? axisOf(v, shape!.length) : undefined))
    const known = given.filter((v) => v !== undefined)
    return known.length === given.length && new Set(known).size === known.length ? known.sort((a, b) => a - b) : undefined
  },
})

/** A permutation of the axes; by default they are reversed. */
export const order = (): Attribute<readonly number[]> => ({
  expected: 'a permutation of the axes, such as [1, 0]',
  initial: null as never,
  told: true,
  read(value, [shape]) {
    const rank = shape!.length
    if (value === null) return shape!.map((_, i) => rank - 1 - i)
    const given = list(value)?.map((v) => (typeof v === 'number' ? axisOf(v, rank) : undefined))
    return given?.length === rank && new Set(given).size === rank && !given.includes(undefined) ? (given as number[]) : undefined
  },
})

export const flag = (initial: boolean): Attribute<boolean> => ({
  expected: 'True or False',
  initial,
  read: (value) => (typeof value === 'boolean' ? value : value === 1 ? true : value === 0 ? false : undefined),
})

/** Whether reduced axes stay, with length 1. */
export const keptAxes: Attribute<boolean> = { ...flag(false), silent: true }

export const number = (initial?: number): Attribute<number> => ({
  expected: 'a number',
  ...(initial === undefined ? {} : { initial }),
  read: (value) => (typeof value === 'number' ? value : undefined),
})

/** A number that fits. */
export const numberThat = (expected: string, initial: number, fits: (value: number) => boolean): Attribute<number> => ({
  expected,
  initial,
  read: (value) => (typeof value === 'number' && fits(value) ? value : undefined),
})

/** A number, or null for what the operation takes instead. */
export const numberOr = (otherwise: string): Attribute<number | null> => ({
  expected: `a number, or None for ${otherwise}`,
  initial: null,
  read: (value) => (typeof value === 'number' || value === null ? value : undefined),
})

export const choice = <const T extends string>(...options: readonly [T, ...T[]]): Attribute<T> => ({
  expected: options.map((o) => `"${o}"`).join(' or '),
  initial: options[0],
  read: (value) => options.find((o) => o === value),
})

/** One size, or a number of places. */
export const size = (initial?: number): Attribute<Dim> => ({
  expected: 'a whole number from 1 or a size',
  ...(initial === undefined ? {} : { initial }),
  read: (value) => (isDim(value) && !(typeof value === 'number' && value < 1) ? value : undefined),
})

/** A whole number, of any sign unless `least` bounds it. */
export const whole = (initial?: number, least = Number.NEGATIVE_INFINITY): Attribute<number> => ({
  expected: least === Number.NEGATIVE_INFINITY ? 'a whole number' : `a whole number from ${least}`,
  ...(initial === undefined ? {} : { initial }),
  read: (value) => (isWhole(value, least) ? value : undefined),
})

const isWhole = (value: Attr, least: number): value is number => typeof value === 'number' && Number.isInteger(value) && value >= least

/** A string. */
export const string = (): Attribute<string> => ({
  expected: 'a string in quotes',
  read: (value) => (typeof value === 'string' ? value : undefined),
})

/** A shape. */
export const dims = (): Attribute<readonly Dim[]> => ({
  expected: 'a list of sizes, such as [n, 2*k]',
  read(value) {
    const given = list(value)
    return given?.every(isDim) ? given : undefined
  },
})

/** Numbers of entries to add before and after, an axis a pair. */
export const pads = (): Attribute<readonly (readonly Dim[])[]> => ({
  expected: 'a list with one [before, after] for every axis',
  read(value, [shape]) {
    const given = list(value)?.map((v) => (isDim(v) ? [v, v] : list(v)))
    const fits = given?.length === shape!.length && given.every((pair) => pair?.length === 2 && pair.every(isDim))
    const negative = given?.flat().some((v) => typeof v === 'number' && v < 0)
    return fits && !negative ? (given as Dim[][]) : undefined
  },
})

/** A whole number for each of so many axes, from 1 unless `least` says otherwise; one number stands for all of them. */
export const each = (count: number, initial?: number, least = 1): Attribute<readonly number[]> => ({
  expected: `a whole number from ${least}, or ${count} of them`,
  ...(initial === undefined ? {} : { initial: initial as never }),
  read: (value) => repeated(value, count, (v): v is number => isWhole(v, least)),
})

/** A whole number for each of so many axes, or null for what the operation takes instead. */
export const eachOr = (count: number, otherwise: string): Attribute<readonly number[] | null> => ({
  expected: `a whole number from 1, ${count} of them, or None for ${otherwise}`,
  initial: null,
  read: (value, shapes) => (value === null ? null : each(count).read(value, shapes)),
})

/** A size for each of so many axes; one stands for all of them. */
export const sizes = (count: number, initial?: number): Attribute<readonly Dim[]> => ({
  expected: `a size, or ${count} of them`,
  ...(initial === undefined ? {} : { initial: initial as never }),
  read: (value) => repeated(value, count, isDim),
})

function repeated<T extends Attr>(value: Attr, count: number, fits: (v: Attr) => v is T): readonly T[] | undefined {
  const given = list(value) ?? Array.from({ length: count }, () => value)
  return given.length === count && given.every(fits) ? given : undefined
}
