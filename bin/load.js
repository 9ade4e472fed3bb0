/**
 * Loads the command from dist/, with the code that V8 compiled when it was built: compiling it anew takes a third of the time that
 * a small derivation does. A Node of another version compiles anew.
 */
const { existsSync, readFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { join } = require('node:path')
const { setFlagsFromString } = require('node:v8')
const { Script } = require('node:vm')

const folder = join(__dirname, '..', 'dist')
const [file, cache] = ['cli.cjs', 'cli.cache'].map((name) => join(folder, name))

/**
 * A derivation is over before V8 has optimised much of it. Plain machine code is made of each function at once; functions that are
 * not inlined into each other are ready sooner, and only those that run often are worth it. This saves a quarter of a large
 * derivation.
 */
setFlagsFromString('--always-sparkplug')
setFlagsFromString('--max-inlined-bytecode-size-cumulative=40')
setFlagsFromString('--interrupt-budget=200000')

exports.load = () => {
  const cachedData = existsSync(cache) ? readFileSync(cache) : undefined
  // the build sees to it that the bundle is ASCII
  const script = new Script(readFileSync(file, 'latin1'), { filename: file, cachedData })
  const module = { exports: {} }
  script.runInThisContext()(module, createRequire(file))
  return { main: module.exports.main, compiled: () => script.createCachedData() }
}
