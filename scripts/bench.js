/**
 * Measures the whole command, start-up included, against an empty Node process: `npm run bench`. Times are medians of
 * runs that alternate with `node -e 0`, so that a slow machine slows both. With --check the exit status is 1 when a
 * budget is exceeded.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const repetitions = 7
const folder = mkdtempSync(join(tmpdir(), 'backproof-bench-'))
const spec = (kind, n) => {
  const path = join(folder, `${kind}-${n}.yaml`)
  const { stdout } = spawnSync(process.execPath, ['scripts/generate.js', kind, String(n)], { maxBuffer: 2 ** 28 })
  writeFileSync(path, stdout)
  return path
}

/** A child tells its processor time and peak memory as it ends. */
const meter = join(folder, 'meter.cjs')
writeFileSync(meter, "process.on('exit', () => require('node:fs').writeSync(3, JSON.stringify(process.resourceUsage())))\n")

const derive = (...args) => ['bin/backproof.js', 'derive', ...args]
const floor = { name: 'node -e 0', args: ['-e', '0'] }
const small = { name: 'derive samples/residual.yaml', args: derive('samples/residual.yaml'), budget: 2.5 }
const chain256 = { name: 'chain 256, --no-verify', args: derive(spec('chain', 256), '--no-verify'), budget: 8 }
const chain1024 = { name: 'chain 1024, --no-verify', args: derive(spec('chain', 1024), '--no-verify'), budget: 8 }
const verified = { name: 'chain 1024, verified', args: derive(spec('chain', 1024)) }
const jobs = [floor, small, chain256, chain1024, verified]
/** Four times the blocks should cost four times the time, start-up left out. */
const growthBudget = 4.4

/** One run: milliseconds of wall and processor time, and peak memory in megabytes. */
function run({ name, args }) {
  const output = openSync(join(folder, 'output'), 'w')
  const usage = openSync(join(folder, 'usage'), 'w')
  const begin = process.hrtime.bigint()
  const { status, stderr } = spawnSync(process.execPath, ['-r', meter, ...args], { stdio: ['ignore', output, 'pipe', usage] })
  const wall = Number(process.hrtime.bigint() - begin) / 1e6
  closeSync(output)
  closeSync(usage)
  if (status !== 0) throw new Error(`${name} ended with status ${status}:\n${stderr}`)
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(readFileSync(join(folder, 'usage'), 'utf8'))
  return { wall, cpu: (userCPUTime + systemCPUTime) / 1000, memory: maxRSS / 1024 }
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]

function measure() {
  const runs = new Map(jobs.map((job) => [job, []]))
  for (const job of jobs) run(job)
  for (let i = 0; i < repetitions; i++) for (const job of jobs) runs.get(job).push(run(job))
  return new Map(jobs.map((job) => [job, summary(runs.get(job))]))
}

const summary = (runs) => Object.fromEntries(['wall', 'cpu', 'memory'].map((key) => [key, median(runs.map((r) => r[key]))]))

const verdict = (value, budget) => (budget === undefined ? '' : value <= budget ? 'ok' : 'over')

function table(results) {
  const base = results.get(floor).wall
  const rows = [...results].map(([{ name, budget }, { wall, cpu, memory }]) => {
    const ratio = wall / base
    return [name, wall.toFixed(0), cpu.toFixed(0), memory.toFixed(0), ratio.toFixed(2), budget?.toFixed(1) ?? '', verdict(ratio, budget)]
  })
  const growth = (results.get(chain1024).wall - base) / (results.get(chain256).wall - base)
  rows.push(['growth, chain 256 → 1024', '', '', '', growth.toFixed(2), growthBudget.toFixed(1), verdict(growth, growthBudget)])
  return [['', 'wall ms', 'cpu ms', 'peak MB', 'ratio', 'budget', ''], ...rows]
}

function printed(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)))
  const aligned = (cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))
  return rows.map((row) => row.map(aligned).join('  ').trimEnd()).join('\n')
}

try {
  const rows = table(measure())
  process.stdout.write(`${printed(rows)}\n`)
  if (process.argv.includes('--check') && rows.some((row) => row.at(-1) === 'over')) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
