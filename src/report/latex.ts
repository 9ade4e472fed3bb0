/** Writes a report as an align environment that needs amsmath alone. */
import { toLatex } from '../layout/latex.ts'
import type { Line, Section } from './lines.ts'
import type { Report } from './report.ts'

/** The gradients as one `align*`, with a remark in text before each group as a LaTeX comment. */
export function latexOf(report: Report): string {
  const sections = report.sections.filter((s) => s.kind !== 'forward' && s.lines.length + s.where.length > 0)
  const rows = sections.flatMap((section) => {
    const row = (line: Line): string => (section.steps && !line.note ? `${rowOf(line)} && ${toLatex(section.steps)}` : rowOf(line))
    const where = section.where.map((line, i) => (i === 0 ? `\\text{where } ${row(line)}` : row(line)))
    const lines = [...section.lines.map(row), ...where]
    return lines.map((row, i) => (i === 0 ? `% ${commentOf(section)}\n${row}` : row))
  })
  return ['\\begin{align*}', rows.join(' \\\\\n'), '\\end{align*}', ''].join('\n')
}

const commentOf = ({ kind, title, why }: Section): string =>
  [kind, title ? toLatex(title) : '', why ? `: ${why}` : ''].filter(Boolean).join(' ').replaceAll('\n', ' ')

/** left &= right && note; a contribution is written with an arrow. */
export const rowOf = ({ left, sign, right, note }: Line): string =>
  `${toLatex(left)} &${sign === '=' ? '=' : '\\leftarrow'} ${toLatex(right)}${note ? ` && ${toLatex(note)}` : ''}`
