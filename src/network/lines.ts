/** Lines of a source: their numbers, where they end, what stands in them, and how one should have been written. */
import type { Span } from '../diagnostic.ts'

/** The number of the line, from 1, that an offset stands in. The lines are counted when first asked for. */
export function lineCounter(text: string): (offset: number) => number {
  let starts: number[] | undefined
  return (offset) => {
    starts ??= startsOfLines(text)
    let [low, high] = [0, starts.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
}

function startsOfLines(text: string): number[] {
  const starts = [0]
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return starts
}

/** Where the line ends that an offset stands in, without blanks at its end. */
export function endOfLine(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset)
  return offset + text.slice(offset, newline < 0 ? undefined : newline).trimEnd().length
}

/** The rest of a line, without a remark at its end. */
export function restOfLine(text: string, start: number): Span {
  const line = text.slice(start, endOfLine(text, start))
  return { start, end: start + line.replace(/\s+#\s.*$/, '').length }
}

/** A line as it should have been written: quoted, without a remark at its end. */
export function quoted(text: string): string {
  const line = text.replace(/\s+#\s.*$/s, '').trim()
  return line.includes("'") && !/["\\]/.test(line) ? `"${line}"` : `'${line.replaceAll("'", "''")}'`
}

/** Where a match of the pattern that starts here ends; −1 where there is none. */
export function past(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex : -1
}
