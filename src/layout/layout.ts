/** Typeset formulas as small trees, made once with correct precedence and written out as text or as LaTeX. */

/** How tightly a layout binds; a part that binds less than its place asks for is put in parentheses. */
export const Level = { relation: 0, sum: 1, hadamard: 2, product: 3, factor: 4, derivative: 5, atom: 6 } as const
export type Level = (typeof Level)[keyof typeof Level]

/** `latex` is a finished LaTeX fragment for the same mark, or the name that it is made from, since text needs none; by default it equals `text`. */
export interface Mark {
  readonly kind: 'symbol'
  readonly text: string
  readonly latex: string | { readonly name: string }
  readonly level: Level
}

export type Layout =
  | Mark
  | { readonly kind: 'row'; readonly level: Level; readonly parts: readonly Layout[] }
  | { readonly kind: 'fraction'; readonly level: Level; readonly over: Layout; readonly under: Layout }
  | Derivative
  | { readonly kind: 'superscript' | 'subscript'; readonly level: Level; readonly base: Layout; readonly mark: Layout }
  | { readonly kind: 'root'; readonly level: Level; readonly body: Layout }
  | { readonly kind: 'fence'; readonly level: Level; readonly open: string; readonly close: string; readonly body: Layout }
  | {
      readonly kind: 'big'
      readonly level: Level
      readonly sign: '∑' | '∏'
      readonly below: Layout
      readonly above?: Layout
      readonly body: Layout
    }

/** Without `of` it acts on what follows. A report is full of ∂L/∂v: each keeps its text, once it has been written. */
export interface Derivative {
  readonly kind: 'derivative'
  readonly level: Level
  readonly of: Layout | undefined
  readonly by: Layout
  text: string | undefined
}

export const symbol = (text: string, latex: Mark['latex'] = text, level: Level = Level.atom): Mark => ({
  kind: 'symbol',
  text,
  latex,
  level,
})

export const row = (level: Level, parts: readonly Layout[]): Layout => ({ kind: 'row', level, parts })

/** The layout, in parentheses if it binds less tightly than its place needs. */
export const within = (level: Level, part: Layout): Layout => (part.level < level ? parenthesised(part) : part)

export const fence = (open: string, close: string, body: Layout): Layout => ({ kind: 'fence', level: Level.atom, open, close, body })

export const parenthesised = (body: Layout): Layout => fence('(', ')', body)

/** Parts with a separator between neighbours. */
export function joined(level: Level, separator: Layout, parts: readonly Layout[]): Layout {
  if (parts.length === 1) return parts[0]!
  const all = new Array<Layout>(Math.max(0, 2 * parts.length - 1)).fill(separator)
  for (let i = 0; i < parts.length; i++) all[2 * i] = parts[i]!
  return row(level, all)
}

/** A quotient: over a bar in LaTeX, with a slash in text. */
export const fraction = (over: Layout, under: Layout): Layout => ({ kind: 'fraction', level: Level.product, over, under })

export const superscript = (base: Layout, mark: Layout): Layout => ({
  kind: 'superscript',
  level: Level.derivative,
  base: within(Level.atom, base),
  mark,
})

export const subscript = (base: Layout, mark: Layout): Layout => ({
  kind: 'subscript',
  level: Level.atom,
  base: within(Level.derivative, base),
  mark,
})

export const root = (body: Layout): Layout => ({ kind: 'root', level: Level.atom, body })

const comma = symbol(', ', ', ')

/** [a, b] */
export const bracketed = (items: readonly Layout[]): Layout => fence('[', ']', joined(Level.relation, comma, items))

/** f(a, b) */
export const call = (head: Layout, args: readonly Layout[]): Layout =>
  row(Level.atom, [head, parenthesised(joined(Level.relation, comma, args))])

/** f(a, b, more): what is not a call stays as it is. */
export function withArguments(layout: Layout, more: readonly Layout[]): Layout {
  const [head, fenced, ...rest] = layout.kind === 'row' ? layout.parts : []
  const isCall = layout.level === Level.atom && fenced?.kind === 'fence' && fenced.open === '(' && rest.length === 0
  return isCall && more.length > 0 ? call(head!, [fenced.body, ...more]) : layout
}

/** An upright word: a function's or an operation's name. */
export const word = (name: string): Layout => symbol(name, `\\operatorname{${name.replaceAll('_', '\\_')}}`)

/** Plain words beside a formula. */
export const prose = (words: string): Layout => symbol(words, `\\text{${words}}`)

/** x[0:n] in text, x_{0:n} in LaTeX. */
export const index = (base: Layout, marks: readonly Layout[]): Layout =>
  row(Level.atom, [within(Level.derivative, base), fence('[', ']', joined(Level.relation, comma, marks))])

const equals = symbol(' = ', ' = ')

/** left = right */
export const equation = (left: Layout, right: Layout): Layout => row(Level.relation, [left, equals, right])

/** ∂/∂x of what follows. */
export const derivativeBy = (by: Layout): Layout => ({
  kind: 'derivative',
  level: Level.derivative,
  of: undefined,
  by: within(Level.derivative, by),
  text: undefined,
})

/** ∂a/∂b */
export const derivative = (of: Layout, by: Layout): Layout => ({
  kind: 'derivative',
  level: Level.derivative,
  of: within(Level.derivative, of),
  by: within(Level.derivative, by),
  text: undefined,
})

const [prime, top] = [symbol('′', '\\prime'), symbol('ᵀ', '\\top')]

/** f′ */
export const primed = (head: Layout): Layout => ({ kind: 'superscript', level: Level.atom, base: head, mark: prime })

/** Aᵀ */
export const transposed = (base: Layout): Layout => superscript(base, top)
