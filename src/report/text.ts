/** Writes a report as text for a terminal. */
import { shapeText } from '../expr/shape.ts'
import { toText } from '../layout/text.ts'
import { type Line, pathText, type Section, type Term } from './lines.ts'
import type { Paint } from './paint.ts'
import type { Report } from './report.ts'

/** Longest formula that others are aligned with. */
const widest = 44
const margin = '  '

/** The report, one section after the other. */
export function textOf(report: Report, paint: Paint): string {
  const title = [report.title, `loss ${toText(report.loss)}`, 'gradients have the shape of their variable'].filter(Boolean).join(' · ')
  const head = report.about ? [paint.strong(title), paint.faint(report.about)] : [paint.strong(title)]
  return [...head, '', ...report.sections.flatMap((section) => [...sectionText(section, paint), ''])].join('\n')
}

function sectionText(section: Section, paint: Paint): string[] {
  const formulas = section.lines.map(formula)
  const column = formulas.map(length).reduce((most, n) => (n <= widest ? Math.max(most, n) : most), 0)
  const lines = section.lines.flatMap((line, i) => lineText(line, formulas[i]!, column, paint))
  const where = section.where.flatMap((line, i) => {
    const first = i === 0 ? 'where ' : '      '
    return lineText(line, first + formula(line), 0, paint)
  })
  const inLoop = section.kind === 'forward' && section.title ? '  ' : ''
  return [...headText(section, paint), ...lines.map((line) => inLoop + line), ...where]
}

function headText({ kind, title, why }: Section, paint: Paint): string[] {
  if (kind === 'forward') return title ? [`  for ${toText(title)}:`] : []
  const head = `${kind}${title ? ` ${toText(title)}` : ''}`
  const name = paint.accent(kind) + paint.strong(head.slice(kind.length))
  if (!why) return [name]
  const gap = ' '.repeat(Math.max(3, 24 - length(head)))
  return [name + gap + paint.faint(why)]
}

const formula = (line: Line): string => `${toText(line.left)} ${line.sign} ${toText(line.right)}`

/** Characters as a terminal counts them: combining marks take no room. */
export const length = (text: string): number =>
  !/[\u0300-\u036f\ud800-\udfff]/.test(text) ? text.length : [...text.replaceAll(/\p{M}/gu, '')].length

function lineText(line: Line, written: string, column: number, paint: Paint): string[] {
  const remarks = [line.shape ? shapeText(line.shape) : '', line.remark ?? '', line.note ? toText(line.note) : '']
    .filter((r) => r !== '')
    .join('   ')
  const gap = ' '.repeat(Math.max(3, column - length(written) + 3))
  const first = margin + written + (remarks === '' ? '' : gap + paint.faint(remarks))
  return [first, ...termsText(line, written, paint)]
}

const label = (term: Term): string => `${term.kind} ${pathText(term.path).replaceAll(' → ', '→')}`

/** Under each term the way it came; below each other where they do not fit side by side. */
function termsText({ left, terms, isTheirSum }: Line, written: string, paint: Paint): string[] {
  if (terms.length === 0) return []
  const start = length(toText(left)) + 3
  const labels = terms.map(label)
  const texts = terms.map((t) => toText(t.layout))
  const widths = texts.map(length)
  if (isTheirSum) {
    const row = besides(labels, widths, start + length(written) - length(written.trimStart()))
    if (row !== undefined) return [margin + paint.faint(row)]
  }
  const width = widths.reduce((most, w) => Math.max(most, w), 0)
  return texts.map((text, i) => `${margin}${' '.repeat(start)}${text}${' '.repeat(width - widths[i]! + 3)}${paint.faint(labels[i]!)}`)
}

const mostColumns = 96

/** The labels in one row, each where its term begins; undefined where the row gets too long. */
function besides(labels: readonly string[], widths: readonly number[], start: number): string | undefined {
  let row = ''
  let column = start
  for (const [i, text] of labels.entries()) {
    row += ' '.repeat(Math.max(column - length(row), i === 0 ? 0 : 3)) + text
    if (length(row) > mostColumns) return undefined
    column += widths[i]! + 3
  }
  return row
}
