/**
 * A mutation campaign on the gradient rules: each mutant breaks one rule in a copy of the tree (a transpose or a sign
 * dropped, a factor or a term left out, an axis or a constant changed, arguments swapped), and the tests must notice.
 * Of all files in src/ops, or of those that are named: npm run mutate -- softmax attention. With --every 3 only each third
 * mutant of a file is made.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { mutantsIn } from './mutants.js'

const workers = 2
/** What is run on a mutant, one after the other, until something fails. */
const suites = [['test/ops'], ['test/samples']]

/** Most mutants are noticed by the tests of the operations in their file, which are bound to be among the names in it. */
const ownTests = (text) => ['test/ops/operations.test.ts', '-t', `^(${[...new Set(text.match(/(?<=')\w+(?=')/g))].join('|')}) `]

const options = process.argv.slice(2)
const everyAt = options.indexOf('--every')
const every = everyAt < 0 ? 1 : Number(options.splice(everyAt, 2)[1])

const root = mkdtempSync(join(tmpdir(), 'backproof-mutants-'))
const copies = Array.from({ length: workers }, (_, i) => copyOfTree(join(root, String(i))))

try {
  await campaign()
} finally {
  rmSync(root, { recursive: true, force: true })
}

/** A copy that mutants can be written into; what they are made of is a copy, too, so that nobody's edits get between. */
function copyOfTree(folder) {
  mkdirSync(folder)
  for (const part of ['src', 'test', 'samples', 'package.json', 'tsconfig.json']) cpSync(part, join(folder, part), { recursive: true })
  // the suites work on the sources: nothing needs to be built
  writeFileSync(join(folder, 'vitest.config.js'), "export default { test: { include: ['test/**/*.test.ts'], testTimeout: 120_000 } }\n")
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'))
  return folder
}

async function campaign() {
  const start = Date.now()
  const [first] = copies
  for (const suite of suites) if (await fails(first, suite)) throw new Error(`${suite} fails without any mutation`)
  const mutants = mutantsIn(join(first, 'src/ops'), options)
    .filter((_, i) => i % every === 0)
    .map((m) => ({ ...m, file: relative(first, m.file) }))
  const queue = [...mutants]
  const results = []
  await Promise.all(
    copies.map(async (folder) => {
      for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
        const killer = await killerOf(mutant, folder)
        results.push({ ...mutant, killer })
        console.log(`${killer ? 'killed  ' : 'SURVIVED'}  ${mutant.file}:${mutant.line}  ${mutant.kind}: ${mutant.what}`)
      }
    }),
  )
  console.log(`\n${table(results)}\n\n${Math.round((Date.now() - start) / 1000)} s`)
  process.exitCode = results.every((r) => r.killer) ? 0 : 1
}

/** The suite that notices a mutant, if one does. */
async function killerOf({ file, text }, folder) {
  const path = join(folder, file)
  const original = readFileSync(path, 'utf8')
  writeFileSync(path, text)
  try {
    for (const suite of [ownTests(original), ...suites]) if (await fails(folder, suite)) return suite[0]
    return undefined
  } finally {
    writeFileSync(path, original)
  }
}

function fails(folder, tests) {
  const options = ['run', '--bail', '1', '--pool', 'threads', '--maxWorkers', '1', '--no-isolate']
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...options, ...tests], { cwd: folder, stdio: 'ignore' })
    child.on('close', (status) => resolve(status !== 0))
  })
}

/** Killed and survived for each kind of mutation, and the sums. */
function table(results) {
  const kinds = [...new Set(results.map((r) => r.kind))].sort()
  const count = (of) => [of.length, of.filter((r) => r.killer).length, of.filter((r) => !r.killer).length]
  const rows = [...kinds.map((kind) => [kind, ...count(results.filter((r) => r.kind === kind))]), ['all', ...count(results)]]
  return [['mutation', 'mutants', 'killed', 'survived'], ...rows]
    .map(([kind, ...numbers]) => kind.padEnd(26) + numbers.map((n) => String(n).padStart(9)).join(''))
    .join('\n')
}
