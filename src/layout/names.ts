/** How a name from a spec is set: Greek letters, subscripts, primes (W1 → W₁, alpha → α, x_hat → x̂). */
import { type Layout, Level, type Mark, symbol } from './layout.ts'
import { lowered, raisedText } from './text.ts'

const greek: ReadonlyMap<string, string> = new Map(
  Object.entries({
    alpha: 'α',
    beta: 'β',
    gamma: 'γ',
    delta: 'δ',
    epsilon: 'ε',
    eps: 'ε',
    zeta: 'ζ',
    eta: 'η',
    theta: 'θ',
    iota: 'ι',
    kappa: 'κ',
    lambda: 'λ',
    lam: 'λ',
    mu: 'μ',
    nu: 'ν',
    xi: 'ξ',
    pi: 'π',
    rho: 'ρ',
    sigma: 'σ',
    tau: 'τ',
    upsilon: 'υ',
    phi: 'φ',
    chi: 'χ',
    psi: 'ψ',
    omega: 'ω',
    Gamma: 'Γ',
    Delta: 'Δ',
    Theta: 'Θ',
    Lambda: 'Λ',
    Xi: 'Ξ',
    Pi: 'Π',
    Sigma: 'Σ',
    Phi: 'Φ',
    Psi: 'Ψ',
    Omega: 'Ω',
  }),
)
const commands: ReadonlyMap<string, string> = new Map([
  ...[...greek].map(([name, letter]) => [letter, `\\${name}`] as const),
  ['ε', '\\varepsilon'],
  ['φ', '\\varphi'],
  ['λ', '\\lambda'],
])
type Accent = readonly [combining: string, command: string]
const accents: ReadonlyMap<string, Accent> = new Map([
  ['hat', ['\u0302', '\\hat']],
  ['bar', ['\u0304', '\\bar']],
  ['tilde', ['\u0303', '\\tilde']],
  ['dot', ['\u0307', '\\dot']],
])

/**
 * The layout of a value's full name: W1, z[3], or blocks[2].W1, in which an instance is a raised mark on the name of what
 * is in it, W₁⁽²⁾. `brief` leaves out the family of an instance, for networks that have only one; `notation` is the LaTeX
 * that an author gave to names.
 */
export function fullNameLayout(name: string, notation: ReadonlyMap<string, string>, brief: boolean): Mark {
  if (!joints.test(name)) return nameLayout(name, notation.get(name))
  const segments = name.split(/\.(?![^[]*\])/)
  const last = partsOf(segments.at(-1)!)
  const base = plainNameLayout(last.base, notation)
  const marks = segments.slice(0, -1).map((segment) => instanceMark(segment, brief))
  const at = last.indices.map((i) => `[${i.replaceAll('-', '−').replaceAll('*', '·')}]`).join('')
  const raised = marks.length > 0 ? raisedText(`(${marks.join(' ')})`) : ''
  const isShort = raised !== undefined && raised.length <= longestMark
  const text =
    marks.length === 0 ? base.text + at : isShort ? `${base.text}${raised}${at}` : `${segments.slice(0, -1).join('.')}.${base.text}${at}`
  return symbol(text, notation.get(name) ?? fullLatex(latexOf(base), marks, last.indices))
}

function fullLatex(base: string, marks: readonly string[], indices: readonly string[]): string {
  const above = marks.map(markTex).join(',')
  const below = indices.map(indexTex).join(',')
  if (below === '') return `${base}^{(${above})}`
  if (!base.includes('_')) return `${base}${above ? `^{(${above})}` : ''}_{${below}}`
  return `${base}^{(${[above, below].filter((part) => part !== '').join(',')})}`
}

/** What joins a full name of its parts. */
const joints = /[.[]/

/** Longer marks are harder to read raised than in front: encoder.W₁. */
const longestMark = 9

const partsOf = (segment: string): { base: string; indices: string[] } => {
  const [base, ...indices] = segment.split('[')
  return { base: base!, indices: indices.map((i) => i.slice(0, -1)) }
}

const instanceMark = (segment: string, brief: boolean): string => {
  const { base, indices } = partsOf(segment)
  return indices.length > 0 && (brief || base === 'call') ? indices.join(',') : segment
}

const markTex = (mark: string): string => (/^[\d,+\- ]+$|^[A-Za-z]([+-]\d+)?$/.test(mark) ? mark : `\\text{${mark.replaceAll('_', '\\_')}}`)
const indexTex = (index: string): string => index.replaceAll('*', ' ').replaceAll('−', '-')

/** The layout of a name without instances and indices, in its author's notation if it has one. */
export const plainNameLayout = (name: string, notation: ReadonlyMap<string, string>): Mark => nameLayout(name, notation.get(name))

/** The layout of a declared name. The text form stays readable where Unicode has no subscript for it. */
export function nameLayout(name: string, latex: Mark['latex'] = { name }): Mark {
  const end = endOfBase(name)
  const base = name.slice(0, end)
  const stem = greek.get(base) ?? base
  if (end === name.length) return symbol(stem, latex)
  const mark = markFrom(end, name)
  const accent = accents.get(mark)
  if (accent && isOneLetter(stem)) return symbol((stem + accent[0]).normalize('NFC'), latex)
  const below = greek.get(mark) ?? mark
  const text = lowered(below)
  return symbol(text === undefined ? `${stem}_${below}` : stem + text, latex)
}

export const latexOf = ({ latex }: Mark): string => (typeof latex === 'string' ? latex : nameLatex(latex.name))

function nameLatex(name: string): string {
  const end = endOfBase(name)
  const base = name.slice(0, end)
  const latex = partLatex(base)
  if (end === name.length) return latex
  const mark = markFrom(end, name)
  const accent = accents.get(mark)
  return accent && isOneLetter(greek.get(base) ?? base) ? `${accent[1]}{${latex}}` : `${latex}_{${partLatex(mark)}}`
}

const isOneLetter = (stem: string): boolean => [...stem].length === 1

/** Where the mark of a name begins: W1 → W, 1;  W_out → W, _out;  Ws → W, s;  hidden2 → hidden, 2 */
function endOfBase(name: string): number {
  const joint = name.indexOf('_')
  if (joint > 0 && joint < name.length - 1) return joint
  const at = name.search(latinMark)
  const start = at < 0 && !isAscii(name) ? name.search(/(?=\d+$)(?<=^\D*\p{L})|(?<=^\p{Lu})(?=\p{Ll}$)/u) : at
  return start < 0 || greek.has(name) ? name.length : start
}

const markFrom = (end: number, name: string): string => name.slice(name[end] === '_' ? end + 1 : end)

// a number behind letters, or a small letter behind a great one
const latinMark = /(?=\d+$)(?<=^\D*[A-Za-z])|(?<=^[A-Z])(?=[a-z]$)/
const [number, oneLetter, ascii] = [/^\d+$/, /^[A-Za-z]$/, /^[\x20-\x7e]*$/]

const isAscii = (text: string): boolean => ascii.test(text)

/** One letter or a number as it is, Greek letters by their commands, and what is longer upright. */
function partLatex(part: string): string {
  const letter = greek.get(part) ?? part
  return commands.get(letter) ?? (oneLetter.test(part) || number.test(part) ? part : upright(part))
}

const upright = (text: string): string =>
  isAscii(text) ? `\\mathrm{${text.replaceAll('_', '\\_')}}` : `\\text{${text.replaceAll('_', '\\_')}}`

/** A number as it is written in a formula: ½ rather than 0.5, 10⁻⁵ rather than 1e-5. */
export function numberLayout(value: number): Layout {
  const fractions: Readonly<Record<string, readonly [string, string]>> = {
    '0.5': ['½', '\\tfrac{1}{2}'],
    '0.25': ['¼', '\\tfrac{1}{4}'],
    '0.75': ['¾', '\\tfrac{3}{4}'],
  }
  const known = fractions[String(value)]
  if (known) return symbol(known[0], known[1])
  const written = value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value)
  const scientific = /^(-?[\d.]+)e([+-]\d+)$/.exec(written)
  const level = value < 0 ? Level.sum : Level.atom
  if (!scientific) return symbol(String(value).replace('-', '−'), String(value), level)
  const [, digits, power] = scientific
  const exponent = String(Number(power))
  const raised = [...exponent].map((c) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)] ?? '⁻').join('')
  return digits === '1'
    ? symbol(`10${raised}`, `10^{${exponent}}`, level)
    : symbol(`${digits!.replace('-', '−')}·10${raised}`, `${digits}\\cdot 10^{${exponent}}`, level)
}
