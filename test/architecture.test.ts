/** The house: who may import whom, no circles, and what every file owes its reader. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'))
const text = (file: string): string => readFileSync(join('src', file), 'utf8')
const importsOf = (file: string): string[] =>
  [...text(file).matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((m) => normalize(join(dirname(file), m[1]!)))

/** From the ground up; a room imports from its own floor and those below. */
const floors: readonly (readonly string[])[] = [
  ['words.ts', 'diagnostic.ts', 'layout', 'tensor'],
  ['expr'],
  ['ops'],
  ['rewrite', 'network'],
  ['derive'],
  ['check'],
  ['pipeline.ts'],
  ['report'],
  ['index.ts', 'cli'],
]
const roomOf = (file: string): string => file.split('/')[0]!
const floorOf = (file: string): number => floors.findIndex((rooms) => rooms.includes(roomOf(file)))

test('imports run downward only', () => {
  const upward = files.flatMap((file) =>
    importsOf(file)
      .filter(
        (target) =>
          floorOf(target) > floorOf(file) ||
          (floorOf(target) === floorOf(file) && roomOf(target) !== roomOf(file) && roomOf(file) !== 'diagnostic.ts'),
      )
      .map((target) => `${file} → ${target}`),
  )
  expect(upward).toEqual([])
})

test('no file imports itself by any way round', () => {
  const circles: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
    else if (!done.has(file)) {
      for (const target of importsOf(file)) visit(target, [...path, file])
      done.add(file)
    }
  }
  for (const file of files) visit(file, [])
  expect(circles).toEqual([])
})

test.each(files)('%s opens with a sentence about what it is for', (file) => {
  const [, comment] = /^\/\*\*([\s\S]*?)\*\//.exec(text(file)) ?? []
  expect(comment).toMatch(/\w[\s\S]*[.!?)]\s*$/)
})

test('no file is longer than 350 lines', () => {
  const lengths = files.map((file) => [file, text(file).split('\n').length - 1] as const)
  expect(lengths.filter(([, lines]) => lines > 350)).toEqual([])
})

test('every file has its floor', () => expect(files.filter((file) => floorOf(file) < 0)).toEqual([]))

test('only the command knows of files and processes', () => {
  const impure = files.filter((f) => roomOf(f) !== 'cli' && /from 'node:|\bprocess\.|\brequire\(/.test(text(f)))
  expect(impure).toEqual([])
})
