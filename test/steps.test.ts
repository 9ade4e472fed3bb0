/** What `--steps` tells, on the built command. */
import { expect, test } from 'vitest'
import { backproof } from './command.ts'

const spec = (layers: readonly string[], ...more: readonly string[]): string =>
  ['inputs:', '  x: [n, c]', 'params:', '  gamma: [c]', ...more, 'layers:', ...layers.map((l) => `  - ${l}`), 'loss: L(y)'].join('\n')

/** The lines of a section, without the remarks behind them. */
function sectionOf(input: string, title: string): readonly string[] {
  const { stdout, status } = backproof(['derive', '-', '--steps', '--no-verify'], input)
  expect(status).toBe(0)
  const lines = stdout.split('\n')
  const start = lines.indexOf(`  ${title}`) + 1
  expect(start).toBeGreaterThan(0)
  const rest = lines.slice(start)
  return rest
    .slice(
      0,
      rest.findIndex((line) => !line.startsWith('    ')),
    )
    .map((line) => line.trim())
}

test('batch norm by its name shows its three paths and what they add up to', () => {
  const input = spec(['y = batch_norm(x, gamma)'])
  expect(sectionOf(input, 'paths inside an operation').map((line) => line.replace(/ {2,}/, ' | '))).toEqual([
    '∂L/∂x ⟵ d/s | through x̂',
    '∂L/∂x ⟵ −colmean(d)/s | through μ',
    '∂L/∂x ⟵ −(x̂ ⊙ colmean(d ⊙ x̂))/s | through σ²',
    '∂L/∂x ⟵ (d − colmean(d) − x̂ ⊙ colmean(d ⊙ x̂))/s | the 3 paths of batch_norm(x, γ) together',
  ])
  expect([...sectionOf(input, 'where')].sort()).toEqual(['d = γ ⊙ ∂L/∂y', 's = √(colvar(x) + 10⁻⁵)', 'x̂ = (x − colmean(x))/s'])
})

test('an operation inside an equation tells its paths to what it is applied to', () => {
  const [first, ...rest] = sectionOf(spec(['y = relu(rms_norm(gamma * x)) + x']), 'paths inside an operation')
  expect(first).toMatch(/^∂L\/∂\(γ ⊙ x\) ⟵ .* through x̂$/)
  expect(rest.at(-1)).toMatch(/the 2 paths of rms_norm\(γ ⊙ x\) together$/)
})

test('with --at, only the paths that lead there are told', () => {
  const input = spec(['u = softmax(x)', 'v = u @ W', 'y = batch_norm(v)'], '  W: [c, k]')
  const { stdout } = backproof(['derive', '-', '--steps', '--no-verify', '--at', 'W'], input)
  expect(stdout).toContain('the 3 paths of batch_norm(v) together')
  expect(stdout).not.toContain('the 2 paths of softmax(x) together')
})
