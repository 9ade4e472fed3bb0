/** How expressions are read: Python's precedence, NumPy's indexing, pasted mathematics, and the derivatives of claims. */
import { describe, expect, test } from 'vitest'
import { Failure } from '../../src/diagnostic.ts'
import type { Ast } from '../../src/network/ast.ts'
import type { Text } from '../../src/network/document.ts'
import { partsOf } from '../../src/network/names.ts'
import { parseEquation, parseExpression, parseHead } from '../../src/network/syntax.ts'
import { below, pick, type Random, randomFrom } from '../random.ts'
import { written } from './written.ts'

const whole = (text: string): Text => ({ start: 0, end: text.length, text, exact: true })
const names: ReadonlySet<string> = new Set(['L', 'E', 'x', 'y', 'W', 'x0', 'x1', 'x2', 'F', 'F1', 'b', 'dx_old', 'h'])
const isDeclared = (name: string) => (names.has(name) ? 'value' : undefined)
const read = (text: string): Ast => parseExpression(whole(text), isDeclared)

/** How a text is read, with all its parentheses. */
const readings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'precedence, as in Python': {
    'W.T @ r * g': '((W.T @ r) * g)',
    'g * W.T @ r': '((g * W.T) @ r)',
    'a @ b.T': '(a @ b.T)',
    'A @ B @ x': '((A @ B) @ x)',
    'a / b / c': '((a / b) / c)',
    'a / b * c': '((a / b) * c)',
    'a // 2 + 1': '((a // 2) + 1)',
    'a + b @ c': '(a + (b @ c))',
    '(a + b) @ c': '((a + b) @ c)',
    'a - b - c': '(a - b - c)',
    'a - (b - c)': '(a - (b - c))',
    '-x**2': '(-(x ** 2))',
    '(-x)**2': '((-x) ** 2)',
    'x**-2': '(x ** (-2))',
    '2**3**2': '(2 ** (3 ** 2))',
    '-a * b': '((-a) * b)',
    'a * -b': '(a * (-b))',
    'a @ -b.T': '(a @ (-b.T))',
    '- - a': '(-(-a))',
    '+a': 'a',
    'a + b > c * d': '((a + b) > (c * d))',
    'a == b': '(a == b)',
    'x.T**2': '(x.T ** 2)',
    'x**y.T': '(x ** y.T)',
    'f(x).T[0]': 'f(x).T[0]',
    'A.T.T': 'A.T.T',
    'A.mT @ B': '(A.mT @ B)',
  },
  'numbers and names': {
    '1e-5': '0.00001',
    '.5 + 5.': '(0.5 + 5)',
    '2 * x1': '(2 * x1)',
    W_Q: 'W_Q',
    Ŵ: 'Ŵ',
    'λ * x': '(λ * x)',
    'enc.W': 'enc.W',
    x: 'x',
  },
  'pasted mathematics': {
    'W^T @ δ': '(W.T @ δ)',
    'Wᵀ @ r ⊙ g': '((W.T @ r) * g)',
    'W^{T} @ x': '(W.T @ x)',
    'W^\\top @ x': '(W.T @ x)',
    'W^{\\top} @ x': '(W.T @ x)',
    'W^⊤ @ x': '(W.T @ x)',
    'x⊤ @ y': '(x.T @ y)',
    'x^T @ y': '(x.T @ y)',
    'x^2': '(x ** 2)',
    'x^Tau': '(x ** Tau)',
    'a − b · c × d': '(a - ((b * c) * d))',
    'f′(a)': "f'(a)",
    'a ≤ b': '(a <= b)',
    'a ≥ b': '(a >= b)',
    'a ≠ b': '(a != b)',
    'dL/d(x→y)': 'd{L}/d{x->y}',
  },
  'indexing, as in NumPy': {
    'x[0:n, :]': 'x[0:n, :]',
    'x[::2]': 'x[::2]',
    'x[1::2]': 'x[1::2]',
    'x[:, None]': 'x[:, None]',
    'x[-1]': 'x[(-1)]',
    'x[0][1]': 'x[0][1]',
    'x[n:2*n]': 'x[n:(2 * n)]',
    'x[:-1, 0]': 'x[:(-1), 0]',
    'W.T[0:2, :]': 'W.T[0:2, :]',
    '-x[0]': '(-x[0])',
  },
  calls: {
    'softmax(x, axis=1)': 'softmax(x, axis=1)',
    'sum(x * y, axis=-1, keepdims=True)': 'sum((x * y), axis=(-1), keepdims=True)',
    'mse(y, t, reduction="sum")': 'mse(y, t, reduction="sum")',
    "mse(y, t, reduction='sum')": 'mse(y, t, reduction="sum")',
    'concat([a, b], axis=0)': 'concat([a, b], axis=0)',
    'pad(x, [[0, m-n]])': 'pad(x, [[0, (m - n)]])',
    'concat([a, b,],)': 'concat([a, b])',
    "f'(a)": "f'(a)",
    "f''(a) * g": "(f''(a) * g)",
    'relu(W @ x)[0]': 'relu((W @ x))[0]',
    'sum(h[i] for i in range(N))': 'sum{h[i] for i in N}',
    'prod(h[i] for i in range(1, N, 2))': 'prod{h[i] for i in 1,N,2}',
  },
  derivatives: {
    'dL/dx': 'd{L}/d{x}',
    'dL/dx / 2': '(d{L}/d{x} / 2)',
    'dL/dx.T @ y': '(d{L}/d{x}.T @ y)',
    'dL/d(x->y)': 'd{L}/d{x->y}',
    'dL/d(x)': 'd{L}/d{x}',
    'dL/d(h[2])': 'd{L}/d{h[2]}',
    'd(W @ x)/dx': 'd{(W @ x)}/d{x}',
    'd(x * y)/d(x)': 'd{(x * y)}/d{x}',
    '(I + dF1/dx0).T @ dL/dx1': '((I + d{F1}/d{x0}).T @ d{L}/d{x1})',
    'dx2/dx0': 'd{x2}/d{x0}',
    '2 * dL/dW': '(2 * d{L}/d{W})',
    '-dL/dx': '(-d{L}/d{x})',
    'dL/dx**2': '(d{L}/d{x} ** 2)',
  },
  'quotients that only look like derivatives': {
    'dq/dr': '(dq / dr)',
    'dx_old / x': '(dx_old / x)',
    'd / x': '(d / x)',
    'd * b': '(d * b)',
    'dL / 2': '(dL / 2)',
  },
}

describe.each(Object.entries(readings))('%s', (_, cases) => {
  test.each(Object.entries(cases))('%s is %s', (text, reading) => expect(written(read(text))).toBe(reading))
})

test('what is written with all its parentheses is read back as it was', () => {
  const texts = Object.values(readings)
    .flatMap((cases) => Object.values(cases))
    .filter((text) => !text.includes('{'))
  for (const text of texts) expect(written(read(text))).toBe(text)
})

describe('spans', () => {
  const texts = Object.values(readings).flatMap((cases) => Object.keys(cases))

  test.each(texts)('every part of %s covers its own text', (text) => {
    const ast = read(text)
    for (const part of partsOf(ast)) {
      expect(part.start).toBeGreaterThanOrEqual(0)
      expect(part.end).toBeLessThanOrEqual(text.length)
      expect(part.end).toBeGreaterThan(part.start)
      if (part.kind === 'name') expect(text.slice(part.start, part.end)).toBe(part.name)
    }
  })

  test('are those of the file where the text starts further down', () => {
    const ast = parseExpression({ start: 100, end: 109, text: 'a + f(bc)', exact: true })
    const spans = partsOf(ast).map(({ start, end }) => [start - 100, end - 100])
    expect(spans).toEqual([
      [0, 9],
      [0, 1],
      [4, 9],
      [6, 8],
    ])
  })

  test('are the whole where the text was folded', () => {
    const ast = parseExpression({ start: 7, end: 20, text: 'a + b', exact: false })
    for (const { start, end } of partsOf(ast)) expect([start, end]).toEqual([7, 20])
  })
})

describe('equations', () => {
  const equation = (text: string) => parseEquation(whole(text), isDeclared)

  test.each([
    ['y = W @ x + b', ['y'], '((W @ x) + b)'],
    ['a, b = f(x)', ['a', 'b'], 'f(x)'],
    ['dL/dx = 2 * dL/dy', ['d{L}/d{x}'], '(2 * d{L}/d{y})'],
    ['y = softmax(x, axis=0)', ['y'], 'softmax(x, axis=0)'],
  ])('%s', (text, targets, value) => {
    const found = equation(text)
    expect(found.targets.map(written)).toEqual(targets)
    expect(written(found.value)).toBe(value)
  })

  test.each(['y', 'y = ', '= x', 'y == x', 'y = x = z', 'y x = z'])('%s is none', (text) => {
    expect(() => equation(text)).toThrow(Failure)
  })

  test('heads of functions have a name and parameters', () => {
    const { name, args } = parseHead(whole('F(x, W[n])'))
    expect([name, ...args.map(written)]).toEqual(['F', 'x', 'W[n]'])
    for (const text of ['F', 'F(x=1)', 'F(x) + 1', '(x)']) expect(() => parseHead(whole(text)), text).toThrow(Failure)
  })
})

/** What is refused, and where the mark stands. */
const refused: Readonly<Record<string, readonly [message: string, at: number]>> = {
  'a +': ['expected a name, a number or (, found the end', 3],
  '(a': ['expected ), found the end', 2],
  'a)': ['expected an operator or the end, found )', 1],
  'a b': ['expected an operator or the end, found b', 2],
  '2 x': ['expected an operator or the end, found x', 2],
  'a ** ': ['expected a name, a number or (, found the end', 5],
  'f(a b)': ['expected , or ), found b', 4],
  'f(a,, b)': ['expected a name, a number or (, found ,', 4],
  'x[': ['expected a name, a number or (, found the end', 2],
  'a $ b': ['expected an expression, found the character $', 2],
  'a 😀 b': ['expected an expression, found the character 😀', 2],
  '': ['expected a name, a number or (, found the end', 0],
  'f’(a)': ['expected an expression, found the character ’', 1],
  "f' + 1": ["expected the argument of f', in parentheses, found +", 3],
  'a < b < c': ['expected an operator or the end, found <', 6],
  'sum(x for 1 in range(N))': ['expected the name of an index, found 1', 10],
}

test('a value called d takes its name back', () => {
  const withD = (text: string) => written(parseExpression(whole(text), (name) => (name === 'd' ? 'value' : isDeclared(name))))
  expect(withD('d(x)')).toBe('d(x)')
  expect(withD('dL/dx')).toBe('d{L}/d{x}')
})

test.each(Object.entries(refused))('%j is refused where it goes wrong', (text, [message, at]) => {
  const failure = failureOf(() => read(text))
  expect(failure.diagnostics[0]).toMatchObject({ code: 'syntax', message })
  expect(failure.diagnostics[0]!.span!.start).toBe(at)
})

function failureOf(work: () => unknown): Failure {
  try {
    work()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('nothing failed')
}

describe('any text at all', () => {
  const pieces = [
    'a',
    'x',
    'dL/dx',
    '1',
    '.5',
    ' ',
    '+',
    '-',
    '*',
    '**',
    '@',
    '/',
    '//',
    '(',
    ')',
    '[',
    ']',
    ',',
    ':',
    '.T',
    "'",
    '"',
    '=',
    '^T',
    'ᵀ',
    '≤',
    '\n',
    '😀',
    'd(',
    '->',
    'for',
  ]
  const text = (random: Random): string => Array.from({ length: 1 + below(random, 12) }, () => pick(random, pieces)).join('')

  test('is read, or refused with a place inside of it', () => {
    for (let seed = 0; seed < 3000; seed++) {
      const given = text(randomFrom(seed, 'text'))
      try {
        read(given)
      } catch (error) {
        expect(error, given).toBeInstanceOf(Failure)
        for (const { span } of (error as Failure).diagnostics) {
          expect(span, given).toBeDefined()
          expect(span!.start).toBeGreaterThanOrEqual(0)
          expect(span!.end).toBeLessThanOrEqual(given.length)
        }
      }
    }
  })

  test('is bounded in depth, not in length', () => {
    for (const [open, close] of ['()', '[]', ['f(', ')'], ['-', ''], ['x[', ']'], ['a**', '']] as [string, string][])
      expect(() => read(`${open.repeat(10_000)}a${close.repeat(10_000)}`)).toThrow(Failure)
    expect(partsOf(read(`a${' + a'.repeat(100_000)}`))).toHaveLength(100_002)
    expect(partsOf(read(`a${' * a'.repeat(100_000)}`))).toHaveLength(100_002)
  })
})
