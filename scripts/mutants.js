/** Makes mutants of the gradient rules: each breaks one rule in one place, found in the syntax tree of its file. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** The properties of a definition that say how errors flow. */
const rules = new Set(['vjp', 'derivative', 'output', 'slope', 'explicit'])
/** Calls that give back their argument, more or less: the mutant leaves them out. */
const wrappers = new Set(['T', 'negate', 'inShape', 'square', 'keepLast'])
const lists = new Set(['add', 'plus', 'multiply', 'times'])
const pairs = new Set(['subtract', 'divide', 'outer', 'matmul', 'greater', 'greaterEqual', 'less', 'lessEqual', 'wins', 'share', 'slope'])

/** All mutants of the files in a folder, or of some of them: where they are, what they change, and the whole mutated text. */
export function mutantsIn(folder, names = []) {
  return readdirSync(folder)
    .filter((f) => f.endsWith('.ts') && (names.length === 0 || names.includes(f.slice(0, -3))))
    .flatMap((f) => mutantsOf(join(folder, f)))
}

function mutantsOf(file) {
  const text = readFileSync(file, 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found = []
  const mutate = (node) => {
    for (const [kind, to, at = node] of mutationsOf(node)) {
      const [start, end] = [at.getStart(source), at.getEnd()]
      const line = source.getLineAndCharacterOfPosition(start).line + 1
      const what = `${shortened(text.slice(start, end))} → ${shortened(to)}`
      found.push({ file, line, kind, what, text: text.slice(0, start) + to + text.slice(end) })
    }
    ts.forEachChild(node, mutate)
  }
  const visit = (node) => (isRule(node) ? mutate(node) : ts.forEachChild(node, visit))
  visit(source)
  return found.filter((m, i) => found.findIndex((other) => other.text === m.text) === i)
}

const shortened = (text) => text.replaceAll(/\s+/g, ' ').slice(0, 60)

const isRule = (node) => (ts.isPropertyAssignment(node) || ts.isMethodDeclaration(node)) && rules.has(node.name.getText())

/** Kind and new text of each mutation of a node; a third part is another node that is changed in its place. */
function mutationsOf(node) {
  if (ts.isCallExpression(node)) return mutationsOfCall(node)
  if (ts.isArrayLiteralExpression(node)) return mutationsOfErrors(node)
  if (ts.isNumericLiteral(node) && isValue(node)) return [['constant changed', `${Number(node.text) + 0.37}`]]
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [['flag turned', 'false']]
  if (ts.isPrefixUnaryExpression(node) && !ts.isNumericLiteral(node.operand)) return mutationsOfSign(node)
  if (isAxis(node)) return [['axis changed', `axis: ${otherAxis(axisOf(node))}`]]
  return []
}

function mutationsOfSign({ operator, operand }) {
  if (operator === ts.SyntaxKind.ExclamationToken) return [['flag turned', operand.getText()]]
  return operator === ts.SyntaxKind.MinusToken ? [['sign dropped', operand.getText()]] : []
}

/** The axis that an operation is called with. */
const isAxis = (node) => (ts.isShorthandPropertyAssignment(node) || ts.isPropertyAssignment(node)) && node.name.getText() === 'axis'

/** Whether it is one axis or a list is not known here. */
const otherAxis = (axis) => `Array.isArray(${axis}) ? ${axis}.map((a) => (a === 0 ? 1 : 0)) : ${axis} === 0 ? 1 : 0`

const axisOf = (node) => (ts.isPropertyAssignment(node) ? `(${node.initializer.getText()})` : 'axis')

/** A number that is part of a formula, not of an index or a list of sizes. */
function isValue(node) {
  const parent = ts.isPrefixUnaryExpression(node.parent) ? node.parent.parent : node.parent
  return ts.isCallExpression(parent) && /^(n|fill|between)$/.test(parent.expression.getText())
}

function mutationsOfCall(node) {
  const name = node.expression.getText()
  const args = node.arguments.map((a) => a.getText())
  if (wrappers.has(name)) return [['call dropped', args[0]]]
  if (pairs.has(name) && args.length === 2) {
    return [
      ['arguments swapped', `${name}(${args[1]}, ${args[0]})`],
      ...(name === 'subtract' || name === 'divide' ? [['second argument dropped', args[0]]] : []),
    ]
  }
  if (lists.has(name)) return mutationsOfList(node, name)
  if (name === 'where' && args.length === 3) return [['sides swapped', `where(${args[0]}, ${args[2]}, ${args[1]})`]]
  if (name === 'sum') return [['sum dropped', args[0]]]
  return []
}

/** Each term of a sum and each factor of a product left out. */
function mutationsOfList(node, name) {
  const [first] = node.arguments
  const inBrackets = first !== undefined && ts.isArrayLiteralExpression(first)
  const items = inBrackets ? first.elements : node.arguments
  if (items.length < 2) return []
  return items.map((_, i) => {
    const kept = items.filter((__, j) => j !== i).map((item) => item.getText())
    return [`${name === 'add' || name === 'plus' ? 'term' : 'factor'} dropped`, `${name}(${inBrackets ? `[${kept}]` : kept})`]
  })
}

/** The list of errors that a rule returns: each lost, and two of them swapped. */
function mutationsOfErrors(node) {
  const isResult = ts.isArrowFunction(node.parent) || ts.isReturnStatement(node.parent)
  if (!isResult) return []
  const items = node.elements.map((e) => e.getText())
  const lost = items.flatMap((item, i) => (item === 'null' || item.startsWith('...') ? [] : [['error lost', `[${items.with(i, 'null')}]`]]))
  return items.length === 2 && !items.includes('null') ? [...lost, ['errors swapped', `[${items[1]}, ${items[0]}]`]] : lost
}
