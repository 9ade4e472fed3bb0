/** Bundles the command and the library into dist/, compiles the command, and writes the JSON Schema of specs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
rmSync('dist', { recursive: true, force: true })

const common = {
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  minify: true,
  legalComments: 'none',
  define: { VERSION: JSON.stringify(version) },
  logLevel: 'warning',
}
/** Commander can start other programs, which this command never does; to load what that takes costs a twentieth of a small derivation. */
const withoutProcesses = {
  name: 'without processes',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ path }) => ({ path, namespace: 'without-processes' }))
    onLoad({ filter: /.*/, namespace: 'without-processes' }, () => ({ contents: 'module.exports = {}' }))
  },
}
await build({
  ...common,
  entryPoints: { index: 'src/index.ts' },
  splitting: true,
  format: 'esm',
  banner: { js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);" },
})
/** Packages that few specs need stand in files of their own beside the command, which reads them when it needs them. */
const rare = ['mathjs', 'yaml']
const apart = {
  name: 'rare packages apart',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(${rare.join('|')})$`) }, ({ path }) => ({ path: `./${path}.cjs`, external: true }))
  },
}
const command = { ...common, format: 'cjs', outExtension: { '.js': '.cjs' } }
/** The command is one function, which `bin/load.js` calls. */
const asFunction = { banner: { js: '(function (module, require) {' }, footer: { js: '})' } }
await build({ ...command, ...asFunction, entryPoints: { cli: 'src/cli/main.ts' }, plugins: [withoutProcesses, apart] })
await build({ ...command, entryPoints: Object.fromEntries(rare.map((name) => [name, name])) })
requireAscii('dist/cli.cjs')
await compile()

const { documentSchema } = await import('../dist/index.js')
writeFileSync('dist/backproof.schema.json', `${JSON.stringify(documentSchema(), null, 2)}\n`)

/** `bin/load.js` reads one byte as one character. Strings are escaped, but patterns and templates stay as they were written. */
function requireAscii(file) {
  const [found] = /[^\0-\x7f].{0,20}/.exec(readFileSync(file, 'utf8')) ?? []
  if (found) throw new Error(`${file} has characters beyond ASCII: ${found}`)
}

/** Runs the command on some samples, and keeps what V8 has compiled for that. */
async function compile() {
  const { load } = createRequire(import.meta.url)('../bin/load.js')
  const { main, compiled } = load()
  const folder = mkdtempSync(join(tmpdir(), 'backproof-build-'))
  for (const sample of ['residual', 'highway', 'softmax-regression'])
    await main(['node', 'backproof', 'derive', `samples/${sample}.yaml`, '-o', join(folder, sample)])
  writeFileSync('dist/cli.cache', compiled())
  rmSync(folder, { recursive: true })
}
