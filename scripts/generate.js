/** Writes a large spec to the standard output: `node scripts/generate.js chain 1024`, or `diamond` or `fanout`. */

const count = (n, of) => Array.from({ length: n }, (_, i) => of(i))

/** Residual blocks in a row: x(i+1) = V(i) relu(W(i) x(i)) + x(i). */
const chain = (n) => ({
  name: `A chain of ${n} residual blocks`,
  inputs: ['x0: [d]'],
  params: count(n, (i) => [`W${i}: [h, d]`, `V${i}: [d, h]`]).flat(),
  layers: count(n, (i) => [`a${i} = W${i} @ x${i}`, `u${i} = relu(a${i})`, `F${i} = V${i} @ u${i}`, `x${i + 1} = F${i} + x${i}`]).flat(),
  loss: `L(x${n})`,
})

/** Two branches that part and meet again n times: there are 2ⁿ paths from x0 to the loss. */
const diamond = (n) => ({
  name: `${n} diamonds in a row`,
  inputs: ['x0: [d]'],
  params: [],
  layers: count(n, (i) => [`p${i} = tanh(x${i})`, `q${i} = sigmoid(x${i})`, `x${i + 1} = p${i} + q${i}`]).flat(),
  loss: `L(x${n})`,
})

/** One value with n consumers, which one sum joins. */
const fanout = (n) => ({
  name: `A value with ${n} consumers`,
  inputs: ['x: [d]'],
  params: count(n, (i) => `W${i}: [h, d]`),
  layers: [...count(n, (i) => `u${i} = tanh(W${i} @ x)`), `y = ${count(n, (i) => `u${i}`).join(' + ')}`],
  loss: 'L(y)',
})

const kinds = { chain, diamond, fanout }

const block = (key, lines, mark = '') => (lines.length === 0 ? [] : [`${key}:`, ...lines.map((line) => `  ${mark}${line}`)])

const yaml = ({ name, inputs, params, layers, loss }) => {
  const blocks = [...block('inputs', inputs), ...block('params', params), ...block('layers', layers, '- ')]
  return [`name: ${name}`, ...blocks, `loss: ${loss}`, ''].join('\n')
}

const [kind, size] = process.argv.slice(2)
if (!Object.hasOwn(kinds, kind ?? '') || !/^[1-9]\d*$/.test(size ?? '')) {
  process.stderr.write(`usage: node scripts/generate.js ${Object.keys(kinds).join('|')} N\n`)
  process.exitCode = 2
} else process.stdout.write(yaml(kinds[kind](Number(size))))
