/** The documentation: generated pages are fresh, and every spec in it derives. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { defaults, derive } from '../src/pipeline.ts'

test('docs/operations.md is what the registry says', () => {
  expect(spawnSync(process.execPath, ['scripts/docs.js', '--check'], { encoding: 'utf8' }).status).toBe(0)
})

describe.each(['README.md', ...readdirSync('docs').map((f) => `docs/${f}`)])('%s', (file) => {
  const specs = [...readFileSync(file, 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map((m) => m[1]!).filter((text) => /^loss:/m.test(text))

  test.each(specs)('spec %#', async (text) => {
    const { verification, judgements } = await derive({ name: file, text }, defaults)
    expect([...verification!.byValue.values()].every((v) => v === null || v.ok)).toBe(true)
    expect(judgements!.every((j) => j.ok)).toBe(true)
  })

  test('links lead somewhere', () => {
    const links = [...readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)].map((m) => m[1]!)
    const from = file.includes('/') ? 'docs/' : ''
    for (const link of links) expect(() => readFileSync(`${from}${link}`), link).not.toThrow()
  })
})
