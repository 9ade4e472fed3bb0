/**
 * A mutation campaign on the gradient rules: each mutant breaks one rule in a copy of the tree (a transpose or a sign
 * dropped, a factor or a term left out, a constant changed, arguments swapped), and the tests must notice.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const workers = 2

/** What breaks a rule: a pattern, and what is put in its place. */
const mutations = [
  ['transpose dropped', /\bT\((\w+)\)/g, (_, x) => x],
  ['sign dropped', /\bnegate\(/g, () => '('],
  [
    'last factor dropped',
    /\b(multiply|times)\((\[?)([^()[\]]+), ([^(),[\]]+)(\]?)\)/g,
    (_, f, open, rest, __, close) => `${f}(${open}${rest}${close})`,
  ],
  [
    'last term dropped',
    /\b(add|plus)\((\[?)([^()[\]]+), ([^(),[\]]+)(\]?)\)/g,
    (_, f, open, rest, __, close) => `${f}(${open}${rest}${close})`,
  ],
  ['difference turned around', /\bsubtract\(([^(),]+), ([^(),]+)\)/g, (_, a, b) => `subtract(${b}, ${a})`],
  ['constant changed', /\b(fill|n)\((-?\d*\.?\d+)/g, (_, f, x) => `${f}(${Number(x) + 0.37}`],
  ['product turned around', /\b(matmul|outer|divide)\(([^(),]+), ([^(),]+)\)/g, (_, f, a, b) => `${f}(${b}, ${a})`],
  ['comparison turned around', /\b(greater|less|greaterEqual|lessEqual|wins)\(([^(),]+), ([^(),]+)\)/g, (_, f, a, b) => `${f}(${b}, ${a})`],
  ['first error lost', /=> \[((?!null)[^[\],]+(?:\([^()]*\))?), /g, () => '=> [null, '],
  ['axis changed', /keepdims: true/g, () => 'keepdims: false'],
  ['start changed', /embed\(g, \{ shape: x\.shape, start/g, (m) => m.replace('start', 'start: start.map(() => 0)')],
]

/** The parts of a file that say how errors flow: from `vjp`, `derivative` or `output` to the end of that property. */
function rules(text) {
  const found = []
  for (const match of text.matchAll(/^ {2,4}(vjp|derivative|output)\b/gm)) {
    const indent = /^ */.exec(match[0])[0]
    const from = text.indexOf('\n', match.index) + 1
    const end = new RegExp(`^ {0,${indent.length}}[^ \\n]`, 'm').exec(text.slice(from))
    found.push([match.index, from + (end?.index ?? 0)])
  }
  return found
}

function mutantsOf(file) {
  const text = readFileSync(file, 'utf8')
  return rules(text).flatMap(([start, end]) =>
    mutations.flatMap(([name, pattern, replace]) =>
      [...text.slice(start, end).matchAll(pattern)].flatMap((match) => {
        const at = start + match.index
        const mutated = replace(...match)
        if (mutated === match[0]) return []
        const line = text.slice(0, at).split('\n').length
        return [
          { file, line, name, what: `${match[0]} → ${mutated}`, text: text.slice(0, at) + mutated + text.slice(at + match[0].length) },
        ]
      }),
    ),
  )
}

function run(folder, tests) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--bail', '1', ...tests], {
      cwd: folder,
      stdio: 'ignore',
    })
    child.on('close', (status) => resolve(status !== 0))
  })
}

const mutants = readdirSync('src/ops')
  .filter((f) => f.endsWith('.ts'))
  .flatMap((f) => mutantsOf(join('src/ops', f)))
const root = mkdtempSync(join(tmpdir(), 'backproof-mutants-'))
const folders = Array.from({ length: workers }, (_, i) => {
  const folder = join(root, String(i))
  mkdirSync(folder)
  for (const part of ['src', 'test', 'samples', 'package.json', 'vitest.config.ts', 'tsconfig.json'])
    cpSync(part, join(folder, part), { recursive: true })
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'))
  return folder
})

if (await run(folders[0], ['test/ops'])) throw new Error('the tests fail without any mutation')
const queue = [...mutants]
const survivors = []
await Promise.all(
  folders.map(async (folder) => {
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const { file, line, name, what, text } = mutant
      const original = readFileSync(file, 'utf8')
      writeFileSync(join(folder, file), text)
      const killed = (await run(folder, ['test/ops'])) || (await run(folder, ['test/samples.test.ts', 'test/golden.test.ts']))
      writeFileSync(join(folder, file), original)
      if (!killed) survivors.push(mutant)
      console.log(`${killed ? 'killed  ' : 'SURVIVED'}  ${file}:${line}  ${name}: ${what.replaceAll(/\s+/g, ' ')}`)
    }
  }),
)
rmSync(root, { recursive: true, force: true })
console.log(`\n${mutants.length} mutants, ${mutants.length - survivors.length} killed, ${survivors.length} survived`)
process.exitCode = survivors.length > 0 ? 1 : 0
