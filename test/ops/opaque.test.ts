/** Functions that a spec declares: the gradients of their stand-ins, and the gradients of those, against differences. */
import { describe, expect, test } from 'vitest'
import { type Expr, make } from '../../src/expr/expr.ts'
import { substitute } from '../../src/expr/traverse.ts'
import { nameLayout } from '../../src/layout/names.ts'
import { fill, named, variable } from '../../src/ops/leaves.ts'
import { type DeclaredFunction, opaque, opaquePointwise } from '../../src/ops/opaque.ts'
import { pullback } from '../../src/ops/pullback.ts'
import { randomFrom } from '../../src/tensor/random.ts'
import { gap, pointFor, valueAt } from '../numeric.ts'

const [x, y, W] = (['x', 'y', 'W'] as const).map((name) =>
  variable(name, name === 'W' ? [3, 4] : name === 'x' ? [4] : [3], nameLayout(name)),
) as [Expr, Expr, Expr]

/** What comes back to an argument for an error of the value. */
function back(f: Expr, g: Expr, to: Expr): Expr {
  const name = named('f', nameLayout('f'), f)
  const sent = pullback(name, g, new Set([to])).get(to) ?? fill(0, to.shape)
  return substitute([sent], (e) => (e === name ? f : undefined))[0]!
}

function check(f: Expr, variables: readonly Expr[], to: readonly Expr[]): void {
  const g = variable('g', f.shape, nameLayout('g'))
  for (const v of to) {
    for (const seed of [1, 2, 3]) {
      const point = pointFor([...variables, g], new Map(), randomFrom(seed, f.op.name))
      expect(gap(f, v, back(f, g, v), g, point, seed), `${f.op.name} by ${v.op.name}`).toBeLessThan(1e-6)
    }
  }
}

const valuesOf = (f: Expr): number[] => [...valueAt(f, pointFor([x, W], new Map(), randomFrom(1, 'same'))).data]

const F = opaque('F', nameLayout('F'), ['x', 'W'], () => [3], nameLayout('F'))
const scalar = opaque('L', nameLayout('L'), ['y'], () => [], nameLayout('L'))

describe('an opaque function', () => {
  test('sends errors back through its transposed Jacobian', () => {
    check(F.apply([x, W]), [x, W], [x, W])
    check(scalar.apply([y]), [y], [y])
  })

  test('has a Jacobian whose transpose is its transpose', () => {
    const g = variable('u', [3], nameLayout('u'))
    const pulled = back(F.apply([x, W]), g, x)
    check(pulled, [x, W, g], [g])
    const v = variable('v', [4], nameLayout('v'))
    const pushed = back(pulled, v, g)
    check(pushed, [x, W, v], [v])
  })

  test('is the same stand-in wherever it is called, and another one under another name', () => {
    const other = opaque('G', nameLayout('G'), ['x', 'W'], () => [3], nameLayout('G'))
    const value = (f: DeclaredFunction) => valuesOf(f.apply([x, W]))
    expect(value(F)).toEqual(value(opaque('F', nameLayout('F'), ['x', 'W'], () => [3])))
    expect(value(F)).not.toEqual(value(other))
  })
})

describe('an opaque pointwise function', () => {
  const f = opaquePointwise('f', nameLayout('f'))

  test('has derivatives of every order', () => {
    check(f.apply([x]), [x], [x])
    check(f.prime!([x]), [x], [x])
    const second = f.prime!([x]).op.slope!([x], {})
    check(second, [x], [x])
    check(make(second.op, [x], {}), [x], [x])
  })
})
