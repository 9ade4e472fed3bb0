/** Tables over the expressions of a whole network. */

/** What a table is keyed by: an expression. */
interface Numbered {
  /** In the order of creation; below zero for constants. */
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
  /** Constants have numbers below zero; there are few. */
  private readonly constants = new Map<Numbered, T>()

  get(expr: Numbered): T | undefined {
    const { id } = expr
    return id < 0 ? this.constants.get(expr) : this.pages[id >> bits]?.[id & mask]
  }

  has(expr: Numbered): boolean {
    return this.get(expr) !== undefined
  }

  set(expr: Numbered, value: T): void {
    const { id } = expr
    if (id < 0) this.constants.set(expr, value)
    else {
      let page = this.pages[id >> bits]
      if (page === undefined) this.pages[id >> bits] = page = new Array<T | undefined>(mask + 1)
      page[id & mask] = value
    }
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
