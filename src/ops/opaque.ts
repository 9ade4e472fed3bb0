/** Functions of which only the arguments are known: F, whose Jacobian keeps its name, and f, whose derivative is f′. For checks they are random smooth functions. */
import { fail, type Span } from '../diagnostic.ts'
import type { Attrs, Expr, Op } from '../expr/expr.ts'
import { make, operation } from '../expr/expr.ts'
import { type Shape, sameShape, shapeText } from '../expr/shape.ts'
import { call, derivative, joined, type Layout, Level, symbol, transposed, within } from '../layout/layout.ts'
import { normalTensor, randomFrom } from '../tensor/random.ts'
import * as kernel from '../tensor/tensor.ts'
import { multiply } from './arithmetic.ts'
import { numberOf, variable } from './leaves.ts'

/** A function that a spec declares, as the elaborator calls it. */
export interface DeclaredFunction {
  readonly name: string
  readonly params: readonly string[]
  apply(args: readonly Expr[]): Expr
  /** Where its own gradient is declared, if it has one. */
  readonly span?: Span | undefined
  /** Where its one call may stand for it, ∂F/∂x: the function with its Jacobians written so. */
  readonly calledAs?: ((name: Layout) => DeclaredFunction) | undefined
  /** The function that `f'(…)` means, where there is one. */
  readonly prime?: ((args: readonly Expr[]) => Expr) | undefined
}

/** How large a loss is at the point where it is evaluated. */
const amplitudeOf = ({ amplitude }: Attrs): number => (typeof amplitude === 'number' ? amplitude : 1)

/** A random affine map of all arguments, the same for equal sizes: sin of it is the stand-in for F. */
function standIn(name: string, args: readonly kernel.Tensor[], size: number): { phase: kernel.Tensor; maps: readonly kernel.Tensor[] } {
  const maps = args.map((arg, slot) => {
    const n = arg.data.length
    return normalTensor(randomFrom(1, name, 'map', slot, size, n), [size, n], 1 / Math.sqrt(Math.max(n, 1)))
  })
  const offset = normalTensor(randomFrom(1, name, 'offset', size), [size, 1])
  const phase = maps.reduce((sum, map, slot) => {
    const image = kernel.matmul(map, kernel.reshape(args[slot]!, [args[slot]!.data.length, 1]))
    return kernel.zip(sum, image, (a, b) => a + b)
  }, offset)
  return { phase, maps }
}

/**
 * An opaque function of tensors. `result` gives the shape of its value; where it is called once, `brief` names the call,
 * and its Jacobian is written ∂F/∂x rather than ∂F(x, W)/∂x. Of a loss it is not even known how large it is.
 */
export function opaque(
  name: string,
  head: Layout,
  params: readonly string[],
  result: (args: readonly Shape[]) => Shape,
  brief?: Layout,
  unknown: true | 'loss' = true,
): DeclaredFunction {
  const jacobianLayout = (args: readonly Layout[], slot: number): Layout =>
    derivative(brief ?? call(head, args.slice(0, params.length)), args[slot]!)

  const pullbacks = params.map((_, slot): Op => {
    const pushforward = operation({
      name: `d${name}`,
      unknown,
      why: 'the Jacobian of an unknown function',
      linear: [params.length],
      shape: (shapes) => result(shapes.slice(0, -1)),
      notation: (args) => joined(Level.product, symbol(' '), [jacobianLayout(args, slot), within(Level.product, args.at(-1)!)]),
      evaluate(args, attrs, shape) {
        const { phase, maps } = standIn(name, args.slice(0, -1), kernel.sizeOf(shape))
        const v = args.at(-1)!
        const image = kernel.matmul(maps[slot]!, kernel.reshape(v, [v.data.length, 1]))
        return kernel.reshape(
          kernel.zip(phase, image, (p, a) => amplitudeOf(attrs) * Math.cos(p) * a),
          shape,
        )
      },
      vjp: (args, g) => [...params.map(() => null), make(pullback, [...args.slice(0, -1), g])],
    })
    const pullback = operation({
      name: `d${name}.T`,
      unknown,
      why: 'the transposed Jacobian of an unknown function',
      linear: [params.length],
      shape: (shapes) => shapes[slot]!,
      // the gradient of a scalar function is written as one: ∂L/∂y
      notation: (args, _, expr) =>
        numberOf(expr.args.at(-1)!) === 1 && expr.args.at(-1)!.shape.length === 0
          ? jacobianLayout(args, slot)
          : joined(Level.product, symbol(' '), [transposed(jacobianLayout(args, slot)), within(Level.product, args.at(-1)!)]),
      evaluate(args, attrs, shape) {
        const g = args.at(-1)!
        const { phase, maps } = standIn(name, args.slice(0, -1), g.data.length)
        const slope = kernel.zip(kernel.reshape(phase, g.shape), g, (p, e) => amplitudeOf(attrs) * Math.cos(p) * e)
        const back = kernel.matmul(kernel.permute(maps[slot]!, [1, 0]), kernel.reshape(slope, [g.data.length, 1]))
        return kernel.reshape(back, shape)
      },
      // derivations are of first order: the error of an error is only asked for along g
      vjp: (args, g) => [...params.map(() => null), make(pushforward, [...args.slice(0, -1), g])],
    })
    return pullback
  })

  const f = operation({
    name,
    unknown,
    why: 'an unknown function sends the error back through its transposed Jacobian',
    shape: result,
    notation: (args) => call(head, args),
    evaluate(args, attrs, shape) {
      const { phase } = standIn(name, args, kernel.sizeOf(shape))
      return kernel.reshape(
        kernel.map(phase, (p) => amplitudeOf(attrs) * Math.sin(p)),
        shape,
      )
    },
    vjp: (args, g) => pullbacks.map((pullback) => make(pullback, [...args, g])),
  })
  const calledAs = brief && ((as: Layout) => opaque(name, head, params, result, as))
  return { name, params, apply: (args) => make(f, args), calledAs }
}

/** An unknown pointwise function f; its derivatives are f′, f″ … */
export function opaquePointwise(name: string, head: Layout): DeclaredFunction {
  const random = randomFrom(1, name, 'pointwise')
  const [rate, offset] = [0.7 + 0.6 * random(), random() * 3]
  const orders: Op[] = []
  const order = (k: number): Op => {
    const own = Array.from({ length: k }).reduce<Layout>(
      (base) => ({ kind: 'superscript', level: Level.atom, base, mark: symbol('′', '\\prime') }),
      head,
    )
    orders[k] ??= operation({
      name: name + "'".repeat(k),
      unknown: true,
      why: 'a pointwise function masks the error with its derivative',
      notation: ([x]) => call(own, [x!]),
      // sin(rate·x + offset) + 0.3x and its derivatives: sin(φ + kπ/2) rateᵏ
      evaluate: ([x]) =>
        kernel.map(x!, (v) => rate ** k * Math.sin(rate * v + offset + (k * Math.PI) / 2) + (k === 0 ? 0.3 * v : k === 1 ? 0.3 : 0)),
      slope: ([x]) => make(order(k + 1), [x!]),
      vjp: ([x], g) => [multiply([make(order(k + 1), [x!]), g])],
    })
    return orders[k]
  }
  return { name, params: ['t'], apply: ([x]) => make(order(0), [x!]), prime: ([x]) => make(order(1), [x!]) }
}

/** A function with a gradient that its author declares: `value` computes it, `vjp` is what it claims to send back. */
export function withVjp(
  name: string,
  params: readonly string[],
  head: Layout,
  value: (args: readonly Expr[]) => Expr,
  vjp: (args: readonly Expr[], g: Expr) => readonly (Expr | null)[],
): DeclaredFunction {
  const f: Op = {
    name,
    why: 'declared by its author: the error goes back as the given rule says',
    surrogate: true,
    shape: () => fail('shapes', { what: name, detail: 'no shape' }),
    notation: (args) => call(head, args),
    expand: value,
    vjp,
  }
  const shaped = (args: readonly Expr[]): Expr => {
    const result = value(args).shape
    const g = variable('g', result, symbol('g'))
    vjp(args, g).forEach((back, i) => {
      if (back && !sameShape(back.shape, args[i]!.shape)) {
        fail('shapes', {
          what: `the vjp of ${name} must have the shape of its argument`,
          detail: `${shapeText(back.shape)}, not ${shapeText(args[i]!.shape)}`,
        })
      }
    })
    return make({ ...f, shape: () => result }, args)
  }
  return { name, params, apply: shaped }
}
