/** What holds of every sample: its claims, its gradients in every form, and all that is written of it. */
import { readdirSync, readFileSync } from 'node:fs'
import katex from 'katex'
import { describe, expect, test } from 'vitest'
import { checkLoops } from '../src/check/unrolled.ts'
import { type Verification, verify } from '../src/check/verify.ts'
import { defaults, derive, type Options, type Result } from '../src/pipeline.ts'
import { derivationJson } from '../src/report/json.ts'
import { latexOf } from '../src/report/latex.ts'
import { markdownOf } from '../src/report/markdown.ts'
import { reportOf } from '../src/report/report.ts'

/** Every text under the key `latex`. */
function latexIn(json: unknown): string[] {
  if (typeof json !== 'object' || json === null) return []
  return Object.entries(json).flatMap(([key, value]) => (key === 'latex' ? [value as string] : latexIn(value)))
}

const expectLatex = (latex: string): void => {
  katex.renderToString(latex, { strict: 'error', throwOnError: true, displayMode: true, maxExpand: 1e5 })
}

/** All gradients agree but those by values on a kink at every point, of which there are few. */
function expectVerified({ byValue, unchecked }: Verification): void {
  for (const [value, verified] of byValue) if (!unchecked.has(value)) expect(verified?.ok, value.name).toBe(true)
  for (const reason of unchecked.values()) expect(reason).toBe('kink')
  expect(unchecked.size).toBeLessThan(byValue.size / 4)
}

/** Verifies a derivation, without the claims, which are the same in every form. */
const verificationOf = ({ derivation }: Result): Verification =>
  derivation.network.unrolling ? checkLoops(derivation, derivation.network.unrolling, 1).verification : verify(derivation, 1)

const forms = ['local', 'expanded', 'jacobian'] as const
const guises = ['symbol', 'explicit', 'output'] as const

const samples = readdirSync('samples').filter((f) => f.endsWith('.yaml'))

/** The i-th of n parts of the samples: parts run side by side. */
export function describeSamples(part: number, parts: number): void {
  describe.each(samples.filter((_, i) => i % parts === part))('%s', (file) => {
    const source = { name: file, text: readFileSync(`samples/${file}`, 'utf8') }
    const known = new Map<string, Promise<Result>>()
    /** A result, worked out once for all tests that look at it. */
    const result = (options: Partial<Options>): Promise<Result> => {
      const key = JSON.stringify(options)
      const found = known.get(key) ?? derive(source, { ...defaults, ...options })
      known.set(key, found)
      return found
    }

    test.each([1, 2, 3])('claims hold and gradients are verified with seed %i', async (seed) => {
      const { verification, judgements } = await result({ seed })
      expectVerified(verification!)
      for (const { claim, ok, verdict } of judgements!) expect(ok, `${claim.source}: ${verdict.kind}`).toBe(true)
    })

    test('has a claim that holds and one that does not', async () => {
      const { judgements } = await result({ seed: 1 })
      expect(judgements!.some((j) => !j.claim.negated)).toBe(true)
      expect(judgements!.some((j) => j.claim.negated)).toBe(true)
    })

    describe.each(forms)('the %s form', (form) => {
      test('is LaTeX that KaTeX accepts strictly', async () => {
        for (const derivatives of guises) {
          const { derivation } = await result({ form, derivatives, verify: false })
          expectLatex(latexOf(reportOf(derivation, undefined)))
        }
      })

      if (form === 'local') return
      test('is verified, too', async () => {
        for (const derivatives of ['explicit', 'output'] as const)
          expectVerified(verificationOf(await result({ form, derivatives, verify: false })))
      })
    })

    test('every formula in Markdown and JSON is LaTeX that KaTeX accepts strictly', async () => {
      const whole = await result({ seed: 1 })
      const markdown = markdownOf(reportOf(whole.derivation, undefined), [])
      const displayed = [...markdown.matchAll(/\$\$([\s\S]*?)\$\$/g)].map((m) => m[1]!)
      const inline = [...markdown.replaceAll(/\$\$[\s\S]*?\$\$/g, '').matchAll(/\$([^$]+)\$/g)].map((m) => m[1]!)
      const inJson = latexIn(derivationJson(whole, undefined))
      expect(Math.min(displayed.length, inline.length, inJson.length)).toBeGreaterThan(0)
      for (const latex of new Set([...displayed, ...inline, ...inJson])) expectLatex(latex)
    })
  })
}
