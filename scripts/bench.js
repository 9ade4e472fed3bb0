/**
 * Measures the whole command, start-up included, against an empty Node process: `npm run bench`. Times are medians of
 * runs that alternate with `node -e 0`, so that a slow machine slows both. With --check the exit status is 1 when a
 * budget is exceeded; with --quick the longest jobs are left out.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const quick = process.argv.includes('--quick')
/** Rounds of everything; what takes long is run in the first ones only. */
const rounds = 7
const roundsOf = ({ long }) => (long ? 2 : rounds)

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
const unverified = (kind, n, more = {}) => ({ name: `${kind} ${n}, --no-verify`, args: derive(spec(kind, n), '--no-verify'), n, ...more })

const floor = { name: 'node -e 0', args: ['-e', '0'] }
const small = { name: 'derive samples/residual.yaml', args: derive('samples/residual.yaml'), budget: 2.5 }
const chains = [16, 64, 256, 1024, 4096, 16384]
  .filter((n) => !quick || n <= 1024)
  .map((n) => unverified('chain', n, { budget: { 1024: 6, 16384: 45 }[n], memoryBudget: 1536, long: n > 1024 }))
const chain = (n) => chains.find((job) => job.n === n)
const verified = { name: 'chain 1024, verified', args: derive(spec('chain', 1024)) }
const others = [
  ['gpt', 96],
  ['resnet', 152],
  ['diamond', 1000],
  ['nest', 50],
  ['fanout', 10_000],
].map(([kind, n]) => unverified(kind, n, { long: true }))
const jobs = [floor, small, ...chains, verified, ...(quick ? [] : others)]

/** One run: milliseconds of wall and processor time, peak memory and output in megabytes. */
function run({ name, args }) {
  const [written, usage] = [join(folder, 'output'), join(folder, 'usage')]
  const [output, told] = [openSync(written, 'w'), openSync(usage, 'w')]
  const begin = process.hrtime.bigint()
  const { status, stderr } = spawnSync(process.execPath, ['-r', meter, ...args], { stdio: ['ignore', output, 'pipe', told] })
  const wall = Number(process.hrtime.bigint() - begin) / 1e6
  closeSync(output)
  closeSync(told)
  if (status !== 0) throw new Error(`${name} ended with status ${status}:\n${stderr}`)
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(readFileSync(usage, 'utf8'))
  return { wall, cpu: (userCPUTime + systemCPUTime) / 1000, memory: maxRSS / 1024, size: statSync(written).size / 2 ** 20 }
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]

function measure() {
  const runs = new Map(jobs.map((job) => [job, []]))
  run(floor)
  for (let i = 0; i < rounds; i++) for (const job of jobs) if (i < roundsOf(job)) runs.get(job).push(run(job))
  return new Map(jobs.map((job) => [job, summary(runs.get(job))]))
}

const summary = (runs) => Object.fromEntries(['wall', 'cpu', 'memory', 'size'].map((key) => [key, median(runs.map((r) => r[key]))]))

const verdict = (value, budget) => (budget === undefined ? '' : value <= budget ? 'ok' : 'over')

const heading = ['', 'wall ms', 'cpu ms', 'peak MB', 'output MB', 'ratio', 'budget', '']

function table(results) {
  const base = results.get(floor).wall
  const rows = [...results].map(([{ name, budget, memoryBudget }, { wall, cpu, memory, size }]) => {
    const ratio = wall / base
    const isOver = verdict(ratio, budget) === 'over' || verdict(memory, memoryBudget) === 'over'
    const figures = [wall.toFixed(0), cpu.toFixed(0), memory.toFixed(0), size.toFixed(2), ratio.toFixed(2)]
    return [name, ...figures, budget?.toFixed(1) ?? '', budget === undefined ? '' : isOver ? 'over' : 'ok']
  })
  return [heading, ...rows, ...growth(results, base)]
}

/** How figures grow with the number of blocks: times without start-up, and exponents of powers. */
function growth(results, base) {
  const own = (job, key) => results.get(job)[key] - (key === 'wall' ? base : 0)
  const line = (name, value, budget) => [name, '', '', '', '', value.toFixed(2), budget.toFixed(1), verdict(value, budget)]
  const exponent = (key, from, to) => Math.log(own(to, key) / own(from, key)) / Math.log(to.n / from.n)
  const last = chains.at(-1)
  const verification = results.get(verified).wall / results.get(chain(1024)).wall
  return [
    line('time, chain 256 → 1024, times', own(chain(1024), 'wall') / own(chain(256), 'wall'), 4.4),
    line(`time, exponent 1024 → ${last.n}`, last.n > 1024 ? exponent('wall', chain(1024), last) : exponent('wall', chain(256), last), 1.1),
    line(`output, exponent 256 → ${last.n}`, exponent('size', chain(256), last), 1.1),
    line(`peak memory, exponent 256 → ${last.n}`, exponent('memory', chain(256), last), 1.1),
    line('verified against unverified, times', verification, 3),
  ]
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
