/** Shows faults on their source: file:line:column, the line they are in, and what to do. */
import type { Diagnostic, Source, Span } from '../diagnostic.ts'
import type { Paint } from './paint.ts'

export interface Place {
  /** From 1. */
  readonly line: number
  /** From 1, in characters. */
  readonly column: number
}

export function placeOf({ text }: Source, offset: number): Place {
  const before = text.slice(0, offset)
  const start = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: [...before.slice(start)].length + 1 }
}

/** The longest part of a line that is shown. */
const widest = 100

/** One fault as it is shown: where, what, the place in the source, and what to do. */
export function faultText({ message, hint, span, trail = [] }: Diagnostic, source: Source | undefined, paint: Paint): string {
  if (!source || !span) return [`${paint.bad('error')}: ${message}`, ...(hint ? [`  ${hint}`] : [])].join('\n')
  const { line, column } = placeOf(source, span.start)
  const where = `${source.name}:${line}:${column}`
  const calls = trail.map((call) => `  in ${call.text} in line ${placeOf(source, call.span.start).line}`)
  return [`${paint.strong(where)}  ${message}`, ...frame(source, span, paint), ...calls, ...(hint ? [`  ${hint}`] : [])].join('\n')
}

/** The line of the fault under the one before it, with a mark under what is meant. */
function frame(source: Source, span: Span, paint: Paint): string[] {
  const lines = source.text.split('\n')
  const { line, column } = placeOf(source, span.start)
  const shown = (n: number): string => (lines[n - 1] ?? '').replace(/\r$/, '').replaceAll('\t', ' ')
  const from = Math.max(0, column - 1 - widest / 2)
  const cut = (text: string): string => {
    const part = [...text].slice(from, from + widest).join('')
    return (from > 0 ? '…' : '') + part + ([...text].length > from + widest ? '…' : '')
  }
  const width = String(line).length
  const end = Math.min(span.end, source.text.indexOf('\n', span.start) < 0 ? source.text.length : source.text.indexOf('\n', span.start))
  const marks = Math.max(1, Math.min([...source.text.slice(span.start, end)].length, widest / 2))
  const gutter = (n: number | string, mark: string): string => paint.faint(`${mark} ${String(n).padStart(width)} | `)
  const before = line > 1 && shown(line - 1).trim() !== '' ? [gutter(line - 1, '  ') + cut(shown(line - 1))] : []
  const pointer = ' '.repeat(column - 1 - from + (from > 0 ? 1 : 0)) + paint.bad('^'.repeat(marks))
  return [...before, gutter(line, ' >') + cut(shown(line)), gutter('', '  ') + pointer]
}
