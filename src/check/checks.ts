/** All that checks a derivation. It is loaded when something is to be checked: with the laws of its proofs it is a third of the program. */
export { compareDump } from './comparison.ts'
export { evaluateNetwork } from './evaluation.ts'
export { judge } from './judge.ts'
export { checkLoops } from './unrolled.ts'
export { verify } from './verify.ts'
