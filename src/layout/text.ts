/** Writes a layout as one line of Unicode text. */
import { type Layout, Level, parenthesised, within } from './layout.ts'

const superscripts: Readonly<Record<string, string>> = Object.fromEntries(
  // no T: raised it would look like a transpose
  [...'0123456789+-−()abcdefghijklmnoprstuvwxyz, ᵀ′'].map((c, i) => [c, [...'⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ˒ ᵀ′'][i]!]),
)
const subscripts: Readonly<Record<string, string>> = Object.fromEntries(
  [...'0123456789+-−=()aehijklmnoprstuvx'].map((c, i) => [c, [...'₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ'][i]!]),
)

/** The text in raised (or lowered) characters, or undefined where Unicode lacks one of them. */
function shifted(text: string, table: Readonly<Record<string, string>>): string | undefined {
  let marks = ''
  for (const c of text) {
    if (table[c] === undefined) return undefined
    marks += table[c]
  }
  return marks
}

export const lowered = (text: string): string | undefined => shifted(text, subscripts)

export const raisedText = (text: string): string | undefined => shifted(text, superscripts)

const raised = (text: string): string => shifted(text, superscripts) ?? (/^\w+$/.test(text) ? `^${text}` : `^(${text})`)

/** The layout as text. An explicit stack, so that depth is no limit. */
export function toText(layout: Layout): string {
  if (layout.kind === 'symbol') return layout.text
  let text = ''
  const todo: (Layout | string)[] = [layout]
  while (todo.length > 0) {
    const next = todo.pop()!
    if (typeof next === 'string') text += next
    else if (next.kind === 'symbol') text += next.text
    else if (next.kind === 'row') for (let i = next.parts.length - 1; i >= 0; i--) todo.push(next.parts[i]!)
    else for (const piece of pieces(next).reverse()) todo.push(piece)
  }
  return text
}

/** Two slashes in a row would not tell which of them is the outer one: a fraction at the end gets parentheses. */
function closed(over: Layout): readonly Layout[] {
  if (over.kind === 'fraction') return [parenthesised(over)]
  const last = over.kind === 'row' ? over.parts.at(-1) : undefined
  return over.kind === 'row' && last?.kind === 'fraction' ? [...over.parts.slice(0, -1), parenthesised(last)] : [over]
}

function pieces(layout: Exclude<Layout, { kind: 'symbol' | 'row' }>): (Layout | string)[] {
  switch (layout.kind) {
    case 'fraction':
      if (layout.level === Level.derivative) return [layout.over, '/', layout.under]
      return [...closed(within(Level.product, layout.over)), '/', within(Level.factor, layout.under)]
    case 'superscript':
      return [layout.base, raised(toText(layout.mark))]
    case 'subscript': {
      const mark = toText(layout.mark)
      return [layout.base, lowered(mark) ?? `_${mark}`]
    }
    case 'root':
      return ['√', within(Level.atom, layout.body)]
    case 'fence':
      return [layout.open, layout.body, layout.close]
    case 'big': {
      const below = toText(layout.below)
      return [layout.sign, lowered(below) ?? `_(${below})`, layout.above ? raised(toText(layout.above)) : '', ' ', layout.body]
    }
  }
}
