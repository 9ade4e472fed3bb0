/** Wrong claims and the kind of mistake that each is told to be: test/claims/*.yaml, the kind behind each claim. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { derive } from '../src/pipeline.ts'
import { plain } from '../src/report/paint.ts'
import { failingClaims } from '../src/report/verdicts.ts'

const folder = 'test/claims'
const specs = readdirSync(folder).filter((f) => f.endsWith('.yaml'))
const sourceOf = (file: string) => ({ name: file, text: readFileSync(`${folder}/${file}`, 'utf8') })

/** The kind that stands behind the claim in its line. */
const expected = (text: string, offset: number): string | undefined => /# (\S+)$/.exec(text.slice(offset).split('\n')[0]!)?.[1]

const found = new Set<string>()

describe.each(specs)('%s', async (file) => {
  const source = sourceOf(file)
  const result = await derive(source)
  const cases = result.judgements!.map((j) => ({ claim: j.claim.source, judgement: j }))

  test.each(cases)('$claim', ({ judgement: { claim, verdict } }) => {
    expect(verdict.kind).toBe('refuted')
    if (verdict.kind !== 'refuted') return
    const { kind, message } = verdict.diagnosis
    found.add(kind)
    expect(`${kind}: ${message}`).toMatch(new RegExp(`^${expected(source.text, claim.span.start)}: \\S`))
  })

  test('says the same in every run, and what is derived instead', async () => {
    const text = failingClaims(result, source, 1, plain)
    expect(failingClaims(await derive(source), source, 1, plain)).toBe(text)
    expect(text).toContain('derived  ∂')
  })
})

test('every documented kind of mistake is found in some claim', () => {
  const section = /## Kinds of diagnosis\n([\s\S]*?)\n## /.exec(readFileSync('docs/json.md', 'utf8'))![1]!
  const documented = [...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map((m) => m[1]!)
  expect(documented.length).toBeGreaterThan(10)
  expect(documented.filter((kind) => kind !== 'kind' && !found.has(kind))).toEqual([])
})
