/** Reads any YAML with the library, within bounds on size, nesting and aliases; its faults in plain words. */
import { Composer, type CST, isMap, isSeq, type Pair, Parser, type Node as YamlNode, type Scalar as YamlScalar } from 'yaml'
import { type Diagnostic, diagnostic, Failure, fail, type Source, type Span } from '../diagnostic.ts'
import { endOfLine, lineCounter, quoted } from './lines.ts'
import { isScalar, type Node, type Scalar } from './tree.ts'

const largestFile = 64 * 1024 * 1024
const deepestNesting = 200

/** The root node of a document. Throws a Failure with all its faults. */
export function parseYaml({ text }: Source): Node {
  if (text.length > largestFile) fail('too-large', { what: 'the file', limit: '64 MB' })
  if (text.trim() === '') fail('empty-document', {}, { start: 0, end: 0 })
  const tokens = tokensOf(text)
  const survey = surveyOf(tokens)
  // a %YAML directive may not bring back the words of YAML 1.1, where y and no are true and false
  const composer = new Composer({ schema: 'core', uniqueKeys: false, logLevel: 'silent' })
  const documents = [...composer.compose(tokens, true, text.length)]
  const lineOf = lineCounter(text)
  const faults = telling(
    documents.flatMap((d) => d.errors),
    lineOf,
  ).map((e) => yamlFault(e, text, survey))
  if (documents.length > 1) {
    const reason = 'a second document starts here (---)'
    const [start, end] = documents[1]!.contents?.range ?? [0, 0]
    faults.push(diagnostic('yaml-syntax', { reason, hint: 'A spec is one document.' }, { start, end }))
  }
  if (faults.length > 0) throw new Failure(faults)
  const contents = documents[0]?.contents
  const root = contents && treeOf(contents, text)
  if (!root || (isScalar(root) && root.style === 'plain' && root.text === '')) return fail('empty-document', {}, { start: 0, end: 0 })
  if (survey.refused) refuse(survey.refused)
  return root
}

/** A node of the library as a node of ours; its nesting is bounded. */
function treeOf(node: YamlNode, written: string): Node {
  const [start, end] = node.range ?? [0, 0]
  if (isSeq(node)) {
    const items = (node.items as (YamlNode | null)[]).map((item) => item && treeOf(item, written))
    return { kind: 'list', start, end: node.flow ? end : endOf(items.at(-1), end), items, flow: node.flow === true }
  }
  if (isMap(node)) {
    const items = (node.items as Pair<YamlNode, YamlNode | null>[]).map(({ key, value }) => ({
      key: key && treeOf(key, written),
      value: value && treeOf(value, written),
    }))
    const last = items.at(-1)
    return { kind: 'map', start, end: node.flow ? end : endOf(last?.value ?? last?.key, end), items, flow: node.flow === true }
  }
  const { value, source, type } = node as YamlScalar<Scalar['value']>
  const style = styles[type ?? 'PLAIN'] ?? 'block'
  const text = style === 'plain' ? (source ?? String(value)) : String(value)
  const exact = style === 'plain' && written.startsWith(text, start)
  return { kind: 'scalar', start, end, text, exact, value, style }
}

const styles: Readonly<Record<string, Scalar['style']>> = { PLAIN: 'plain', QUOTE_SINGLE: 'single', QUOTE_DOUBLE: 'double' }

const endOf = (last: Node | null | undefined, otherwise: number): number => last?.end ?? otherwise

const tooDeep = (span: Span): never => fail('yaml-syntax', { reason: `it is nested more than ${deepestNesting} deep` }, span)

/** The parser works on a stack of its own, but closes what is open on the call stack. */
function tokensOf(text: string): CST.Token[] {
  try {
    return [...new Parser().parse(text)]
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return [tooDeep({ start: 0, end: 0 })]
  }
}

interface Survey {
  /** An alias, an anchor or a tag. */
  readonly refused?: CST.SourceToken | CST.FlowScalar | undefined
  /** Where a quote is opened that is never closed. */
  readonly openQuote?: number | undefined
}

/** Looks at all tokens without recursion, before anything is made from them that would recurse. */
function surveyOf(tokens: readonly CST.Token[]): Survey {
  let alias: Survey['refused']
  let property: Survey['refused']
  let openQuote: number | undefined
  const todo = tokens.map((token) => ({ token, depth: 0 }))
  while (todo.length > 0) {
    const { token, depth } = todo.pop()!
    const props = (list: readonly CST.SourceToken[] | undefined): void => {
      if (list) property ??= list.find(({ type }) => type === 'anchor' || type === 'tag')
    }
    if ('items' in token) {
      if (depth > deepestNesting) tooDeep({ start: token.offset, end: token.offset + 1 })
      for (const { start, key, sep, value } of token.items) {
        props(start)
        props(sep)
        if (key) todo.push({ token: key, depth: depth + 1 })
        if (value) todo.push({ token: value, depth: depth + 1 })
      }
    } else if (token.type === 'document') {
      props(token.start)
      if (token.value) todo.push({ token: token.value, depth })
    } else if (token.type === 'alias') alias ??= token
    else if (token.type === 'block-scalar') props(token.props.filter((p): p is CST.SourceToken => 'source' in p))
    else if (token.type === 'single-quoted-scalar' || token.type === 'double-quoted-scalar') {
      if (token.source.length < 2 || !token.source.endsWith(token.source[0]!)) openQuote = token.offset
    }
  }
  return { refused: alias ?? property, openQuote }
}

/** Anchors save typing in other formats; here they would only hide what a name means, and can be made to explode. */
function refuse({ type, source, offset }: NonNullable<Survey['refused']>): never {
  const [kind, hint] =
    type === 'alias'
      ? ['an alias', 'Write the value out, or quote it if the * is meant as a product.']
      : [type === 'tag' ? 'a tag' : 'an anchor', `Quote the value if the ${source[0]} belongs to it.`]
  fail('yaml-syntax', { reason: `${source} is ${kind}, which specs do not have`, hint }, { start: offset, end: offset + source.length })
}

interface YamlError {
  readonly code: string
  readonly message: string
  readonly pos: readonly [number, number]
}

/** A parser that stumbles reports what follows, too: the first fault of a line says most, and what follows a break nothing. */
function telling(errors: readonly YamlError[], lineOf: (offset: number) => number): YamlError[] {
  const lines = new Set<number>()
  return errors.filter(({ message, pos: [start] }, i) => {
    const line = lineOf(start)
    if (lines.has(line) || (i > 0 && message.includes('in YAML stream'))) return false
    lines.add(line)
    return true
  })
}

const reasons: Readonly<Record<string, readonly [reason: string, hint?: string]>> = {
  TAB_AS_INDENT: ['a tab is used as indentation', 'Indent with spaces.'],
  BAD_ALIAS: ['* starts an alias in YAML', 'Quote the value if the * is meant as a product.'],
  MISSING_CHAR: ['a comma, a colon, a dash or a closing bracket is missing'],
  BAD_INDENT: ['the indentation does not fit', 'Items of one list or map stand in one column.'],
  IMPOSSIBLE: ['the text can not be read here'],
  MULTILINE_IMPLICIT_KEY: ['a key must stand on one line'],
  MULTIPLE_ANCHORS: ['a value has two anchors', 'Quote the value if the & belongs to it.'],
  MULTIPLE_TAGS: ['a value has two tags', 'Quote the value if the ! belongs to it.'],
  UNEXPECTED_TOKEN: ['something stands here that does not belong', 'Quote the whole value if it is meant as one text.'],
  BLOCK_AS_IMPLICIT_KEY: ['two keys stand in one line', 'Quote a text that contains a colon and a space.'],
  BLOCK_IN_FLOW: ['a list with dashes or a map over several lines can not stand in brackets'],
  BAD_SCALAR_START: ['a plain text can not start with this character', 'Quote it.'],
  BAD_DIRECTIVE: ['a line that starts with % is a directive', 'Specs need none: leave it out.'],
}

const unexplained = ['this can not be read'] as const

function yamlFault({ code, message, pos }: YamlError, text: string, { openQuote }: Survey): Diagnostic {
  const span = { start: pos[0], end: pos[1] }
  const from = text.lastIndexOf('\n', span.start - 1) + 1
  const line = text.slice(from, endOfLine(text, from))
  const mended = trapIn(line, code, message, span.start - from)
  if (mended) return diagnostic('yaml-trap', mended, span)
  const syntax = (reason: string, hint?: string, at = span): Diagnostic =>
    diagnostic('yaml-syntax', { reason, ...(hint ? { hint } : {}) }, at)
  const indentation = /^[ \t]*/.exec(line)![0]
  const tab = indentation.indexOf('\t')
  if (tab >= 0) return syntax(...reasons.TAB_AS_INDENT!, { start: from + tab, end: from + tab + 1 })
  const isClosing = /[\]}]/.test(text[span.start] ?? '')
  if (code === 'BAD_INDENT' && isClosing) return syntax('a closing bracket stands further left than what it closes', 'Indent it.')
  if (code === 'BAD_INDENT' && message.includes('Flow')) return syntax('a bracket that was opened above is not closed')
  if (message.startsWith('Missing closing')) {
    const at = openQuote === undefined ? span : { start: openQuote, end: endOfLine(text, openQuote) }
    return syntax('a quote that is opened here is never closed', undefined, at)
  }
  const [, key, rest] = (message.startsWith('Implicit map keys') && /^\s*([^\s:]+):(\S.*)$/.exec(line)) || []
  if (key) return syntax('a colon without a space after it ends no key', `Write  ${key}: ${rest}`)
  return syntax(...(reasons[code] ?? unexplained))
}

type Trap = { readonly what: string; readonly mended: string }

/** A line that YAML reads as something else than its writer did, and how to write it; `at` is where YAML stumbled. */
function trapIn(written: string, code: string, message: string, at: number): Trap | undefined {
  const line = written.trim()
  // the marks of list items, a key, its value
  const [, marks, key, value] = /^((?:- +)*)([^\s'"[{#].*?):\s+(.*)$/.exec(line) ?? []
  const inPlace = (mended: string): string => `${marks}${key}: ${mended}`
  if (key && value && /^-\s/.test(value) && message.includes('block-seq-ind'))
    return { what: `YAML reads "- " as the start of a list, so the value of ${key} is lost`, mended: inPlace(quoted(value)) }
  if (key && value && code === 'BLOCK_AS_IMPLICIT_KEY' && /^[^'"[{?]/.test(value))
    return { what: `the value of ${key} contains ": "`, mended: inPlace(quoted(value)) }
  if (code === 'BAD_DQ_ESCAPE') {
    const sequence = written.slice(at, at + 2)
    const open = written.lastIndexOf('"', at)
    const inner = /^"((?:\\.|[^"\\])*)"/.exec(written.slice(open))?.[1] ?? `${sequence}…`
    return { what: `in double quotes ${sequence} is an escape that YAML does not know`, mended: quoted(inner) }
  }
  const whole = /^(?:- +)+(['"[{].*)$/.exec(line)?.[1] ?? (/^['"[{]/.test(value ?? '') ? value : undefined)
  const before = whole === undefined ? -1 : written.indexOf(whole)
  const closing: Readonly<Record<string, string>> = { '[': ']', '{': '}', "'": "'", '"': '"' }
  if (whole && message.endsWith('at node end') && written.slice(before, at).trimEnd().endsWith(closing[whole[0]!]!)) {
    const kind = whole[0] === '[' ? 'a list' : whole[0] === '{' ? 'a map' : 'a quoted text'
    const mended = key && value === whole ? inPlace(quoted(whole)) : quoted(whole)
    return { what: `YAML reads what starts with ${whole[0]} as ${kind}, and nothing may follow it`, mended }
  }
  return undefined
}
