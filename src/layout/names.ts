/** How a name from a spec is set: Greek letters, subscripts, primes (W1 → W₁, alpha → α, x_hat → x̂). */
import { type Layout, Level, symbol } from './layout.ts'
import { lowered, raisedText } from './text.ts'

const greek: Readonly<Record<string, string>> = {
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
}
const greekCommand: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(greek).map(([name, letter]) => [letter, `\\${name}`])),
  ε: '\\varepsilon',
  φ: '\\varphi',
  λ: '\\lambda',
}
const accents: Readonly<Record<string, readonly [combining: string, command: string]>> = {
  hat: ['\u0302', '\\hat'],
  bar: ['\u0304', '\\bar'],
  tilde: ['\u0303', '\\tilde'],
  dot: ['\u0307', '\\dot'],
}

/**
 * The layout of a value's full name: W1, z[3], or blocks[2].W1, in which an instance is a raised mark on the name of what
 * is in it, W₁⁽²⁾. `brief` leaves out the family of an instance, for networks that have only one; `own` is the notation
 * that an author gave to a plain name.
 */
export function fullNameLayout(name: string, own: (plain: string) => Layout | undefined, brief: boolean): Layout {
  if (!/[.[]/.test(name)) return own(name) ?? nameLayout(name)
  const segments = name.split(/\.(?![^[]*\])/)
  const last = partsOf(segments.at(-1)!)
  const base = (own(last.base) ?? nameLayout(last.base)) as Layout & { kind: 'symbol' }
  const marks = segments.slice(0, -1).map((segment) => instanceMark(segment, brief))
  const at = last.indices.map((i) => `[${i.replaceAll('-', '−').replaceAll('*', '·')}]`).join('')
  const raised = marks.length > 0 ? raisedText(`(${marks.join(' ')})`) : ''
  const isShort = raised !== undefined && raised.length <= longestMark
  const text =
    marks.length === 0 ? base.text + at : isShort ? `${base.text}${raised}${at}` : `${segments.slice(0, -1).join('.')}.${base.text}${at}`
  const above = marks.map(markTex).join(',')
  const below = last.indices.map(indexTex).join(',')
  if (below === '') return symbol(text, `${base.latex}^{(${above})}`)
  if (!base.latex.includes('_')) return symbol(text, `${base.latex}${above ? `^{(${above})}` : ''}_{${below}}`)
  return symbol(text, `${base.latex}^{(${[above, below].filter((part) => part !== '').join(',')})}`)
}

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

/** The layout of a declared name. The text form stays readable where Unicode has no subscript for it. */
export function nameLayout(name: string): Layout {
  const { base, mark } = split(name)
  const accent = accents[mark]
  const stem = stemLayout(base)
  if (accent && [...stem.text].length === 1) return symbol((stem.text + accent[0]).normalize('NFC'), `${accent[1]}{${stem.latex}}`)
  if (mark === '') return symbol(stem.text, stem.latex)
  const text = lowered(greek[mark] ?? mark)
  return symbol(text === undefined ? `${stem.text}_${greek[mark] ?? mark}` : stem.text + text, `${stem.latex}_{${markLatex(mark)}}`)
}

/** W1 → W, 1;  W_out → W, out;  Ws → W, s;  hidden2 → hidden, 2 */
function split(name: string): { base: string; mark: string } {
  const at = name.indexOf('_')
  if (at > 0 && at < name.length - 1) return { base: name.slice(0, at), mark: name.slice(at + 1) }
  const isPlain = /^[\x20-\x7e]*$/.test(name)
  const numbered = endsInDigit(name) ? (isPlain ? /^(\D*[A-Za-z])(\d+)$/ : /^(\D*\p{L})(\d+)$/u).exec(name) : null
  if (numbered) return { base: numbered[1]!, mark: numbered[2]! }
  const lettered = name.length > 1 ? (isPlain ? /^([A-Z])([a-z])$/ : /^(\p{Lu})(\p{Ll})$/u).exec(name) : null
  if (lettered && !(name in greek)) return { base: lettered[1]!, mark: lettered[2]! }
  return { base: name, mark: '' }
}

const endsInDigit = (name: string): boolean => name !== '' && '0123456789'.includes(name.at(-1)!)

function stemLayout(base: string): { text: string; latex: string } {
  const letter = greek[base] ?? base
  if (greekCommand[letter]) return { text: letter, latex: `${greekCommand[letter]}` }
  return [...base].length === 1 && /[A-Za-z]/.test(base) ? { text: base, latex: base } : { text: base, latex: upright(base) }
}

const upright = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text) ? `\\mathrm{${text.replaceAll('_', '\\_')}}` : `\\text{${text.replaceAll('_', '\\_')}}`

function markLatex(mark: string): string {
  const letter = greek[mark] ?? mark
  if (greekCommand[letter]) return greekCommand[letter]
  return /^(\d+|[A-Za-z])$/.test(mark) ? mark : upright(mark)
}

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
