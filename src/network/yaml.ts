/** Reads YAML into nodes that know their place, with bounds on size, nesting and aliases; its faults in plain words. */
import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { type Diagnostic, diagnostic, Failure, fail, type Source, type Span } from '../diagnostic.ts'

export { isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap, type YAMLSeq }

const largestFile = 64 * 1024 * 1024
const deepestNesting = 200

/** The root node of a document. Throws a Failure with all its faults. */
export function parseYaml({ text }: Source): Node {
  if (text.length > largestFile) fail('too-large', { what: 'the file', limit: '64 MB' })
  if (text.trim() === '') fail('empty-document', {}, { start: 0, end: 0 })
  requireShallow(text)
  const documents = parseAllDocuments(text, { prettyErrors: false, uniqueKeys: false, logLevel: 'silent', keepSourceTokens: false })
  const [document] = Array.isArray(documents) ? documents : []
  if (!document) return fail('empty-document', {}, { start: 0, end: 0 })
  const faults = onePerLine(
    document.errors.map((e) => yamlFault(e.code, e.message, { start: e.pos[0], end: e.pos[1] }, text)),
    text,
  )
  if (documents.length > 1)
    faults.push(
      diagnostic(
        'yaml-syntax',
        { reason: 'a second document starts here (---)', hint: 'A spec is one document.' },
        spanOf(documents[1]!.contents),
      ),
    )
  if (faults.length > 0) throw new Failure(faults)
  if (!document.contents) return fail('empty-document', {}, { start: 0, end: 0 })
  refuseAliases(document.contents)
  return document.contents
}

/** A parser that stumbles reports what follows, too: the first fault of a line says most. */
function onePerLine(faults: readonly Diagnostic[], text: string): Diagnostic[] {
  const lineOf = (d: Diagnostic): number => text.lastIndexOf('\n', (d.span?.start ?? 0) - 1)
  return faults.filter((fault, i) => faults.findIndex((other) => lineOf(other) === lineOf(fault)) === i)
}

/** The range of a node without what follows it. */
export const spanOf = (node: Node | null | undefined): Span => ({ start: node?.range?.[0] ?? 0, end: node?.range?.[1] ?? 0 })

/** Brackets in brackets are nested on the parser's call stack. */
function requireShallow(text: string): void {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === '[' || c === '{') depth++
    else if (c === ']' || c === '}') depth = Math.max(0, depth - 1)
    else if (c === '\n' && depth < deepestNesting / 2) depth = 0
    if (depth > deepestNesting)
      fail('yaml-syntax', { reason: `brackets are nested more than ${deepestNesting} deep` }, { start: i, end: i + 1 })
  }
}

/** Anchors save typing in other formats; here they would only hide what a name means, and can be made to explode. */
function refuseAliases(root: Node): void {
  const todo: unknown[] = [root]
  while (todo.length > 0) {
    const node = todo.pop()
    if (isAlias(node)) {
      fail(
        'yaml-syntax',
        {
          reason: `*${node.source} is an alias, which specs do not have`,
          hint: 'Write the value out, or quote it if the * is meant as a product.',
        },
        spanOf(node as unknown as Node),
      )
    }
    if (isMap(node) || isSeq(node)) for (const item of node.items) todo.push(item)
    else if (isPair(node)) todo.push(node.key, node.value)
  }
}

const reasons: Readonly<Record<string, readonly [reason: string, hint?: string]>> = {
  TAB_AS_INDENT: ['a tab is used as indentation', 'Indent with spaces.'],
  BAD_ALIAS: ['* starts an alias in YAML', 'Quote the value if the * is meant as a product.'],
  MISSING_CHAR: ['a closing quote or bracket is missing'],
  BAD_INDENT: ['the indentation does not fit', 'Items of one list or map stand in one column.'],
  IMPOSSIBLE: ['the text can not be read here'],
  MULTILINE_IMPLICIT_KEY: ['a key must stand on one line'],
  UNEXPECTED_TOKEN: ['something stands here that does not belong'],
  BLOCK_AS_IMPLICIT_KEY: ['two keys stand in one line', 'Quote a text that contains a colon and a space.'],
  BAD_SCALAR_START: ['a plain text can not start with this character', 'Quote it.'],
  BAD_DQ_ESCAPE: ['this escape is not known in double quotes', "Use single quotes: '\\nabla' keeps its backslash."],
}

function yamlFault(code: string, message: string, span: Span, text: string): Diagnostic {
  const line = text
    .slice(text.lastIndexOf('\n', span.start - 1) + 1)
    .split('\n')[0]!
    .trim()
  const [, key, value] = /^(\w+):\s+(-\s.*)$/.exec(line) ?? []
  if (key && value)
    return diagnostic(
      'yaml-trap',
      { what: `YAML reads "- " as the start of a list, so the value of ${key} is lost`, mended: `${key}: '${value}'` },
      span,
    )
  if (code === 'BAD_INDENT' && message.includes('Flow'))
    return diagnostic('yaml-syntax', { reason: 'a bracket that was opened above is not closed' }, span)
  if (code === 'BLOCK_AS_IMPLICIT_KEY') {
    const [, name, rest] = /^(\w+):\s+(.*)$/.exec(line) ?? []
    if (name && rest) return diagnostic('yaml-trap', { what: `the value of ${name} contains ": "`, mended: `${name}: '${rest}'` }, span)
  }
  const [reason, hint] = reasons[code] ?? [message.split('\n')[0]!.replace(/ at line.*/, '')]
  return diagnostic('yaml-syntax', { reason, ...(hint ? { hint } : {}) }, span)
}
