/** The spec file: what it is read as, and what is answered to everything that YAML makes of it against its writer's will. */
import { describe, expect, test } from 'vitest'
import { Failure } from '../../src/diagnostic.ts'
import { type Document, documentOf, documentSchema, type Text } from '../../src/network/document.ts'
import { readPlain } from '../../src/network/plain.ts'
import { parseYaml } from '../../src/network/yaml.ts'

const read = (text: string): Document => {
  const source = { name: 'spec.yaml', text }
  return documentOf(readPlain(text) ?? parseYaml(source), source)
}

/** Each fault as its message, its hint and the piece of the source that it points at. */
function faults(text: string): (readonly [message: string, hint: string | undefined, at: string | undefined])[] {
  try {
    read(text)
    return []
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return error.diagnostics.map(({ message, hint, span }) => [message, hint, span && text.slice(span.start, span.end)])
  }
}

const spec = (more = '', layer = 'y = x', loss = 'L(y)'): string => `inputs:\n  x: [n]\nlayers:\n  - ${layer}\nloss: ${loss}\n${more}`
const texts = (all: readonly Text[] | undefined): readonly string[] | undefined => all?.map(({ text }) => text)

/** Every exact text of a document. */
function textsIn(value: unknown): Text[] {
  if (typeof value !== 'object' || value === null) return []
  if ('exact' in value) return [value as Text]
  return Object.values(value).flatMap(textsIn)
}

describe('a spec', () => {
  const full = `name: Residual block
about: 'He et al.: 2015'
dims: {d: 64, N: 3}
inputs:
  s[1:T+1]: [m]
  Y: {shape: [n, k], is: one_hot}
params:
  W[l in range(N)]: [k, d + l*k]
  enc: Block
constants:
  eps: 1e-5
  v: {shape: [2], value: [1, 2]}
assume:
  - h > 0
functions:
  swish(t): t / (1 + exp(-t))
  F(x): opaque [m]
  grl(x): {value: x, vjp: -lam * g}
modules:
  Block(x):
    params: {W1: [h, d]}
    layers:
      - y = relu(W1 @ x)
    returns: [y, h]
layers:
  - z[0] = enc(x)
  - for l in range(N):
      - for k in range(2):
          - z[l+1] = z[l]
loss: half_sse(z, t)
claims:
  - dL/dx = relu'(a) * dL/dy
  - not: dL/dx = 0   # remark
  - claim: dL/dx = q
    where: {q: 2 * x}
    for: t in range(1, N)
  - latex: '\\nabla x'
  - not: {latex: '\\frac{a}{b}'}
  - for t in range(1, N): dL/dh[t] = 0
notation:
  W1: '\\mathbf{W}^{(1)}'
`
  const document = read(full)

  test('is read with all its keys', () => {
    expect(document.name?.text).toBe('Residual block')
    expect(document.dims.map(({ name, value }) => [name.text, value])).toEqual([
      ['d', 64],
      ['N', 3],
    ])
    expect(document.inputs.map(({ name, shape, is }) => [name.text, texts(shape), is?.text])).toEqual([
      ['s[1:T+1]', ['m'], undefined],
      ['Y', ['n', 'k'], 'one_hot'],
    ])
    expect(document.params.map(({ name, shape, module }) => [name.text, texts(shape), module?.text])).toEqual([
      ['W[l in range(N)]', ['k', 'd + l*k'], undefined],
      ['enc', undefined, 'Block'],
    ])
    expect(document.constants.map(({ name, value }) => [name.text, value])).toEqual([
      ['eps', 1e-5],
      ['v', [1, 2]],
    ])
    expect(texts(document.assume)).toEqual(['h > 0'])
    expect(document.functions.map(({ head, body }) => [head.text, 'text' in body ? body.text : body.vjp.text])).toEqual([
      ['swish(t)', 't / (1 + exp(-t))'],
      ['F(x)', 'opaque [m]'],
      ['grl(x)', '-lam * g'],
    ])
    expect(document.modules.map((m) => [m.head.text, m.params[0]?.name.text, m.layers.length, texts(m.returns)])).toEqual([
      ['Block(x)', 'W1', 1, ['y', 'h']],
    ])
    expect(document.notation.map(({ name, latex }) => [name.text, latex.text])).toEqual([['W1', '\\mathbf{W}^{(1)}']])
  })

  test('keeps loops in loops', () => {
    const loop = document.layers[1]!
    const inner = loop.kind === 'for' ? loop.body[0]! : loop
    expect([loop, inner].map((l) => l.kind === 'for' && l.header.text)).toEqual(['l in range(N)', 'k in range(2)'])
    expect(inner.kind === 'for' && inner.body.map((l) => l.kind === 'equation' && l.text.text)).toEqual(['z[l+1] = z[l]'])
  })

  test('has claims of every form', () => {
    expect(
      document.claims.map((c) => [c.form, c.text.text, c.negated, c.for?.text, c.where.map((b) => `${b.name.text}: ${b.value.text}`)]),
    ).toEqual([
      ['spec', "dL/dx = relu'(a) * dL/dy", false, undefined, []],
      ['spec', 'dL/dx = 0', true, undefined, []],
      ['spec', 'dL/dx = q', false, 't in range(1, N)', ['q: 2 * x']],
      ['latex', '\\nabla x', false, undefined, []],
      ['latex', '\\frac{a}{b}', true, undefined, []],
      ['spec', 'dL/dh[t] = 0', false, 't in range(1, N)', []],
    ])
  })

  test('knows where each of its texts stands', () => {
    const all = new Set(textsIn(document))
    expect(all.size).toBe(50)
    for (const { text, start, end, exact } of all) {
      expect(exact).toBe(true)
      expect(full.slice(start, end)).toBe(text)
    }
  })

  test.each([
    ['a folded text', '>-\n      y = x\n      + 1', 'y = x + 1'],
    ['a text over two lines', 'y = x +\n      1', 'y = x + 1'],
    ['an escape', '"y = \\u0078"', 'y = x'],
    ['a doubled quote', "'y = relu''(x)'", "y = relu'(x)"],
  ])('knows only the whole place of %s', (_, written, meant) => {
    const text = spec('', written)
    const [first] = read(text).layers
    const found = first?.kind === 'equation' ? first.text : undefined
    expect(found).toMatchObject({ text: meant, exact: false })
    expect(text.slice(found!.start, found!.end).trimEnd()).toBe(written)
  })

  test('may be JSON, have CRLF line ends, or a byte order mark', () => {
    const json = read(JSON.stringify({ inputs: { x: ['n', 3] }, layers: ['y = x[0: n]'], loss: 'L(y)' }))
    expect(texts(json.inputs[0]?.shape)).toEqual(['n', '3'])
    for (const text of [spec().replaceAll('\n', '\r\n'), `\ufeff${spec()}`]) {
      const { start, end } = read(text).loss
      expect(text.slice(start, end)).toBe('L(y)')
    }
  })

  test('takes y, no and numbers for the names that they look like, whatever version of YAML it asks for', () => {
    const names = (text: string) => read(text).params.map(({ name }) => name.text)
    expect(names(spec('params: {y: [n], no: [], on: [], 1e5: [], "null": []}\n'))).toEqual(['y', 'no', 'on', '1e5', 'null'])
    expect(names(`%YAML 1.1\n---\n${spec('params: {y: [n], no: []}\n')}`)).toEqual(['y', 'no'])
  })

  test('may leave optional keys empty', () => {
    expect(read(spec('name:\nclaims:\nparams:\n'))).toMatchObject({ name: undefined, claims: [], params: [] })
  })
})

describe('faults of form', () => {
  const known = 'known keys: name, about, dims, inputs, params, constants, assume, functions, modules, layers, loss, claims, notation'
  const once = (n: number) => `It is already defined in line ${n}; every name has one definition.`

  test('are all reported', () => {
    expect(faults('input: {}\ndims: {d: 2.5}\nconstructor: 1\nlayers: y = x\n')).toEqual([
      ['the spec has no key input; did you mean inputs?', undefined, 'input'],
      ['d should be a whole number from 0, but is 2.5', undefined, '2.5'],
      ['the spec has no key constructor', known, 'constructor'],
      ['layers should be a list of equations, but is "y = x"', 'A list has one item a line, each after "- ".', 'y = x'],
      ['the spec needs loss', 'A scalar such as half_sse(y, t), or L(y) for an unknown one.', ''],
    ])
  })

  test.each<[string, string, ReturnType<typeof faults>]>([
    [
      'a word for is',
      spec('constants:\n  Y: {shape: [n], is: onehot}\n'),
      [['is: should be one of one_hot, mask, sign, simplex, positive, index(k), but is onehot', 'Did you mean one_hot?', 'onehot']],
    ],
    [
      'index alone',
      spec('constants:\n  Y: {shape: [n], is: index}\n'),
      [['is: should be one of one_hot, mask, sign, simplex, positive, index(k), but is index', 'Did you mean index(k)?', 'index']],
    ],
    [
      'a value of an input',
      'inputs:\n  x: {value: 3}\nlayers: []\nloss: x\n',
      [['a declaration has no key value', 'known keys: shape, is', 'value']],
    ],
    [
      'a number as a parameter',
      spec('params:\n  W: 5\n'),
      [['W should be a shape, such as [n, k], or [] for a scalar, but is 5', undefined, '5']],
    ],
    [
      'two kinds of a claim',
      spec('claims:\n  - {claim: a, not: b}\n'),
      [['a claim should be exactly one of claim, not, latex, but is claim and not', undefined, '{claim: a, not: b}']],
    ],
    [
      'no kind of a claim',
      spec('claims:\n  - where: {q: x}\n'),
      [['a claim should be exactly one of claim, not, latex, but is none', undefined, 'where: {q: x}']],
    ],
    [
      'a misspelt kind of a claim',
      spec('claims:\n  - nott: dL/dx = 0\n'),
      [['a claim has no key nott; did you mean not?', undefined, 'nott']],
    ],
    ['an empty claim', spec('claims:\n  - not:\n'), [['not should be an equation, but is empty', undefined, '']]],
    [
      'a loop without equations',
      spec('', 'for l in range(N):\n  - y = x'),
      [['the loop should be a list of equations, but is empty', 'Indent its equations further than the word for.', '']],
    ],
    [
      'a loop without a colon',
      spec('', 'for l in range(N)'),
      [['a loop should be for l in range(N): with its equations below, but is without the colon', undefined, 'for l in range(N)']],
    ],
    ['a key that comes twice', spec('loss: L(x)\n'), [['loss is defined twice', once(5), 'loss']]],
    ['a name that comes twice', spec('params:\n  W: [n]\n  "W": [n]\n'), [['W is defined twice', once(7), 'W']]],
    [
      'null as a name',
      spec('params:\n  null: [n]\n'),
      [['a key of params should be a name, but is null', 'Quote it if it is meant as a name.', 'null']],
    ],
    [
      'true as a name',
      spec('params:\n  true: [n]\n'),
      [['a key of params should be a name, but is true', 'Quote it if it is meant as a name.', 'true']],
    ],
    ['no file', ' \n', [['the file is empty', 'A spec needs inputs, layers and a loss; `backproof derive --help` shows one.', '']]],
    ['remarks alone', '# a\n', [['the file is empty', 'A spec needs inputs, layers and a loss; `backproof derive --help` shows one.', '']]],
  ])('%s', (_, text, answer) => expect(faults(text)).toEqual(answer))
})

describe("YAML's traps", () => {
  const comment = 'YAML reads what follows " #" as a comment, so the line is cut short'
  const commas = 'in brackets YAML splits at commas, also within parentheses'
  const braces = (part: string) => `in braces YAML splits at commas, so ${part} became a key of its own`
  const block = 'Write one entry a line, without braces.'
  const nothingAfter = (c: string, kind: string) => `YAML reads what starts with ${c} as ${kind}, and nothing may follow it`
  const control = 'double quotes turn a backslash and a letter into a control character'

  test.each<[string, string, ReturnType<typeof faults>]>([
    [
      'a slice',
      spec('', 'y = x[0: n]  # remark'),
      [['an item of layers contains ": ", so YAML reads it as a map', "quote it: 'y = x[0: n]'", 'y = x[0: n]']],
    ],
    [
      'a claim with a colon',
      spec("claims:\n  - dL/dx: relu'(a)\n"),
      [['an item of claims contains ": ", so YAML reads it as a map', 'quote it: "dL/dx: relu\'(a)"', "dL/dx: relu'(a)"]],
    ],
    [
      'a colon in a value',
      spec('', 'y = x', 'sum(y[0: n]) # remark'),
      [['the value of loss contains ": "', "quote it: loss: 'sum(y[0: n])'", 's']],
    ],
    [
      'a colon under not',
      spec('claims:\n  - not: dL/dx = x[0: n]\n'),
      [['the value of not contains ": "', "quote it: - not: 'dL/dx = x[0: n]'", 'd']],
    ],
    ['a cut equation', spec('', 'z = y #2'), [[comment, "quote it: 'z = y #2'", ' #2']]],
    ['a cut name', spec('name: Residual #2\n'), [[comment, "quote it: 'Residual #2'", ' #2']]],
    ['a name that is cut away', spec('name: #2\n'), [[comment, "quote it: '#2'", ' #2']]],
    [
      'a list split at a comma',
      spec('claims: [dL/dx = f(a, b), dL/dy = 1]\n'),
      [[commas, "quote it: 'dL/dx = f(a, b)'", 'dL/dx = f(a, b)']],
    ],
    ['a map split at a comma', spec('params: {W: [h, d], f(x, y): opaque}\n'), [[braces('f(x'), block, 'f(x']]],
    ['a claim split at a comma', spec('claims: [{not: dL/dx = f(a, b)}]\n'), [[braces('b)'), block, 'b)']]],
    [
      'a minus',
      spec('', 'y = x', '- sum(x)'),
      [['YAML reads "- " as the start of a list, so the value of loss is lost', "quote it: loss: '- sum(x)'", '-']],
    ],
    [
      'a minus in a list',
      spec('', '- sum(x)'),
      [['an item of layers starts with "- ", so YAML reads it as a list', "quote it: '- sum(x)'", '- sum(x)']],
    ],
    ['\\nabla in double quotes', spec('notation:\n  x: "\\nabla"\n'), [[control, "quote it: '\\nabla'", '"\\nabla"']]],
    ['\\frac in a claim', spec('claims:\n  - not: {latex: "\\frac12"}\n'), [[control, "quote it: '\\frac12'", '"\\frac12"']]],
    [
      '\\mathbf in double quotes',
      spec('notation:\n  x: "\\mathbf{x}"\n'),
      [['in double quotes \\m is an escape that YAML does not know', "quote it: '\\mathbf{x}'", '\\']],
    ],
    ['a list on the left', spec('', '[a, b] = f(x)'), [[nothingAfter('[', 'a list'), "quote it: '[a, b] = f(x)'", '= f(x)']]],
    ['a quoted name on the left', spec('', "'y' = x"), [[nothingAfter("'", 'a quoted text'), 'quote it: "\'y\' = x"', '= x']]],
  ])('%s', (_, text, answer) => expect(faults(text)).toEqual(answer))

  test.each(['dL/dx = 0   # remark', 'dL/dx = 0 # 2', 'dL/dx = 0   #remark', "'dL/dx = 0' #2"])('%s is no trap', (claim) => {
    const [only] = read(spec(`claims:\n  - ${claim}\n`)).claims
    expect(only?.text.text).toBe('dL/dx = 0')
  })

  test('a block of LaTeX has line ends', () => {
    expect(read(spec('claims:\n  - latex: |\n      a\n      = b\n')).claims[0]?.text.text).toBe('a\n= b\n')
  })
})

describe('faults of syntax', () => {
  const invalid = (reason: string) => `this is not valid YAML: ${reason}`
  const quote = (c: string) => `Quote the value if the ${c} belongs to it.`

  test.each<[string, string, ReturnType<typeof faults>]>([
    ['a star', 'inputs:\n  x: [n, *]\n', [[invalid('* starts an alias in YAML'), 'Quote the value if the * is meant as a product.', '*']]],
    [
      'an alias',
      spec('params:\n  W: [n, *k]\n'),
      [[invalid('*k is an alias, which specs do not have'), 'Write the value out, or quote it if the * is meant as a product.', '*k']],
    ],
    ['a tag', spec('', '!y'), [[invalid('!y is a tag, which specs do not have'), quote('!'), '!y']]],
    ['an anchor', spec('', '&y'), [[invalid('&y is an anchor, which specs do not have'), quote('&'), '&y']]],
    ['a tab', 'inputs:\n\tx: [n]\n', [[invalid('a tab is used as indentation'), 'Indent with spaces.', '\t']]],
    ['a tab in braces', 'inputs: {\n\tx: [n]\n}\n', [[invalid('a tab is used as indentation'), 'Indent with spaces.', '\t']]],
    [
      'no space after a colon',
      spec('name:Residual\n'),
      [[invalid('a colon without a space after it ends no key'), 'Write  name: Residual', 'name:Residual']],
    ],
    ['two documents', `${spec()}---\na: 1\n`, [[invalid('a second document starts here (---)'), 'A spec is one document.', 'a: 1\n']]],
    [
      'several',
      'inputs:\n  x: [n, *]\n  y: [n\nloss: "abc\n',
      [
        [invalid('* starts an alias in YAML'), 'Quote the value if the * is meant as a product.', '*'],
        [invalid('a bracket that was opened above is not closed'), undefined, 'l'],
        [invalid('a quote that is opened here is never closed'), undefined, '"abc'],
      ],
    ],
  ])('%s', (_, text, answer) => expect(faults(text)).toEqual(answer))
})

describe('bounds', () => {
  const deep = 'this is not valid YAML: it is nested more than 200 deep'
  const repeated = (n: number, line: (i: number) => string) => Array.from({ length: n }, (_, i) => line(i)).join('')
  const timed = (work: () => void): number => {
    const start = performance.now()
    work()
    return performance.now() - start
  }

  test.each([
    ['lists', '- '.repeat(3000)],
    ['many lists', '- '.repeat(100_000)],
    ['loops', `layers:\n${repeated(1000, (i) => `${'  '.repeat(i)}- for l in range(N):\n`)}`],
    ['maps', repeated(3000, (i) => `${' '.repeat(i)}a:\n`)],
    ['brackets', `x: ${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['brackets over lines', `x: ${'[\n '.repeat(10_000)}${']\n '.repeat(10_000)}`],
    ['keys', '? '.repeat(100_000)],
  ])('%s in each other', (_, text) => expect(faults(text).map(([message]) => message)).toEqual([deep]))

  test('brackets in a text or a remark are not nested', () => {
    expect(faults(spec(`# ${'['.repeat(300)}\n`, `y = ${'('.repeat(300)}x${')'.repeat(300)}`))).toEqual([])
  })

  test('an alias bomb is refused at once', () => {
    const bomb = `a: &a [x]\n${repeated(40, (i) => `b${i}: &b${i} [*${i ? `b${i - 1}` : 'a'}, *${i ? `b${i - 1}` : 'a'}]\n`)}`
    expect(faults(bomb)[0]?.[0]).toBe('this is not valid YAML: *b38 is an alias, which specs do not have')
  })

  test('a file of more than 64 MB is refused', () => {
    expect(faults('#'.repeat(64 * 1024 * 1024 + 1))).toEqual([['the file is larger than 64 MB', undefined, undefined]])
  })

  const many = 20_000
  test.each([
    ['layers in a line', () => faults(`inputs: {}\nlayers: [${'y = x, '.repeat(many)}]\nloss: y\n`), 0],
    ['bad lines', () => faults(`inputs:\n${'  x: [n, *]\n'.repeat(many)}`), many],
    ['tabs', () => faults(`inputs:\n${'\tx: [n]\n'.repeat(many)}`), many],
    ['names twice', () => faults(`inputs:\n${repeated(2 * many, (i) => `  x${i % many}: [n]\n`)}layers: []\nloss: y\n`), many],
    ['cut lines', () => faults(`layers:\n${'  - z = y #2\n'.repeat(many)}loss: y\n`), many],
  ])('twenty thousand %s take no quadratic time', (_, work, count) => {
    let found: unknown[] = []
    expect(timed(() => (found = work()))).toBeLessThan(8000)
    expect(found.length).toBe(count)
  })
})

describe('the schema for editors', () => {
  const schema = documentSchema() as { properties: Record<string, { description?: string }>; required: string[]; $schema: string }

  test('describes every key, and requires what the reader requires', () => {
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema')
    expect(schema.required).toEqual(['layers', 'loss'])
    const undescribed: string[] = []
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return
      const { properties = {} } = node as { properties?: Record<string, { description?: string }> }
      for (const [key, value] of Object.entries(properties)) if (!value.description) undescribed.push(`${path}.${key}`)
      for (const [key, value] of Object.entries(node)) visit(value, `${path}.${key}`)
    }
    visit(schema, '')
    expect(undescribed).toEqual([])
  })
})
