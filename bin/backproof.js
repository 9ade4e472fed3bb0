#!/usr/bin/env node
const { main } = require('./load.js').load()
const leave = () => process.exit()
// once everything is written, nobody need wait until the memory of a large derivation has been given back piece by piece
main(process.argv).then(() => process.stdout.write('', () => process.stderr.write('', leave)))
