/** True claims in unusual forms, and false ones close to them, at points where functions saturate: test/agreeing/*.yaml. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { defaults, derive } from '../src/pipeline.ts'

const folder = 'test/agreeing'
const specs = readdirSync(folder).filter((f) => f.endsWith('.yaml'))

describe.each(specs)('%s', (file) => {
  test.each([1, 2, 3, 4, 5, 6])('seed %i', async (seed) => {
    const { judgements, verification } = await derive(
      { name: file, text: readFileSync(`${folder}/${file}`, 'utf8') },
      { ...defaults, seed },
    )
    expect(verification!.byValue.size).toBeGreaterThan(0)
    for (const verified of verification!.byValue.values()) expect(verified?.ok ?? true).toBe(true)
    expect(judgements!.filter((j) => !j.ok).map((j) => j.claim.source)).toEqual([])
  })
})
