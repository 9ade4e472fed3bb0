/** What is printed of every sample in every format, held against files; `npm run golden` writes them anew. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { defaults, derive, type Options } from '../src/pipeline.ts'
import { derivationJson } from '../src/report/json.ts'
import { latexOf } from '../src/report/latex.ts'
import { markdownOf } from '../src/report/markdown.ts'
import { plain } from '../src/report/paint.ts'
import { reportOf } from '../src/report/report.ts'
import { textOf } from '../src/report/text.ts'

const samples = readdirSync('samples').filter((f) => f.endsWith('.yaml'))
const update = process.env.UPDATE_GOLDEN === '1'
const base: Options = { ...defaults, verify: false }

type Write = (result: Awaited<ReturnType<typeof derive>>) => string
const text: Write = ({ derivation }) => textOf(reportOf(derivation, undefined), plain)

const variants: Readonly<Record<string, readonly [Partial<Options>, Write]>> = {
  txt: [{}, text],
  'expanded.txt': [{ form: 'expanded' }, text],
  'jacobian.txt': [{ form: 'jacobian' }, text],
  'explicit.txt': [{ derivatives: 'explicit' }, text],
  'output.txt': [{ derivatives: 'output' }, text],
  tex: [{}, ({ derivation }) => latexOf(reportOf(derivation, undefined))],
  md: [{}, ({ derivation }) => markdownOf(reportOf(derivation, undefined), [])],
  json: [{}, (result) => `${JSON.stringify(derivationJson(result, undefined), null, 2)}\n`],
}

describe.each(samples)('%s', (file) => {
  test.each(Object.entries(variants))('%s', async (variant, [options, write]) => {
    const written = write(await derive({ name: file, text: readFileSync(`samples/${file}`, 'utf8') }, { ...base, ...options }))
    const golden = `test/golden/${file.replace('.yaml', '')}.${variant}`
    if (update) {
      mkdirSync('test/golden', { recursive: true })
      writeFileSync(golden, written)
    }
    expect(existsSync(golden), `${golden} is missing: npm run golden`).toBe(true)
    expect(written).toBe(readFileSync(golden, 'utf8'))
  })
})
