/** Writes a report as text for a terminal. */
import type { Expr } from '../expr/expr.ts'
import { shapeText } from '../expr/shape.ts'
import { toText } from '../layout/text.ts'
import { add } from '../ops/arithmetic.ts'
import { type Line, pathText, type Section, type Term } from './lines.ts'
import type { Paint } from './paint.ts'
import type { Report } from './report.ts'

/** Longest formula that others are aligned with. */
const widest = 44
const margin = '  '

/** The report, one section after the other. */
export function textOf(report: Report, paint: Paint): string {
  const title = [report.title, `loss ${toText(report.loss)}`, 'gradients have the shape of their variable'].filter(Boolean).join(' · ')
  const out = [paint.strong(title)]
  if (report.about) out.push(paint.faint(report.about))
  out.push('')
  for (const section of report.sections) {
    writeSection(section, paint, out)
    out.push('')
  }
  return out.join('\n')
}

/** A formula as it is written, with its width on a terminal. */
interface Written {
  readonly text: string
  readonly width: number
  /** Where the right-hand side begins. */
  readonly start: number
}

function writtenOf({ left, sign, right }: Line, before = ''): Written {
  const head = `${before}${toText(left)} ${sign} `
  const text = head + toText(right)
  return { text, width: length(text), start: length(head) }
}

function writeSection(section: Section, paint: Paint, out: string[]): void {
  const head = headText(section, paint)
  if (head) out.push(head)
  const inLoop = section.kind === 'forward' && section.title ? '  ' : ''
  const formulas = section.lines.map((line) => writtenOf(line))
  let column = 0
  for (const { width } of formulas) if (width <= widest && width > column) column = width
  section.lines.forEach((line, i) => {
    writeLine(line, formulas[i]!, column, margin + inLoop, paint, out)
  })
  section.where.forEach((line, i) => {
    writeLine(line, writtenOf(line, i === 0 ? 'where ' : '      '), 0, margin, paint, out)
  })
}

function headText({ kind, title, why }: Section, paint: Paint): string | undefined {
  if (kind === 'forward') return title && `  for ${toText(title)}:`
  const head = title ? ` ${toText(title)}` : ''
  const name = paint.accent(kind) + paint.strong(head)
  if (!why) return name
  return name + ' '.repeat(Math.max(3, 24 - kind.length - length(head))) + paint.faint(why)
}

/** Characters as a terminal counts them: combining marks take no room. */
export const length = (text: string): number =>
  !/[\u0300-\u036f\ud800-\udfff]/.test(text) ? text.length : [...text.replaceAll(/\p{M}/gu, '')].length

function writeLine(line: Line, written: Written, column: number, indent: string, paint: Paint, out: string[]): void {
  const remarks = remarksOf(line)
  const gap = remarks === '' ? '' : ' '.repeat(Math.max(3, column - written.width + 3))
  out.push(indent + written.text + gap + (remarks === '' ? '' : paint.faint(remarks)))
  if (line.terms.length > 0) writeTerms(line, written, indent, paint, out)
}

function remarksOf({ shape, remark, note }: Line): string {
  let text = shape ? shapeText(shape) : ''
  if (remark) text += text === '' ? remark : `   ${remark}`
  if (note) text += text === '' ? toText(note) : `   ${toText(note)}`
  return text
}

const label = ({ kind, path }: Term): string => `${kind} ${pathText(path, '→')}`

/** Under each term the way it came; below each other where they do not fit side by side. */
function writeTerms({ terms, shows }: Line, { start }: Written, indent: string, paint: Paint, out: string[]): void {
  const labels = terms.map(label)
  const texts = terms.map((t) => toText(t.layout))
  const widths = texts.map(length)
  const row = isTheirSum(shows[0]!, terms) ? besides(labels, widths, start) : undefined
  if (row !== undefined) {
    out.push(indent + paint.faint(row))
    return
  }
  const width = widths.reduce((most, w) => Math.max(most, w), 0)
  for (const [i, text] of texts.entries())
    out.push(`${indent}${' '.repeat(start)}${text}${' '.repeat(width - widths[i]! + 3)}${paint.faint(labels[i]!)}`)
}

/** The terms stand one by one in the sum: none met a like one. */
const isTheirSum = ({ op, args }: Expr, terms: readonly Term[]): boolean =>
  op === add && args.length === terms.length && terms.every(({ term }, i) => term === args[i])

const mostColumns = 96

/** The labels in one row, each where its term begins; undefined where the row gets too long. */
function besides(labels: readonly string[], widths: readonly number[], start: number): string | undefined {
  let row = ''
  let column = start
  let used = 0
  for (let i = 0; i < labels.length; i++) {
    const gap = Math.max(column - used, i === 0 ? 0 : 3)
    row += ' '.repeat(gap) + labels[i]!
    used += gap + length(labels[i]!)
    if (used > mostColumns) return undefined
    column += widths[i]! + 3
  }
  return row
}
