/** Moves the formulas of one step of a loop to another step: what is said of a[t] holds for a[t+1], and for a[T]. */
import { type Dim, isSymbolic, withSizes } from '../expr/dim.ts'
import { type Attr, type Attrs, type Expr, make } from '../expr/expr.ts'
import { inOrder } from '../expr/traverse.ts'
import { derivative, type Layout } from '../layout/layout.ts'
import { mentionsIndex, nameWith } from '../network/moved.ts'
import type { Network } from '../network/network.ts'
import { variable } from '../ops/leaves.ts'

type Naming = Pick<Network, 'loss' | 'layoutOf'>

/** What the names of gradients begin with, whatever the loss is called. */
const gradientMark = 'dL/d'

/** The value that a gradient's name speaks of, if it is one's. */
export const valueInGradient = (name: string): string | undefined =>
  name.startsWith(gradientMark) ? name.slice(gradientMark.length) : undefined

/** How the name of a value, or of a gradient, is set. */
function layoutOfName(name: string, { loss, layoutOf }: Naming): Layout {
  const value = valueInGradient(name)
  return value === undefined ? layoutOf(name) : derivative(loss.layout, layoutOf(value))
}

/** Formulas at another index; what `known` has by its name is taken from there. */
export function mover(index: string, at: Dim, naming: Naming, known: ReadonlyMap<string, Expr> = new Map()): (expr: Expr) => Expr {
  const dims = new Map([[index, at]])
  const names = new Map(known)
  const moved = new Map<Expr, Expr>()
  const nameMoved = (expr: Expr): Expr => {
    if (!mentionsIndex(expr.op.name, index)) return expr
    const name = nameWith(expr.op.name, dims)
    const shape = expr.shape.map((dim) => withSizes(dim, dims))
    const made = names.get(name) ?? variable(name, shape, layoutOfName(name, naming))
    names.set(name, made)
    return made
  }
  return (root) => {
    for (const expr of inOrder([root])) {
      if (moved.has(expr)) continue
      const isName = expr.op.atomic || expr.op.fresh
      const args = (): Expr[] => expr.args.map((a) => moved.get(a)!)
      moved.set(expr, isName ? nameMoved(expr) : make(expr.op, args(), attrsWith(expr.attrs, dims)))
    }
    return moved.get(root)!
  }
}

/** The attributes with dims in place of some of their symbols. */
function attrsWith(attrs: Attrs, dims: ReadonlyMap<string, Dim>): Attrs {
  const replaced = (attr: Attr): Attr => (Array.isArray(attr) ? attr.map(replaced) : isSymbolic(attr) ? withSizes(attr, dims) : attr)
  return Object.fromEntries(Object.entries(attrs).map(([name, attr]) => [name, replaced(attr)]))
}
