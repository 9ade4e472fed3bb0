/** The built command, end to end. */
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { backproof } from './command.ts'

const residual = 'samples/residual.yaml'
const folder = mkdtempSync(join(tmpdir(), 'backproof-'))
const spec = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

test('prints the same bytes in every run', () => {
  const runs = [1, 2, 3].map(() => backproof(['derive', residual, '--steps']))
  expect(new Set(runs.map((r) => r.stdout)).size).toBe(1)
  expect(runs[0]).toMatchObject({ status: 0, stderr: '' })
  expect(runs[0]!.stdout).toContain('∂L/∂x = ∂L/∂y + W₁ᵀ ∂L/∂a')
})

test('JSON on the standard output is JSON and nothing else', () => {
  const { stdout, status } = backproof(['derive', residual, '--format', 'json'])
  const json = JSON.parse(stdout)
  expect(status).toBe(0)
  expect(Object.keys(json)).toEqual(expect.arrayContaining(['schema', 'name', 'loss', 'nodes', 'merges', 'fanOuts', 'gradients', 'where']))
  for (const g of json.gradients)
    expect(Object.keys(g)).toEqual(expect.arrayContaining(['of', 'role', 'shape', 'terms', 'text', 'latex', 'verified']))
  expect(json.gradients.find((g: { of: string }) => g.of === 'x').terms.map((t: { path: string[] }) => t.path)).toEqual([
    ['x', 'y'],
    ['x', 'a', 'u', 'F', 'y'],
  ])
})

test('what was not verified is not claimed', () => {
  const json = JSON.parse(backproof(['derive', residual, '--format', 'json', '--no-verify']).stdout)
  expect(json.gradients.every((g: { verified: unknown }) => g.verified === null)).toBe(true)
  expect(json.claims).toBeNull()
})

test('reads the standard input', () => {
  const { status, stdout } = backproof(['derive', '-'], readFileSync(residual, 'utf8'))
  expect(status).toBe(0)
  expect(stdout).toContain('fan-out x')
})

test('the built command reads the signs of pasted mathematics', () => {
  const layers = '  - u = W₁ @ x\n  - g = (u ≥ 0) × u − b\n  - y = tanh(g) ⊙ x · x ⋅ x + g^2 + (u ≤ 1) * (u ≠ 2) * u\n'
  const claims = '  - ∂L/∂b = −∂L/∂g\n  - ∂L/∂x = W₁ᵀ @ ∂L/∂u + ∂L/∂(x→y)\n  - ∂L/∂x = W₁⊤ @ ∂L/∂u + (∂(x × x^2)/∂x)ᵀ @ (tanh(g) × ∂L/∂y)\n'
  const spec = `inputs:\n  x: [n]\n  b: [n]\nparams:\n  W₁: [n, n]\nlayers:\n${layers}loss: L(y)\nclaims:\n${claims}`
  expect(backproof(['check', '-'], spec)).toMatchObject({ status: 0, stderr: '' })
})

test('survives a reader that closes the pipe', () => {
  const { status, stderr, stdout } = spawnSync('sh', ['-c', `node bin/backproof.js derive ${residual} | head -1`], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout.split('\n').length).toBe(2)
})

test('writes a whole file', () => {
  const path = join(folder, 'gradients.tex')
  const { status, stdout } = backproof(['derive', residual, '--format', 'latex', '-o', path])
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
  expect(readFileSync(path, 'utf8')).toMatch(/^\\begin\{align\*\}[\s\S]*\\end\{align\*\}\n$/)
  expect(readdirSync(folder).filter((f) => f.includes('.part'))).toEqual([])
})

test('colours a terminal only', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what is looked for
  const escapes = /\u001b\[/
  expect(backproof(['derive', residual]).stdout).not.toMatch(escapes)
  expect(backproof(['derive', residual], '', { FORCE_COLOR: '1' }).stdout).toMatch(escapes)
  expect(backproof(['derive', residual], '', { FORCE_COLOR: '1', NO_COLOR: '1' }).stdout).not.toMatch(escapes)
})

describe('exit status', () => {
  const wrong = spec('wrong.yaml', readFileSync(residual, 'utf8').replace('- dL/dW2 = outer(dL/dy, u)', '- dL/dW2 = outer(u, dL/dy)'))
  const half = spec(
    'half.yaml',
    readFileSync(residual, 'utf8').replace('- dL/dW2 = outer(dL/dy, u)', '- dL/dx = (dL/dy + W1.T @ dL/da) / 2'),
  )
  const broken = spec('broken.yaml', 'inputs:\n  x: [n]\nlayers:\n  - y = tahn(x)\nloss: L(y)\n')

  test('0 where all holds', () => expect(backproof(['check', residual]).status).toBe(0))

  test('1 for a claim that does not hold, with what is wrong', () => {
    expect(backproof(['check', wrong])).toMatchObject({ status: 1 })
    expect(backproof(['derive', wrong]).status).toBe(1)
    expect(backproof(['check', half]).stdout).toContain('off by ½: a sum copies the error, it does not average it')
  })

  test('2 for a wrong input; it outweighs 1', () => {
    const { status, stderr } = backproof(['derive', broken])
    expect(status).toBe(2)
    expect(stderr).toContain('broken.yaml:4:9  there is no operation tahn; did you mean tanh?')
    expect(backproof(['check', wrong, broken]).status).toBe(2)
    expect(backproof(['check', 'no-such-file.yaml']).status).toBe(2)
    expect(backproof(['derive', residual, '--form', 'short']).status).toBe(2)
    expect(backproof(['derive', residual, '--at', 'z']).status).toBe(2)
    expect(backproof(['derive', residual, '--set', 'n']).status).toBe(2)
    expect(backproof([]).status).toBe(2)
  })

  test('a missing term is named with its path', () => {
    const missing = spec('missing.yaml', readFileSync(residual, 'utf8').replace('  - not: dL/dx', '  - dL/dx'))
    const { stdout, status } = backproof(['check', missing, '--reporter', 'json'])
    const [file] = JSON.parse(stdout).files
    expect(status).toBe(1)
    expect(file.claims.at(-1)).toMatchObject({ verdict: 'refuted', ok: false, line: 17, column: 5, diagnosis: { kind: 'missing-term' } })
    expect(file.claims.at(-1).diagnosis.message).toBe('missing ∂L/∂y: the skip x → y: x is also a summand of y, so it is not a constant')
  })
})

test('the names of families and of indices are none of sizes', () => {
  for (const [name, what] of Object.entries({ z: 'a value', W: 'a value', l: 'an index', F: 'a function' }))
    expect(backproof(['derive', 'samples/residual-stack.yaml', '--set', `${name}=3`]).stderr).toContain(`${name} is ${what}, so`)
})

test('a name that is given twice is printed once', () => {
  const { stdout } = backproof(['derive', residual, '--at', 'x,x', '--no-verify'])
  expect(stdout).toBe(backproof(['derive', residual, '--at', 'x', '--no-verify']).stdout)
})

test.each(['samples/residual.yaml', 'samples/residual-stack.yaml'])('what has no entries is not compared: %s', (spec) => {
  const { status, stdout } = backproof(['check', spec, '--set', 'd=0'])
  expect(status).toBe(1)
  expect(stdout).toContain('not compared with differences, because it has no entries: ')
  expect(stdout).toContain('the sides have no entries')
  expect(stdout).not.toMatch(/does not hold|gradients agree/)
})

describe('what is asked for wrongly is answered with what would be right', () => {
  const answer = (...args: string[]) => backproof(['derive', residual, ...args])

  test.each([
    [['--at', 'loss'], 'The gradients are of: y, F, u, a, W2, W1, x'],
    [['--at', 'x,loss'], 'there is no node loss'],
    [['--set', 'q=3'], 'the spec has no size q'],
    [['--form', 'short'], 'Allowed choices are local, expanded, jacobian'],
    [['--format', 'pdf'], 'Allowed choices are text, latex, markdown, json'],
    [['--derivatives', 'none'], 'Allowed choices are symbol, explicit, output'],
    [['--set', 'n'], 'A size is given as n=3'],
    [['--set', 'd=2,d=3'], 'd is given twice'],
    [['--set', 'x=3'], 'x is a value, so no number can be set for it'],
    [['--set', 'relu=3'], 'relu is an operation, so no number can be set for it'],
    [['--set', 'L=3'], 'L is the loss, so no number can be set for it'],
    [['--set', 'loss=3'], 'the spec has no size loss'],
    [['--at', ''], 'Values are named as a, or a,b.'],
    [['--at', ','], 'Values are named as a, or a,b.'],
    [['--seed', '-1'], 'A seed is a whole number'],
    [['--fomr', 'local'], 'Did you mean --form?'],
    [['-o', 'no/such/folder/x.tex'], "can't be written"],
  ])('%s', (args, message) => {
    const { status, stdout, stderr } = answer(...args)
    expect(stderr).toContain(message)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  })

  test('a misspelt node', () => {
    const { stderr, status } = backproof(['derive', 'samples/highway.yaml', '--at', 'W_J'])
    expect(status).toBe(2)
    expect(stderr).toMatch(/there is no node W_J; did you mean W_[HT]\?/)
  })

  test('files that are none', () => {
    expect(backproof(['derive', 'samples'])).toMatchObject({ status: 2, stderr: expect.stringContaining('it is a folder') })
    expect(backproof(['derive', 'nowhere.yaml'])).toMatchObject({ status: 2, stderr: expect.stringContaining('there is no such file') })
    expect(backproof(['derive', '-'], '')).toMatchObject({ status: 2, stderr: expect.stringContaining('the file is empty') })
  })

  test('commands that are none', () => {
    expect(backproof(['drive', residual])).toMatchObject({ status: 2, stderr: expect.stringContaining('Did you mean derive?') })
    expect(backproof(['derive'])).toMatchObject({ status: 2, stderr: expect.stringContaining("missing required argument 'spec'") })
  })
})

test('help and version go to the standard output and are no fault', () => {
  for (const args of [['--help'], ['derive', '--help'], ['check', '--help'], ['--version']])
    expect(backproof(args)).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/\S/) })
})

describe.each(['text', 'latex', 'markdown', 'json'])('--format %s', (format) => {
  const output = (...more: string[]) => backproof(['derive', 'samples/highway.yaml', '--format', format, ...more])

  test('is the same in every run, and whole where it is written to a file', () => {
    const path = join(folder, `highway.${format}`)
    const { stdout, status, stderr } = output()
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(output().stdout).toBe(stdout)
    expect(output('-o', path)).toMatchObject({ status: 0, stdout: '' })
    expect(readFileSync(path, 'utf8')).toBe(stdout)
    expect(stdout.endsWith('\n')).toBe(true)
  })

  test('ends quietly where its reader goes away', () => {
    const command = `node bin/backproof.js derive samples/attention.yaml --format ${format} | head -1`
    expect(spawnSync('sh', ['-c', command], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  })
})

test('--at limits every format to what was asked for', () => {
  const json = JSON.parse(backproof(['derive', 'samples/highway.yaml', '--at', 'x,t', '--format', 'json']).stdout)
  expect(json.gradients.map((g: { of: string }) => g.of).sort()).toEqual(['t', 'x'])
  const { stdout } = backproof(['derive', 'samples/highway.yaml', '--at', 't'])
  expect(stdout).toContain('∂L/∂t = ')
  expect(stdout).not.toContain('∂L/∂W_H = ')
})

test('a seed changes the random points and nothing that is derived', () => {
  const of = (seed: string) =>
    backproof(['derive', residual, '--seed', seed])
      .stdout.split('\n')
      .filter((l) => !l.startsWith('✓'))
  expect(of('5')).toEqual(of('6'))
})

test('check reads several files, and says of each what holds', () => {
  const { stdout, status } = backproof(['check', residual, 'samples/highway.yaml', '--reporter', 'json'])
  const report = JSON.parse(stdout)
  expect(status).toBe(0)
  expect(report).toMatchObject({ schema: 'backproof/check/1', ok: true })
  expect(report.files.map((f: { file: string; ok: boolean }) => [f.file, f.ok])).toEqual([
    [residual, true],
    ['samples/highway.yaml', true],
  ])
  for (const { claims } of report.files) expect(claims.every((c: { ok: boolean }) => c.ok)).toBe(true)
})

test('the forms of the issue that started it all', () => {
  expect(backproof(['derive', 'samples/two-blocks.yaml', '--form', 'jacobian']).stdout).toContain(
    '∂L/∂x₀ = (I + ∂F₁/∂x₀)ᵀ (I + ∂F₂/∂x₁)ᵀ ∂L/∂x₂',
  )
  expect(backproof(['derive', 'samples/three-layers.yaml', '--form', 'expanded']).stdout).toContain('f′(z₂) ⊙ (w₃ᵀ (f′(z₃) ⊙')
  expect(backproof(['derive', residual, '--derivatives', 'explicit']).stdout).toContain('1[a>0]')
  expect(backproof(['derive', residual, '--set', 'd=4,h=3']).stdout).toContain('[3, 4]')
})

describe('README', () => {
  const readme = readFileSync('README.md', 'utf8')
  const lines = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)]
    .flatMap((m) => m[1]!.split('\n'))
    .filter((l) => /^(npx backproof|backproof|node bin\/backproof\.js) /.test(l))
    .map((l) => l.replace(/^(npx )?backproof /, 'node bin/backproof.js '))

  test('has commands to try', () => expect(lines.length).toBeGreaterThan(5))

  test.each(lines)('%s', (line) => {
    const expected = Number(/# exits (\d+)/.exec(line)?.[1] ?? 0)
    const command = line.replace(/ -o (\S+)/, ` -o ${folder}/out.tex`)
    expect(spawnSync('sh', ['-c', command], { encoding: 'utf8' }).status).toBe(expected)
  })

  test('shows what the command prints', () => {
    const picture = backproof(['derive', residual]).stdout.trimEnd()
    expect(readme).toContain(picture)
  })
})

test('a result is written through links, to devices as they are, and never over its own spec', () => {
  const own = spec('own.yaml', readFileSync(residual, 'utf8'))
  const self = backproof(['derive', own, '--no-verify', '-o', own])
  expect(self).toMatchObject({ status: 2, stdout: '' })
  expect(self.stderr).toContain("can't be written: it is the spec itself")
  expect(readFileSync(own, 'utf8')).toBe(readFileSync(residual, 'utf8'))

  const target = spec('target.txt', '')
  const link = join(folder, 'link.txt')
  symlinkSync(target, link)
  expect(backproof(['derive', own, '--no-verify', '-o', link]).status).toBe(0)
  expect(lstatSync(link).isSymbolicLink()).toBe(true)
  expect(readFileSync(target, 'utf8')).toContain('∂L/∂x')

  expect(backproof(['derive', own, '--no-verify', '-o', '/dev/null']).status).toBe(0)
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
  expect(backproof(['derive', own, '-o', folder]).stderr).toContain("can't be written: it is a folder")
})

test('the attributes of an activation reach the derivative of a formula', () => {
  const leaky = spec(
    'leaky.yaml',
    'inputs:\n  x: [n]\nfunctions:\n  f(t): t * leaky_relu(t, 0.3)\n  h(t): elu(t, alpha=0.5)\nlayers:\n  - y = f(x) + h(x)\nloss: L(y)\n',
  )
  expect(backproof(['derive', leaky])).toMatchObject({ status: 0, stderr: '' })
})

test('numbers beside each other are set apart, and products read from the left need no parentheses', () => {
  const spec = 'inputs:\n  x: [n]\n  y: [n]\nlayers:\n  - a = 2 * x * 3 * y\n  - b = x * x * x * y + (2/n) * a\nloss: L(b)\n'
  const { stdout } = backproof(['derive', '-', '--no-verify'], spec)
  expect(stdout).toContain('a = (3·2 x) ⊙ y')
  expect(stdout).toContain('b = x ⊙ x ⊙ x ⊙ y + ')
  expect(backproof(['derive', '-', '--no-verify', '--format', 'latex'], spec).stdout).toContain('(3 \\cdot 2 x) \\odot y')
})

test('JSON has the gradients that are zero because no way leads back, too', () => {
  const spec = 'inputs:\n  x: [n]\n  u: [n]\nparams:\n  V: [n, n]\nlayers:\n  - y = tanh(x)\n  - q = V @ u\nloss: L(y)\n'
  const zero = { terms: [], text: '0', latex: '0', given: false, verified: null }
  const { gradients } = JSON.parse(backproof(['derive', '-', '--format', 'json'], spec).stdout)
  expect(gradients.slice(-2)).toMatchObject([
    { of: 'u', role: 'input', shape: ['n'], ...zero },
    { of: 'V', role: 'param', shape: ['n', 'n'], ...zero },
  ])
  expect(JSON.parse(backproof(['derive', '-', '--format', 'json', '--at', 'u'], spec).stdout).gradients).toMatchObject([
    { of: 'u', ...zero },
  ])
})

test.skipIf(!existsSync('/dev/full'))('output that can not be written is told, and ends with 2', () => {
  for (const args of [['derive', residual], ['check', residual], ['paths', residual], ['--help']]) {
    const full = openSync('/dev/full', 'w')
    const { status, stderr } = spawnSync(process.execPath, ['bin/backproof.js', ...args], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    })
    closeSync(full)
    expect({ status, stderr }).toEqual({ status: 2, stderr: "the output can't be written: ENOSPC\n" })
  }
})
