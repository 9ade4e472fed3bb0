/** Writes a large spec to the standard output: `node scripts/generate.js chain 1024`, or gpt 96, resnet 152, diamond, nest or fanout. */

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

/** n blocks of a decoder with twelve heads: Radford et al. 2019, section 2.3; Brown et al. 2020 have n = 96. */
const gpt = (n) => ({
  name: `A transformer of ${n} pre-LN blocks`,
  inputs: ['X[0]: [n, 12*k]'],
  params: [`blocks[${n}]: Block`],
  modules: `  Block(X):
    params:
      g1: [12*k]
      b1: [12*k]
      W_Q: [12*k, 12*k]
      W_K: [12*k, 12*k]
      W_V: [12*k, 12*k]
      W_O: [12*k, 12*k]
      g2: [12*k]
      b2: [12*k]
      W_1: [12*k, 48*k]
      W_2: [48*k, 12*k]
    layers:
      - A = layer_norm(X, g1, b1)
      - Q = transpose(reshape(A @ W_Q, [n, 12, k]), [1, 0, 2])
      - K = transpose(reshape(A @ W_K, [n, 12, k]), [1, 0, 2])
      - V = transpose(reshape(A @ W_V, [n, 12, k]), [1, 0, 2])
      - O = attention(Q, K, V, causal=True)
      - Y = X + reshape(transpose(O, [1, 0, 2]), [n, 12*k]) @ W_O
      - B = layer_norm(Y, g2, b2)
      - Z = Y + gelu(B @ W_1) @ W_2
    returns: Z`,
  layers: [`for l in range(${n}):`, '    - X[l+1] = blocks[l](X[l])'],
  loss: `L(X[${n}])`,
})

/** He et al. 2016, table 1: bottlenecks in each of the four stages. */
const stages = { 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3] }

const resnet = (n) => {
  const widths = (stages[n] ?? []).flatMap((length, stage) =>
    count(length, (i) => ({ c: 64 * 2 ** stage, stride: i === 0 && stage > 0 ? 2 : 1, i })),
  )
  const params = ['K: [64, 3, 7, 7]']
  const layers = ['z = conv2d(x, K, stride=2, padding=3)', 'y0 = max_pool2d(relu(z), 3, stride=2, padding=1)']
  let from = 64
  for (const [k, { c, stride, i }] of widths.entries()) {
    params.push(`A${k}: [${c}, ${from}, 1, 1]`, `B${k}: [${c}, ${c}, 3, 3]`, `C${k}: [${4 * c}, ${c}, 1, 1]`)
    if (i === 0) params.push(`S${k}: [${4 * c}, ${from}, 1, 1]`)
    const skip = i === 0 ? `conv2d(y${k}, S${k}, stride=${stride})` : `y${k}`
    for (const v of ['a', 'b']) params.push(`gamma_${v}${k}: [${c}]`, `beta_${v}${k}: [${c}]`)
    const layer = (v, convolved) => `${v}${k} = relu(batch_norm(${convolved}, gamma_${v}${k}, beta_${v}${k}))`
    layers.push(layer('a', `conv2d(y${k}, A${k})`), layer('b', `conv2d(a${k}, B${k}, stride=${stride}, padding=1)`))
    layers.push(`F${k} = conv2d(b${k}, C${k})`, `y${k + 1} = relu(F${k} + ${skip})`)
    from = 4 * c
  }
  params.push('W: [1000, 2048]')
  layers.push(`o = global_avg_pool(y${widths.length}) @ W.T`)
  return { name: `ResNet-${n}`, inputs: ['x: [m, 3, 32*h, 32*w]'], params, layers, loss: 'L(o)' }
}

/** Modules within modules, n deep, each with a skip of its own. */
const nest = (n) => ({
  name: `Modules ${n} deep`,
  inputs: ['x: [d]'],
  params: [`net: M${n - 1}`],
  modules: count(n, (i) => {
    const inner = i === 0 ? [] : [`      inner: M${i - 1}`]
    return [
      `  M${i}(x):`,
      '    params:',
      '      W: [d, d]',
      ...inner,
      '    layers:',
      `      - y = x + ${i === 0 ? 'tanh(W @ x)' : 'inner(W @ x)'}`,
      '    returns: y',
    ].join('\n')
  }).join('\n'),
  layers: ['y = net(x)'],
  loss: 'L(y)',
})

const kinds = { chain, gpt, resnet, diamond, nest, fanout }

const block = (key, lines) => (lines.length === 0 ? [] : [`${key}:`, ...lines.map((line) => `  ${line}`)])

const yaml = ({ name, inputs, params, modules, layers, loss }) => {
  const equations = layers.map((line) => (line.startsWith(' ') ? `  ${line}` : `- ${line}`))
  const parts = modules ? ['modules:', modules] : []
  const blocks = [...block('inputs', inputs), ...block('params', params), ...parts, ...block('layers', equations)]
  return [`name: ${name}`, ...blocks, `loss: ${loss}`, ''].join('\n')
}

const [kind, size] = process.argv.slice(2)
if (!Object.hasOwn(kinds, kind ?? '') || !/^[1-9]\d*$/.test(size ?? '')) {
  process.stderr.write(`usage: node scripts/generate.js ${Object.keys(kinds).join('|')} N\n`)
  process.exitCode = 2
} else process.stdout.write(yaml(kinds[kind](Number(size))))
