/** Writes a report as Markdown with formulas in dollars, as GitHub and most editors show it. */
import { toLatex } from '../layout/latex.ts'
import { rowOf } from './latex.ts'
import { routeText, type Section } from './lines.ts'
import type { Report } from './report.ts'

const titles: Readonly<Record<Section['kind'], string>> = {
  loop: 'Loop',
  forward: 'The network',
  loss: 'Loss',
  merge: 'Merge',
  'fan-out': 'Fan-out',
  node: 'Node',
  paths: 'Paths inside',
  inputs: 'Inputs',
  parameters: 'Parameters',
}

const inline = (latex: string): string => `$${latex}$`
const display = (lines: readonly string[]): string[] => ['$$', '\\begin{aligned}', lines.join(' \\\\\n'), '\\end{aligned}', '$$', '']

export function markdownOf(report: Report, summary: readonly string[]): string {
  const head = [
    `# ${report.title ?? 'Gradients'}`,
    '',
    ...(report.about ? [report.about, ''] : []),
    `Loss ${inline(toLatex(report.loss))}; every gradient has the shape of its variable.`,
    '',
  ]
  return [...head, ...report.sections.flatMap(sectionLines), ...summary.map((s) => `- ${s}`), ''].join('\n')
}

function sectionLines(section: Section): string[] {
  const lines = [...section.lines, ...section.where]
  const title = `## ${titles[section.kind]}${section.title ? ` ${inline(toLatex(section.title))}` : ''}`
  const terms = section.lines.flatMap((line) => line.terms.map((t) => `- ${inline(toLatex(t.layout))}: ${routeText(t)}`))
  return [
    title,
    '',
    ...(section.why ? [sentence(section.why), ''] : []),
    ...(lines.length > 0 ? display(lines.map(rowOf)) : []),
    ...(terms.length > 0 ? [...terms, ''] : []),
  ]
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
