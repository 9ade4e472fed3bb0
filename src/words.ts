/** Every message that Backproof shows about an input: one entry a code, made from its parts, with a hint where one helps. */

type Words = readonly [message: string, hint?: string | undefined]
const maybe = (near: string | undefined) => (near ? `; did you mean ${near}?` : '')

export const words = {
  // the document
  'yaml-syntax': (p: { reason: string; hint?: string }): Words => [`this is not valid YAML: ${p.reason}`, p.hint],
  'yaml-trap': (p: { what: string; mended: string }): Words => [p.what, `quote it: ${p.mended}`],
  'yaml-flow': (p: { part: string }): Words => [
    `in braces YAML splits at commas, so ${p.part} became a key of its own`,
    'Write one entry a line, without braces.',
  ],
  'unknown-key': (p: { key: string; where: string; near?: string; known: string }): Words => [
    `${p.where} has no key ${p.key}${maybe(p.near)}`,
    p.near ? undefined : `known keys: ${p.known}`,
  ],
  'missing-key': (p: { key: string; where: string; hint?: string }): Words => [`${p.where} needs ${p.key}`, p.hint],
  expected: (p: { where: string; expected: string; found: string; hint?: string }): Words => [
    `${p.where} should be ${p.expected}, but is ${p.found}`,
    p.hint,
  ],
  'empty-document': (_: object): Words => [
    'the file is empty',
    'A spec needs inputs, layers and a loss; `backproof derive --help` shows one.',
  ],
  'too-large': (p: { what: string; limit: string }): Words => [`${p.what} is larger than ${p.limit}`],

  'array-too-large': (p: { shape: string; most: number }): Words => [
    `an array of the shape [${p.shape}] has more than ${p.most} entries`,
    'The derivation does not need numbers: --no-verify leaves the checks out. Checks take small sizes for what stays a symbol.',
  ],

  'not-a-row': (p: { found: string; count: number }): Words => [
    `rows are picked by whole numbers from 0 to ${p.count - 1}, not by ${p.found}`,
    'Declare what picks them as an index:  ids: {shape: [n], is: index(v)}',
  ],

  // the syntax of expressions
  syntax: (p: { expected: string; found: string; hint?: string }): Words => [`expected ${p.expected}, found ${p.found}`, p.hint],
  'no-equation': (p: { what: string }): Words => [
    `${p.what} needs an equation: a name, =, and an expression`,
    'for example  y = W @ x + b',
  ],
  'bad-name': (p: { name: string; why: string }): Words => [`${p.name} can't be used as a name here: ${p.why}`],

  // names
  'unknown-name': (p: { name: string; near?: string; hint?: string }): Words => [`${p.name} is not defined${maybe(p.near)}`, p.hint],
  'no-member': (p: {
    name: string
    family: string
    count: number
    listed: string
    written?: string | undefined
    lengths?: string | undefined
  }): Words => {
    const members = `${p.family} has ${p.count === 1 ? 'the member' : 'the members'} ${p.listed}`
    return p.lengths && p.written
      ? [`${p.written} is not defined`, `With ${p.lengths}, for example, it is ${p.name}, and ${members}.`]
      : [`${p.name} is not defined`, `${members} here.`]
  },
  'unknown-operation': (p: { name: string; near?: string }): Words => [
    `there is no operation ${p.name}${maybe(p.near)}`,
    p.near ? undefined : 'An unknown function can be declared:  functions: { F(x): opaque }',
  ],
  'duplicate-name': (p: { name: string; first: string }): Words => [
    `${p.name} is defined twice`,
    `It is already ${p.first}; every name has one definition.`,
  ],
  cycle: (p: { names: readonly string[] }): Words => [
    `${p.names[0]} depends on itself: ${[...p.names, p.names[0]].join(' ← ')}`,
    'A network is a graph without cycles; an equation may only use what is defined before it.',
  ],
  'unknown-module': (p: { name: string; near?: string }): Words => [
    `there is no module ${p.name}${maybe(p.near)}`,
    p.near ? undefined : 'Modules are declared under modules:.',
  ],
  'module-cycle': (p: { names: readonly string[] }): Words => [
    `the module ${p.names[0]} calls itself: ${p.names.join(' → ')}`,
    'A module may call instances of other modules, but no way may lead back to it.',
  ],
  'not-symbolic': (p: { what: string }): Words => [
    `the length of this loop can't stay a symbol: ${p.what} is not derived step by step`,
    'Give the length a value, under dims: or with --set N=3.',
  ],
  'symbolic-length': (p: { index: string; bound: string }): Words => [
    `the loop over ${p.index} ends at ${p.bound}, which has no value`,
    `Give it one, dims: or --set ${p.bound}=3.`,
  ],
  'used-before': (p: { name: string; line: number }): Words => [
    `${p.name} is used before it is defined (in line ${p.line})`,
    'Equations are read in order: move its definition up.',
  ],

  // operations and shapes
  shapes: (p: { what: string; detail: string; hint?: string }): Words => [`${p.what}: ${p.detail}`, p.hint],
  'argument-count': (p: { signature: string; given: number }): Words => [
    `${p.signature} got ${p.given} argument${p.given === 1 ? '' : 's'}`,
  ],
  'bad-argument': (p: { signature: string; argument: string; expected: string; found: string }): Words => [
    `${p.argument} of ${p.signature} should be ${p.expected}, but is ${p.found}`,
  ],
  'unknown-argument': (p: { signature: string; argument: string; near?: string }): Words => [
    `${p.signature} has no argument ${p.argument}${maybe(p.near)}`,
  ],
  'not-scalar': (p: { what: string; shape: string }): Words => [
    `${p.what} should be a scalar, but has the shape ${p.shape}`,
    'Reduce it (sum, mean, a loss such as half_sse), or declare it opaque: L(y).',
  ],
  'not-constant': (p: { what: string; found: string }): Words => [`${p.what} should be a number, but is ${p.found}`],
  'not-here': (p: { what: string; where: string; hint?: string }): Words => [`${p.what} can't stand in ${p.where}`, p.hint],
  'later-version': (p: { what: string }): Words => [`${p.what} is not supported yet`],
  'bad-dim': (p: { what: string; found: string; hint?: string }): Words => [`${p.what} can't be a size: ${p.found}`, p.hint],
  'unknown-size': (p: { name: string; near?: string }): Words => [`the spec has no size ${p.name}${maybe(p.near)}`],
  'not-a-size': (p: { name: string; what: string }): Words => [
    `${p.name} is ${p.what}, so no number can be set for it`,
    'Numbers are set for the symbols of sizes and of the lengths of loops.',
  ],
  'no-draw': (p: { why: string }): Words => [`no random point could be drawn: ${p.why}`],

  // numbers from a file
  'json-syntax': (p: { expected: string; found: string }): Words => [
    `this is not JSON as dumps have it: expected ${p.expected}, found ${p.found}`,
  ],
  'not-a-number': (p: { index: string; found: string; more: number }): Words => [
    `${p.index} is ${p.found}, which is not a number${p.more > 0 ? ` (and so ${p.more === 1 ? 'is one more entry' : `are ${p.more} more entries`})` : ''}`,
  ],
  ragged: (p: { name: string; detail: string }): Words => [
    `${p.name} is ragged: ${p.detail}`,
    'All lists of one level have the same length.',
  ],
  'unknown-value': (p: { name: string; near?: string; known: string }): Words => [
    `the spec has no value ${p.name}${maybe(p.near)}`,
    p.near ? undefined : `Its values are: ${p.known}`,
  ],
  'not-given': (p: { name: string; role: string; shape: string }): Words => [`the values lack ${p.name}, ${p.role} of shape ${p.shape}`],
  'no-seed': (p: { loss: string; name: string; key: string }): Words => [
    `${p.loss} is opaque, so the gradient that it sends to ${p.name} must be given`,
    `Give it as  "gradients": {"${p.key}": …}`,
  ],
  'nameless-seed': (p: { loss: string }): Words => [
    `${p.loss} is opaque and has an argument without a name, whose gradient can't be given`,
    'Give the argument an equation of its own under layers.',
  ],
  'wrong-size': (p: { name: string; found: string; expected: string; because: string; turned: boolean; stacked: boolean }): Words => [
    `${p.name} is ${p.found}, but should be ${p.expected}${p.because}`,
    p.turned
      ? `Transposed it fits: give ${p.name}.T, or turn its shape round in the spec.`
      : p.stacked
        ? 'It has an axis too many in front: was the error not summed over the batch?'
        : undefined,
  ],
  'size-not-told': (p: { name: string }): Words => [`no array tells the size ${p.name}`, `Fix it with --set ${p.name}=…, or under dims.`],
  'other-value': (p: { name: string; found: string; expected: string }): Words => [
    `${p.name} is ${p.found} here, but ${p.expected} in the spec`,
    'Leave it out, or correct one of them.',
  ],
  'can-not-evaluate': (p: { name: string; functions: string }): Words => [
    `${p.name} can't be evaluated: what ${p.functions} computes is not known`,
    'An opaque function has no numbers. Write it out under functions or layers.',
  ],
  'no-gradients': (_: object): Words => ['the dump has no gradients', 'A dump is {"values": {…}, "gradients": {…}}.'],
  'gradient-not-given': (p: { name: string }): Words => [
    `the gradients lack ${p.name}`,
    `If ${p.name} is not trained, declare it under constants.`,
  ],
  'not-differentiated': (p: { name: string }): Words => [
    `${p.name} is a constant, which has no gradient`,
    'Leave it out, or declare it under inputs.',
  ],
  'one-input': (_: object): Words => ['the standard input can be read only once', 'Give one of the two as a file.'],
  'counts-need-lengths': (p: { index: string }): Words => [
    `ways can only be counted when the loop over ${p.index} has a length`,
    'Give it one: --set N=10, or dims in the spec.',
  ],
  'one-spec': (p: { given: number }): Words => [`--values belongs to one spec, but ${p.given} are given`],

  'expanded-too-large': (p: { of: string; terms: number }): Words => [
    `the expanded gradient by ${p.of} has more than ${p.terms} parts`,
    'Every way through the network is written out in it. The local form names what ways share: --form local.',
  ],

  // the command line
  'no-such-node': (p: { name: string; near?: string; known: string }): Words => [
    `there is no node ${p.name}${maybe(p.near)}`,
    `The gradients are of: ${p.known}`,
  ],
  'bad-option': (p: { option: string; expected: string; found: string }): Words => [
    `${p.option} should be ${p.expected}, but is ${p.found}`,
  ],
  'no-file': (p: { path: string; reason: string }): Words => [`${p.path} can't be read: ${p.reason}`],
  'no-output': (p: { path: string; reason: string }): Words => [`${p.path} can't be written: ${p.reason}`],
} as const

export type Code = keyof typeof words
export type Parts<C extends Code> = Parameters<(typeof words)[C]>[0]

/** What a spec promises, and an array does not keep. */
export const promises = {
  domain: (p: { name: string; domain: string }) => `${p.name} is declared ${p.domain}, but is not: formulas that use it may not hold here`,
  condition: (p: { condition: string }) => `${p.condition} does not hold here, as the spec assumes`,
} as const

/** Why a gradient was not compared with differences. */
export const verified = {
  kink: (_: object) => 'small changes of it meet a kink or a tie',
  rounding: (_: object) => 'rounding hides what small changes of it do',
  'not-linear': (p: { functions: readonly string[] }) =>
    p.functions.length === 1
      ? `the vjp of ${p.functions[0]} is not linear in the error g`
      : `the vjps of ${p.functions.join(' and ')} are not linear in the error g`,
  empty: (_: object) => 'it has no entries',
  'not-finite': (_: object) => 'no random point gave finite values (conditions under assume can help)',
  'not-met': (_: object) => 'the loops that were unrolled do not have it',
  together: (p: { from: string; to: string; operation: string }) => `together: ${p.from} → ${p.to} is ${p.operation}, written out`,
  'closed-same': (p: { count: number }) =>
    p.count === 1 ? '1 closed form has the same values as its paths' : `${p.count} closed forms have the same values as their paths`,
  'closed-differs': (p: { of: string }) => `the closed form of the gradient by ${p.of} has other values than its paths`,
} as const

/** Why a claim is neither right nor wrong. */
export const undecided = {
  nothing: (_: object) => 'the index takes no value',
  empty: (_: object) => 'the sides have no entries',
  points: (p: { compared: number; points: number }) => `the sides had finite values at ${p.compared} of ${p.points} points`,
  missing: (p: { what: string; lengths: string }) => `for ${p.lengths}, ${p.what}`,
  'few-lengths': (p: { lengths: string }) => `the sides agree for ${p.lengths}, but that says too little about other lengths`,
} as const

/** What to do about some faults that have no code of their own. */
export const hints = {
  list: 'Several values make a list, in brackets: axis=[0, 2].',
  transposed: 'Transpose one of them (.T).',
  diagonal: 'The Jacobian of a pointwise function is a diagonal matrix: diag(…).',
  outer: 'A vector has one axis, so .T of it is itself, and a @ b.T is a number: the matrix is outer(a, b).',
} as const

/** What a claim or a gradient got wrong, in one sentence: mistakes by the kind that reports name. */
export const mistakes = {
  missing: (p: { term: string; way: string; why: string }) => `missing ${p.term}: ${p.way}${p.why}`,
  'skip-is-summand': (p: { from: string; to: string }) => `: ${p.from} is also a summand of ${p.to}, so it is not a constant`,
  'uses-add-up': (_: object) => ': contributions of all uses add up',
  'missing-upstream': (p: { term: string; of: string; way: string }) => `the error that arrives at ${p.of} lacks ${p.term}: ${p.way}`,
  'sign-of-term': (p: { term: string; way: string }) => `wrong sign of ${p.term}: ${p.way}`,
  'factor-of-term': (p: { factor: string; term: string; way: string }) => `off by ${p.factor} in ${p.term}${p.way ? `: ${p.way}` : ''}`,
  twice: (p: { term: string; way: string }) => `${p.term} is counted twice: ${p.way}`,
  negative: (_: object) => 'wrong sign: it is the negative of what is derived',
  factor: (p: { factor: string; why: string }) => `off by ${p.factor}${p.why}`,
  averaged: (_: object) => ': a sum copies the error, it does not average it',
  'mean-forgotten': (_: object) => ': a mean divides by the number of its entries',
  'mean-too-much': (p: { size: string }) => `: nothing is averaged over ${p.size}`,
  'depends-on-sizes': (_: object) => 'off by a factor that depends on the sizes',
  zero: (_: object) => 'it is zero: no error arrived',
  transposed: (_: object) => 'it is the transpose of what is derived',
  'not-transposed': (p: { matrix: string }) => `${p.matrix} is not transposed: going back through a matrix multiplies by its transpose`,
  'factor-left-out': (p: { factor: string }) => `missing the factor ${p.factor}`,
  'term-left-out': (p: { term: string }) => `missing the term ${p.term}`,
  mask: (p: { mask: string }) => `missing the mask ${p.mask}: the error passes only where the activation lets it`,
  point: (p: { wrong: string; right: string }) => `${p.wrong} is taken at the wrong point: it should be ${p.right}`,
  'one-sample': (p: { which: string; axis: string; of: string }) =>
    `only the ${p.which} entry of axis ${p.axis} of ${p.of} was used: the error is summed over all of them`,
  constant: (p: { names: readonly string[]; on: string }) =>
    p.names.length === 1
      ? `${p.names[0]} was taken for a constant, but it depends on ${p.on}`
      : `${p.names.join(' and ')} were taken for constants, but they depend on ${p.on}`,
  extra: (p: { term: string }) => `extra ${p.term}: no path brings it`,
  decay: (p: { factor: string; name: string }) => `extra ${p.factor} ${p.name}: a multiple of ${p.name} itself (weight decay?)`,
  'of-another': (p: { gradient: string }) => `it is ${p.gradient}`,
  'row-sum': (p: { jacobian: string }) => `the row sums of ${p.jacobian} do not replace its product with the error`,
  'column-sum': (p: { jacobian: string }) => `the column sums of ${p.jacobian} do not replace its product with the error`,
  diagonal: (p: { jacobian: string }) => `only the diagonal of ${p.jacobian} was used: its entries depend on each other`,
  'jacobian-not-transposed': (p: { jacobian: string }) =>
    `${p.jacobian} is not transposed: an error goes back through the transposed Jacobian`,
  'wrong-order': (p: { written: string; mended: string }) => `wrong order of factors: ${p.written} should be ${p.mended}`,
  'transpose-too-many': (p: { written: string; mended: string }) => `a transpose too many: ${p.written} should be ${p.mended}`,
  'transpose-missing': (p: { what: string; matrix: string }) => `${p.what} is not transposed: ${p.matrix} should be ${p.matrix}.T`,
  'wrong-axis': (p: { written: string; mended: string }) => `the wrong axis: ${p.written} should be ${p.mended}`,
  'wrong-sign': (p: { term: string; sign: string }) => `wrong sign of ${p.term}: it should be ${p.sign}`,
  'too-much': (p: { part: string; whole: string }) => `${p.part} is too much in ${p.whole}`,
  'sum-missing': (p: { written: string; mended: string }) => `not summed: ${p.written} should be ${p.mended}`,
  'by-shapes': (p: { message: string }) => `refuted by its shapes alone: ${p.message}`,
  unused: (p: { name: string }) => `the loss does not depend on ${p.name}: its gradient is zero`,
  unexplained: (_: object) => 'the sides differ, and no simple mistake explains it',
} as const
