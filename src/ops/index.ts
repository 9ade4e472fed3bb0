/** All operations that a spec can call, by the names it calls them with. */

import * as p from './activation.ts'
import * as a from './arithmetic.ts'
import * as arrange from './arrange.ts'
import { attentions } from './attention.ts'
import { convolution } from './convolution.ts'
import type { Operation } from './define.ts'
import * as e from './elementary.ts'
import * as gather from './gather.ts'
import * as likely from './likelihood.ts'
import * as linear from './linear.ts'
import * as loss from './loss.ts'
import * as matrix from './matrix.ts'
import * as moment from './moments.ts'
import * as move from './movement.ts'
import { norms } from './normalise.ts'
import { pools } from './pool.ts'
import * as reduce from './reduction.ts'
import { units } from './rms.ts'
import * as soft from './softmax.ts'

const all: readonly Operation[] = [
  // sums, products, choices
  a.add,
  a.negate,
  a.multiply,
  a.divide,
  e.power,
  a.maximum,
  a.minimum,
  a.where,
  a.clip,
  a.stopGradient,
  a.greater,
  a.greaterEqual,
  a.less,
  a.lessEqual,
  a.equal,
  a.notEqual,
  // functions of calculus
  e.exp,
  e.log,
  e.log1p,
  e.sqrt,
  e.rsqrt,
  e.square,
  e.abs,
  e.sign,
  e.sin,
  e.cos,
  e.erf,
  e.reciprocal,
  // activations and their derivatives
  p.relu,
  p.reluPrime,
  p.leakyRelu,
  p.leakyReluPrime,
  p.elu,
  p.eluPrime,
  p.selu,
  p.seluPrime,
  p.sigmoid,
  p.sigmoidPrime,
  p.logsigmoid,
  p.logsigmoidPrime,
  p.tanh,
  p.tanhPrime,
  p.softplus,
  p.softplusPrime,
  p.softsign,
  p.softsignPrime,
  p.gelu,
  p.geluPrime,
  p.silu,
  p.siluPrime,
  p.mish,
  p.mishPrime,
  p.hardsigmoid,
  p.hardsigmoidPrime,
  p.hardswish,
  p.hardswishPrime,
  p.hardtanh,
  p.hardtanhPrime,
  p.relu6,
  p.relu6Prime,
  p.prelu,
  // products of matrices and vectors
  linear.matmul,
  linear.matvec,
  linear.vecmat,
  linear.dot,
  linear.outer,
  matrix.linear,
  matrix.bilinear,
  matrix.einsum,
  matrix.diag,
  matrix.trace,
  matrix.inv,
  matrix.solve,
  // movement
  move.broadcast,
  move.sum,
  move.reshape,
  move.transpose,
  move.slice,
  move.embed,
  move.pad,
  move.concat,
  move.stack,
  arrange.flatten,
  arrange.squeeze,
  arrange.unsqueeze,
  arrange.flip,
  arrange.roll,
  arrange.repeat,
  arrange.tril,
  gather.take,
  gather.embedding,
  gather.scatter,
  gather.oneHot,
  // reductions
  reduce.max,
  reduce.min,
  reduce.argmax,
  reduce.argmin,
  reduce.prod,
  reduce.logsumexp,
  reduce.norm,
  reduce.cumsum,
  // what divides by a sum
  moment.mean,
  soft.softmax,
  soft.logSoftmax,
  moment.variance,
  moment.deviation,
  ...norms,
  ...units,
  ...attentions,
  // images
  ...convolution,
  ...pools,
  // losses
  loss.halfSse,
  loss.mse,
  loss.l1,
  loss.huber,
  loss.hinge,
  loss.cosineSimilarity,
  likely.crossEntropy,
  likely.nll,
  likely.bceWithLogits,
  likely.bce,
  likely.klDiv,
]

/** The operations by name; f′ stands under "f'". */
export const operations: ReadonlyMap<string, Operation> = new Map(all.map((o) => [o.name, o]))
