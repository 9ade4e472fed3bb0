/** What `--steps` tells, on the built command. */
import katex from 'katex'
import { expect, test } from 'vitest'
import { backproof } from './command.ts'

const spec = (layers: readonly string[], ...more: readonly string[]): string =>
  ['inputs:', '  x: [n, c]', 'params:', '  gamma: [c]', ...more, 'layers:', ...layers.map((l) => `  - ${l}`), 'loss: L(y)'].join('\n')

const run = (input: string, ...options: readonly string[]): string => {
  const { stdout, status } = backproof(['derive', '-', '--steps', '--no-verify', ...options], input)
  expect(status).toBe(0)
  return stdout
}

/** The lines below a title, with one bar before their remark. */
function below(title: string, text: string): readonly string[] {
  const [first, ...lines] = text.slice(text.indexOf(`\n${title}`) + 1).split('\n')
  expect(first).toContain(title)
  const margin = /^ */.exec(lines[0]!)![0]
  const end = lines.findIndex((line) => !line.startsWith(margin))
  return lines.slice(0, end).map((line) => line.trim().replace(/ {2,}/, ' | '))
}

const named = spec(['y = batch_norm(x, gamma)'])

test('batch norm by its name shows its three paths and what they add up to', () => {
  expect(below('paths batch_norm(x, γ)', run(named))).toEqual([
    '∂L/∂x ⟵ d/s | through x̂',
    '∂L/∂x ⟵ −colmean(d)/s | through μ',
    '∂L/∂x ⟵ −(x̂ ⊙ colmean(d ⊙ x̂))/s | through σ²',
    '∂L/∂x ⟵ (d − colmean(d) − x̂ ⊙ colmean(d ⊙ x̂))/s | together',
  ])
})

test('steps use the names of the report, and say what they are', () => {
  const steps = run(named).split('\nsteps')[1]!
  expect([...below('  where', steps)].sort()).toEqual(['d = γ ⊙ ∂L/∂y', 's = √(colvar(x) + 10⁻⁵)', 'x̂ = (x − colmean(x))/s'])
})

test('without --steps there are no paths', () => {
  expect(backproof(['derive', '-', '--no-verify'], named).stdout).not.toContain('paths batch_norm')
})

test('an operation inside an equation tells its paths to what it is applied to', () => {
  const lines = below('paths rms_norm(γ ⊙ x)', run(spec(['y = relu(rms_norm(gamma * x)) + x'])))
  expect(lines.length).toBe(3)
  for (const line of lines) expect(line).toMatch(/^∂L\/∂\(γ ⊙ x\) ⟵ /)
})

test('with --at, only the paths that lead there are told', () => {
  const input = spec(['u = softmax(x)', 'v = u @ W', 'y = batch_norm(v)'], '  W: [c, k]')
  expect(run(input, '--at', 'v')).toContain('paths batch_norm(v)')
  expect(run(input, '--at', 'v')).not.toContain('paths softmax(x)')
})

test.each(['batch_norm(x, gamma)', 'rms_norm(x)', 'l2_normalize(x)', 'softmax(x)', 'log_softmax(x)'])('%s in LaTeX', (call) => {
  const latex = run(spec([`y = ${call}`]), '--format', 'latex')
  expect(latex).toContain('&& \\text{together}')
  katex.renderToString(latex, { strict: 'error', throwOnError: true, displayMode: true })
})

test('JSON has the paths, too', () => {
  const { paths } = JSON.parse(run(named, '--format', 'json'))
  expect(paths).toMatchObject([
    {
      inside: { text: 'batch_norm(x, γ)' },
      symbol: { text: '∂L/∂x' },
      terms: [{ text: 'd/s', note: 'through x̂' }, { note: 'through μ' }, { note: 'through σ²' }],
      text: '(d − colmean(d) − x̂ ⊙ colmean(d ⊙ x̂))/s',
    },
  ])
})
