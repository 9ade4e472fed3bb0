#!/usr/bin/env node
const { main } = require('./load.js').load()
// what could not be written is told by the one who listens for it
const leave = (error) => {
  if (!error) process.exit()
}
// once everything is written, nobody need wait until the memory of a large derivation has been given back piece by piece
main(process.argv).then(() => process.stdout.write('', (error) => process.stderr.write('', () => leave(error))))
