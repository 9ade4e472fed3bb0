/** What bad specs are answered with, word for word: test/faults/NAME.yaml beside NAME.txt; `npm run golden` writes the latter anew. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Failure, type Source } from '../src/diagnostic.ts'
import { derive } from '../src/pipeline.ts'
import { faultText } from '../src/report/faults.ts'
import { plain } from '../src/report/paint.ts'
import { backproof } from './command.ts'

const folder = 'test/faults'
const specs = readdirSync(folder).filter((f) => f.endsWith('.yaml'))

async function answer(source: Source): Promise<string> {
  try {
    await derive(source)
    return 'no fault\n'
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return `${error.diagnostics.map((d) => faultText(d, source, plain)).join('\n\n')}\n`
  }
}

test.each(specs)('%s', async (file) => {
  const written = await answer({ name: file, text: readFileSync(`${folder}/${file}`, 'utf8') })
  const golden = `${folder}/${file.replace('.yaml', '.txt')}`
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(golden, written)
  expect(written).toBe(readFileSync(golden, 'utf8'))
  expect(written).not.toBe('no fault\n')
})

describe('the command', () => {
  const head = 'inputs:\n  x: [n]\nlayers:\n  - y = '
  const tail = '\nloss: L(y)\n'
  const generated: Readonly<Record<string, readonly [text: string, status: number]>> = {
    'a line of a megabyte': [`${head}${'x + '.repeat(250_000)}x${tail}`, 0],
    'ten thousand parentheses': [`${head}${'('.repeat(10_000)}x${')'.repeat(10_000)}${tail}`, 2],
    'ten thousand brackets': [`inputs:\n  x: ${'['.repeat(10_000)}n${']'.repeat(10_000)}${tail}`, 2],
    'ten thousand signs': [`${head}${'-'.repeat(10_000)}x${tail}`, 2],
    'a deep map': [`${Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')}\n`, 2],
    'not YAML at all': ['\u0000\u0001{[}', 2],
  }

  test.each(Object.entries(generated))('answers %s without a stack trace', (_, [text, status]) => {
    const run = backproof(['derive', '-', '--no-verify'], text)
    expect(run.stderr).not.toMatch(/\n\s+at |fault of its own/)
    expect(run.status).toBe(status)
  })

  test.each(specs)('ends with 2 for %s, and prints nothing', (file) => {
    expect(backproof(['derive', `${folder}/${file}`])).toMatchObject({ status: 2, stdout: '' })
  })
})
