/** Functions that specs declare: with their author's gradient, written out, or opaque. */
import { describe, expect, test } from 'vitest'
import { Failure } from '../../src/diagnostic.ts'
import { defaults, derive } from '../../src/pipeline.ts'
import { plain } from '../../src/report/paint.ts'
import { reportOf } from '../../src/report/report.ts'
import { textOf } from '../../src/report/text.ts'

const spec = (functions: string, layers: string, more = '', claims = '[]'): string =>
  `inputs:\n  x: [n]\nparams:\n  W: [m, n]\n${more}functions:\n  ${functions}\nlayers:\n  - y = ${layers}\nloss: L(y)\nclaims: ${claims}\n`
const derived = (text: string, form: 'symbol' | 'explicit' = 'symbol') =>
  derive({ name: 'spec.yaml', text }, { ...defaults, derivatives: form })

/** The messages that a spec is refused with. */
async function messages(text: string): Promise<string[]> {
  try {
    await derived(text)
    return []
  } catch (error) {
    if (error instanceof Failure) return error.diagnostics.map((d) => d.message)
    throw error
  }
}

describe('a gradient of its author', () => {
  const own = (value: string, vjp: string): string => `f(a):\n    value: ${value}\n    vjp: ${vjp}`

  test('may change the shape on the way back', async () => {
    expect(await messages(spec(own('W @ a', 'W.T @ g'), 'f(x)'))).toEqual([])
    expect(await messages(spec(own('sum(a)', 'g * a'), 'f(x) * x'))).toEqual([])
  })

  test('stands in the gradient as it is written', async () => {
    const { derivation } = await derived(spec(own('sign(a)', 'g'), 'f(x)'))
    expect(textOf(reportOf(derivation, undefined), plain)).toContain('∂L/∂x = ∂L/∂y')
  })

  test('must have the shape of its argument', async () => {
    const [message] = await messages(spec(own('W @ a', 'g'), 'f(x)'))
    expect(message).toContain('the vjp of f must have the shape of its argument')
  })

  test('gives one error for each argument', async () => {
    const [message] = await messages(spec('f(a, b):\n    value: a * b\n    vjp: g', 'f(x, x)'))
    expect(message).toBe('a vjp gives one error for each argument: 1 for 2')
  })
})

/** Formulas of one number t, whose derivatives mathjs and our own table work out. */
const formulas = [
  't / (1 + exp(-t))',
  't ** 2 + 3 * t - 1',
  't ** 3 / (1 + t ** 2)',
  'tanh(t) * sin(2 * t)',
  'log(1 + t ** 2)',
  'sqrt(1 + t ** 2)',
  'rsqrt(2 + t ** 2)',
  'reciprocal(2 + sin(t))',
  'square(square(t))',
  'erf(t) * exp(-t ** 2)',
  'log1p(exp(t))',
  'abs(t) * t',
  'relu(t) ** 2',
  'sigmoid(t) * tanh(softplus(t))',
  'maximum(t, 2 * t)',
  'minimum(t, sin(t)) + t',
  'where(t > 0, t, exp(t) - 1)',
  'where(t > 1, square(t), 2 * t - 1)',
  '(t > 0) * t',
  '(t >= -1) * t ** 2 - (exp(t) < 2) * tanh(t)',
  'gelu(t) - silu(t)',
  'pi * cos(t / pi)',
  'relu(relu(t) - sigmoid(t))',
  'exp(abs(sin(t)))',
  '2',
  't',
]

describe('a formula', () => {
  test.each(formulas)('%s has the derivative of its value, and the second one', async (formula) => {
    const text = spec(`f(t): ${formula}`, "f(W @ x) + f'(W @ x)")
    for (const form of ['symbol', 'explicit'] as const) {
      const { verification } = await derived(text, form)
      for (const [value, verified] of verification!.byValue) expect(verified?.ok, `${value.name}: ${verified?.worst}`).toBe(true)
    }
  })

  test.each([
    'W * t',
    't @ t',
    't.T',
    't[0]',
    'f(t)',
    'constructor(t)',
    '__proto__',
    'toString(t)',
    'eval("1")',
    'import("fs")',
    '[t]',
    'sum(t)',
  ])('%s is refused', async (formula) => {
    expect((await messages(spec(`f(t): '${formula}'`, 'f(x)'))).length).toBeGreaterThan(0)
  })
})

describe('an opaque function', () => {
  test('may say the shape of its result, and share names with no node', async () => {
    const { derivation, verification } = await derived(spec('F(a, b): opaque [k]', 'F(x, W)'))
    const text = textOf(reportOf(derivation, undefined), plain)
    expect(text).toContain('(∂F/∂x)ᵀ ∂L/∂y')
    expect([...verification!.byValue.values()].every((v) => v?.ok)).toBe(true)
  })

  test('called twice names its arguments', async () => {
    const { derivation } = await derived(spec('F(a): opaque', 'F(F(x))'))
    expect(textOf(reportOf(derivation, undefined), plain)).toContain('∂F(x)/∂x')
  })
})
