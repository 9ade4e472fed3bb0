/** Tables over the expressions of a whole network. */

/** What a table is keyed by: an expression, or the value that it is the name of. */
export interface Numbered {
  /** In the order of creation; below zero for constants. No two differ in the sign alone. */
  readonly id: number
}

const bits = 9
const mask = (1 << bits) - 1

/**
 * A value for each of many expressions: a Map, but found by their numbers. Neighbours in the network have neighbouring numbers,
 * so what is looked up together lies together in memory; for a network of 10⁵ nodes that is what lookups cost.
 */
export class Table<T> {
  private readonly pages: (T | undefined)[][] = []

  get({ id }: Numbered): T | undefined {
    const place = id < 0 ? -id : id
    return this.pages[place >> bits]?.[place & mask]
  }

  has({ id }: Numbered): boolean {
    const place = id < 0 ? -id : id
    return this.pages[place >> bits]?.[place & mask] !== undefined
  }

  set({ id }: Numbered, value: T): void {
    const place = id < 0 ? -id : id
    let page = this.pages[place >> bits]
    if (page === undefined) this.pages[place >> bits] = page = new Array<T | undefined>(mask + 1)
    page[place & mask] = value
  }
}

/** A table that also tells what it holds, in the order in which it was entered: a Map whose keys are numbered. Each key is set once. */
export class Register<K extends Numbered, T> extends Table<T> implements ReadonlyMap<K, T> {
  private readonly entered: K[] = []
  private readonly held: T[] = []

  get size(): number {
    return this.entered.length
  }

  override set(key: K, value: T): void {
    this.entered.push(key)
    this.held.push(value)
    super.set(key, value)
  }

  forEach(visit: (value: T, key: K, map: ReadonlyMap<K, T>) => void): void {
    for (let i = 0; i < this.entered.length; i++) visit(this.held[i]!, this.entered[i]!, this)
  }

  keys(): MapIterator<K> {
    return this.entered.values()
  }

  values(): MapIterator<T> {
    return this.held.values()
  }

  entries(): MapIterator<[K, T]> {
    return this.entered.map((key, i): [K, T] => [key, this.held[i]!]).values()
  }

  [Symbol.iterator](): MapIterator<[K, T]> {
    return this.entries()
  }
}

/** What a table and a Map have in common. */
export interface Lookup<T> {
  get(expr: Numbered): T | undefined
  has(expr: Numbered): boolean
}

export interface Memo<T> extends Lookup<T> {
  set(expr: Numbered, value: T): void
}

/** What a set of expressions is asked. */
export type Members = Pick<Lookup<unknown>, 'has'>

export function members(...lists: readonly Iterable<Numbered>[]): Members {
  const table = new Table<true>()
  for (const list of lists) for (const key of list) table.set(key, true)
  return table
}
