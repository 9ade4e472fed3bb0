/** Writes a layout as LaTeX for amsmath's mathematics mode. */
import type { Layout } from './layout.ts'
import { latexOf } from './names.ts'

type Piece = Layout | string

/** The layout as LaTeX. An explicit stack, so that depth is no limit. */
export function toLatex(layout: Layout): string {
  const out: string[] = []
  const todo: Piece[] = [layout]
  while (todo.length > 0) {
    const next = todo.pop()!
    if (typeof next === 'string') write(out, next)
    else if (next.kind === 'symbol') write(out, latexOf(next))
    else for (const piece of pieces(next).reverse()) todo.push(piece)
  }
  return out.join('').trim()
}

/** Appends a piece; a command's name must not run into a letter that follows it. */
function write(out: string[], piece: string): void {
  if (piece === '') return
  const last = out.at(-1)
  if (last !== undefined && /^[A-Za-z]/.test(piece) && /\\[A-Za-z]+$/.test(last)) out.push(' ')
  out.push(piece)
}

function pieces(layout: Exclude<Layout, { kind: 'symbol' }>): Piece[] {
  switch (layout.kind) {
    case 'row':
      return [...layout.parts]
    case 'fraction':
      return ['\\frac{', layout.over, '}{', layout.under, '}']
    case 'derivative':
      return ['\\frac{\\partial ', ...(layout.of ? [layout.of] : []), '}{\\partial ', layout.by, '}']
    case 'superscript':
      return [...based(layout.base, '^'), '^{', layout.mark, '}']
    case 'subscript':
      return [...based(layout.base, '_'), '_{', layout.mark, '}']
    case 'root':
      return ['\\sqrt{', layout.body, '}']
    case 'fence':
      return isTall(layout.body)
        ? [`\\left${latexFence(layout.open)}`, layout.body, `\\right${latexFence(layout.close)}`]
        : [latexFence(layout.open), layout.body, latexFence(layout.close)]
    case 'big':
      return [
        layout.sign === '∑' ? '\\sum_{' : '\\prod_{',
        layout.below,
        '}',
        ...(layout.above ? ['^{', layout.above, '}'] : []),
        ' ',
        layout.body,
      ]
  }
}

/** A base that already has this mark gets braces: a second one would be an error. */
function based(base: Layout, mark: '^' | '_'): Piece[] {
  const bare = (base.kind === 'symbol' && !latexOf(base).includes(mark)) || base.kind === 'fence'
  const other = (base.kind === 'subscript' && mark === '^') || (base.kind === 'superscript' && mark === '_')
  return bare || other ? [base] : ['{', base, '}']
}

const latexFences: Readonly<Record<string, string>> = { '{': '\\{', '}': '\\}', '⟨': '\\langle ', '⟩': '\\rangle ', '‖': '\\|' }
const latexFence = (mark: string): string => latexFences[mark] ?? mark

const tall = new WeakMap<Layout, boolean>()

const isTallItself = ({ kind }: Layout): boolean => kind === 'fraction' || kind === 'derivative' || kind === 'big'

/** Whether a fence around the body should grow: somewhere in it stands a fraction or a big sign. Remembered per layout, so shared parts cost once. */
function isTall(body: Layout): boolean {
  const todo: Layout[] = [body]
  while (todo.length > 0) {
    const next = todo.at(-1)!
    if (tall.has(next)) {
      todo.pop()
      continue
    }
    const parts = children(next)
    const waiting = parts.filter((part) => !tall.has(part))
    if (waiting.length > 0) for (const part of waiting) todo.push(part)
    else {
      todo.pop()
      tall.set(next, isTallItself(next) || parts.some((part) => tall.get(part)))
    }
  }
  return tall.get(body)!
}

function children(layout: Layout): readonly Layout[] {
  switch (layout.kind) {
    case 'symbol':
      return []
    case 'row':
      return layout.parts
    case 'fraction':
      return [layout.over, layout.under]
    case 'derivative':
      return layout.of ? [layout.of, layout.by] : [layout.by]
    case 'superscript':
    case 'subscript':
      return [layout.base, layout.mark]
    case 'root':
    case 'fence':
      return [layout.body]
    case 'big':
      return [layout.body]
  }
}
