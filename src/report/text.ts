/** Writes a report as text for a terminal. */
import type { Expr } from '../expr/expr.ts'
import { shapeText } from '../expr/shape.ts'
import { toText } from '../layout/text.ts'
import { add } from '../ops/arithmetic.ts'
import { type Line, routeText, type Section, type Term } from './lines.ts'
import type { Paint } from './paint.ts'
import type { Report } from './report.ts'

/** Longest formula that others are aligned with. */
const widest = 44
const margin = '  '

/** The report, one section after the other. */
export function textOf(report: Report, paint: Paint): string {
  const title = [report.title, `loss ${toText(report.loss)}`, 'gradients have the shape of their variable'].filter(Boolean).join(' · ')
  let text = `${paint.strong(title)}\n`
  if (report.about) text += `${paint.faint(report.about)}\n`
  for (const section of report.sections) text += sectionText(section, paint)
  return text
}

/** A formula as it is written, and what stands before its right-hand side. */
interface Written {
  readonly text: string
  readonly head: string
}

function writtenOf({ left, sign, right }: Line, before = ''): Written {
  const head = before + toText(left) + (sign === '=' ? ' = ' : ' ⟵ ')
  return { text: head + toText(right), head }
}

/** The lines of a section, after an empty one. */
function sectionText(section: Section, paint: Paint): string {
  const { kind, title, lines, where } = section
  const indent = kind === 'forward' && title ? `${margin}  ` : margin
  const out = ['']
  const head = headText(section, paint)
  if (head) out.push(head)
  if (lines.length === 1) writeLine(lines[0]!, writtenOf(lines[0]!), least, indent, paint, out)
  else writeAligned(lines, indent, paint, out)
  for (let i = 0; i < where.length; i++)
    writeLine(where[i]!, writtenOf(where[i]!, i === 0 ? 'where ' : '      '), least, margin, paint, out)
  out.push('')
  return out.join('\n')
}

/** So many spaces stand at least between a formula and what is said of it. */
const least = 3

/** Lines whose remarks begin in one column. */
function writeAligned(lines: readonly Line[], indent: string, paint: Paint, out: string[]): void {
  const formulas: Written[] = []
  const widths: number[] = []
  let column = 0
  for (let i = 0; i < lines.length; i++) {
    const formula = writtenOf(lines[i]!)
    const width = length(formula.text)
    if (width <= widest && width > column) column = width
    formulas.push(formula)
    widths.push(width)
  }
  for (let i = 0; i < lines.length; i++) writeLine(lines[i]!, formulas[i]!, Math.max(0, column - widths[i]!) + least, indent, paint, out)
}

function headText({ kind, title, why }: Section, paint: Paint): string | undefined {
  if (kind === 'forward') return title && `  for ${toText(title)}:`
  const head = title ? ` ${toText(title)}` : ''
  const name = paint.accent(kind) + paint.strong(head)
  if (!why) return name
  return name + ' '.repeat(Math.max(least, 24 - kind.length - length(head))) + paint.faint(why)
}

const uneven = /[\u0300-\u036f\ud800-\udfff]/

/** Characters as a terminal counts them: combining marks take no room. */
export const length = (text: string): number => (!uneven.test(text) ? text.length : [...text.replaceAll(/\p{M}/gu, '')].length)

function writeLine(line: Line, { text, head }: Written, gap: number, indent: string, paint: Paint, out: string[]): void {
  const remarks = remarksOf(line)
  out.push(remarks === '' ? indent + text : indent + text + ' '.repeat(gap) + paint.faint(remarks))
  if (line.terms.length > 0) writeTerms(line, length(head), indent, paint, out)
}

function remarksOf({ shape, remark, note }: Line): string {
  let text = shape ? shapeText(shape) : ''
  if (remark) text += text === '' ? remark : `   ${remark}`
  if (note) text += text === '' ? toText(note) : `   ${toText(note)}`
  return text
}

/** Under each term the way it came; below each other where they do not fit side by side. */
function writeTerms({ terms, shows }: Line, start: number, indent: string, paint: Paint, out: string[]): void {
  const labels = terms.map((term) => routeText(term, '→'))
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
