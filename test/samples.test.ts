/** Every sample: its claims hold, its gradients are verified, and all that is written of it is sound. */
import { readdirSync, readFileSync } from 'node:fs'
import katex from 'katex'
import { describe, expect, test } from 'vitest'
import type { Verification } from '../src/check/verify.ts'
import { defaults, derive } from '../src/pipeline.ts'
import { derivationJson } from '../src/report/json.ts'
import { latexOf } from '../src/report/latex.ts'
import { markdownOf } from '../src/report/markdown.ts'
import { reportOf } from '../src/report/report.ts'

/** Every text under the key `latex`. */
function latexIn(json: unknown): string[] {
  if (typeof json !== 'object' || json === null) return []
  return Object.entries(json).flatMap(([key, value]) => (key === 'latex' ? [value as string] : latexIn(value)))
}

/** All gradients agree but those by values on a kink at every point, of which there are few. */
function expectVerified({ byValue, unchecked }: Verification): void {
  for (const [value, verified] of byValue) if (!unchecked.has(value)) expect(verified?.ok, value.name).toBe(true)
  expect(unchecked.size).toBeLessThan(byValue.size / 4)
}

const samples = readdirSync('samples').filter((f) => f.endsWith('.yaml'))

describe.each(samples)('%s', (file) => {
  const source = { name: file, text: readFileSync(`samples/${file}`, 'utf8') }

  test('claims hold and gradients are verified, whatever the seed', async () => {
    for (const seed of [1, 2, 3]) {
      const { verification, judgements } = await derive(source, { ...defaults, seed })
      expectVerified(verification!)
      for (const { claim, ok, verdict } of judgements!) expect(ok, `${claim.source}: ${verdict.kind}`).toBe(true)
    }
  })

  test('has a claim that holds and one that does not', async () => {
    const { judgements } = await derive(source)
    expect(judgements!.some((j) => !j.claim.negated)).toBe(true)
    expect(judgements!.some((j) => j.claim.negated)).toBe(true)
  })

  test.each(['local', 'expanded', 'jacobian'] as const)('the %s form is LaTeX that KaTeX accepts strictly', async (form) => {
    for (const derivatives of ['symbol', 'explicit', 'output'] as const) {
      const { derivation } = await derive(source, { ...defaults, form, derivatives, verify: false })
      katex.renderToString(latexOf(reportOf(derivation, undefined)), {
        strict: 'error',
        throwOnError: true,
        displayMode: true,
        maxExpand: 1e5,
      })
    }
  })

  test('every formula in Markdown and JSON is LaTeX that KaTeX accepts strictly', async () => {
    const result = await derive(source)
    const markdown = markdownOf(reportOf(result.derivation, undefined), [])
    const displayed = [...markdown.matchAll(/\$\$([\s\S]*?)\$\$/g)].map((m) => m[1]!)
    const inline = [...markdown.replaceAll(/\$\$[\s\S]*?\$\$/g, '').matchAll(/\$([^$]+)\$/g)].map((m) => m[1]!)
    const inJson = latexIn(derivationJson(result, undefined))
    expect(Math.min(displayed.length, inline.length, inJson.length)).toBeGreaterThan(0)
    for (const latex of [...displayed, ...inline, ...inJson])
      katex.renderToString(latex, { strict: 'error', throwOnError: true, displayMode: true, maxExpand: 1e5 })
  })

  test.each(['expanded', 'jacobian'] as const)('the %s form is verified, too', async (form) => {
    for (const derivatives of ['explicit', 'output'] as const) {
      const { verification } = await derive(source, { ...defaults, form, derivatives })
      expectVerified(verification!)
    }
  })
})
