/** The reader of plain YAML against the library: whatever it accepts, both read alike. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Failure } from '../../src/diagnostic.ts'
import { readPlain } from '../../src/network/plain.ts'
import type { Node } from '../../src/network/tree.ts'
import { parseYaml } from '../../src/network/yaml.ts'
import { below, pick, randomFrom } from '../random.ts'

const folders = ['samples', 'test/faults', 'test/claims']
const specs = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => `${folder}/${file}`),
)

/** What the library makes of a text; undefined where it finds a fault. */
function byLibrary(text: string): Node | undefined {
  try {
    return parseYaml({ name: 'spec.yaml', text })
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}

test.each(specs)('%s is read as the library reads it, or left to it', (path) => {
  const text = readFileSync(path, 'utf8')
  const tree = readPlain(text)
  if (tree) expect(byLibrary(text)).toEqual(tree)
})

test('most samples are plain', () => {
  const samples = specs.filter((path) => path.startsWith('samples/'))
  const plain = samples.filter((path) => readPlain(readFileSync(path, 'utf8')) !== undefined)
  expect(samples.filter((path) => !plain.includes(path)).length).toBeLessThan(samples.length / 4)
})

describe('edited samples', () => {
  const pieces = [
    ...`:#-[]{},'"!&*|>%@?~ \n`,
    ': ',
    ' #',
    '- ',
    '\n\n',
    '\n  ',
    '\n- ',
    '\t',
    '\r\n',
    "''",
    'null',
    '1e5',
    '0x1',
    '.5',
    '...',
    '---',
    'é',
    '\u2028',
  ]
  test.each(specs)('%s', (path) => {
    const text = readFileSync(path, 'utf8')
    const random = randomFrom(1, path)
    for (let i = 0; i < 20; i++) {
      let edited = text
      for (let edits = 1 + below(random, 2); edits > 0; edits--) {
        const at = below(random, edited.length)
        edited = edited.slice(0, at) + (below(random, 3) > 0 ? pick(random, pieces) : '') + edited.slice(at + below(random, 3))
      }
      const tree = readPlain(edited)
      if (tree) expect(byLibrary(edited), JSON.stringify(edited)).toEqual(tree)
    }
  })
})
