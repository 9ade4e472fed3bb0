/** The command: its options and its help. What the commands do stands in `commands.ts`, loaded when one is called. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { Exit } from './exit.ts'
import type { CheckFlags, DeriveFlags, EvalFlags, PathsFlags } from './flags.ts'

declare const VERSION: string

function names(text: string): string[] {
  const found = text
    .split(',')
    .map((s) => s.trim())
    .filter((s) => s !== '')
  if (found.length === 0) throw new InvalidArgumentError('Values are named as a, or a,b.')
  return [...new Set(found)]
}

function size(text: string, before: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const sizes = new Map(before)
  for (const part of text.split(',')) {
    const match = /^\s*([\p{L}_][\p{L}\p{N}_]*)\s*=\s*(\d+)\s*$/u.exec(part)
    if (!match) throw new InvalidArgumentError('A size is given as n=3 (several as n=3,k=5).')
    if (sizes.has(match[1]!)) throw new InvalidArgumentError(`${match[1]} is given twice.`)
    sizes.set(match[1]!, Number(match[2]))
  }
  return sizes
}

const whole =
  (what: string) =>
  (text: string): number => {
    if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`${what} is a whole number.`)
    return Number(text)
  }

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('A tolerance is a number between 0 and 1, such as 1e-4.')
  return value
}

const setOption = (): Option => new Option('--set <sizes>', 'fix symbolic sizes, n=3 or n=3,k=5').default(new Map(), 'none').argParser(size)
const seedOption = (): Option => new Option('--seed <number>', 'seed of the random points').default(1).argParser(whole('A seed'))

function program(): Command {
  const backproof = new Command('backproof')
    .description('Derives the gradients of neural networks symbolically: ∂L/∂v at every merge, fan-out, input and parameter.')
    .version(VERSION)
    .showHelpAfterError('(backproof --help shows how it is called)')
    .addHelpText('after', examples.all)
    .exitOverride()

  backproof
    .command('derive')
    .description('derive and print the gradients of a network')
    .argument('<spec>', 'a YAML or JSON spec, or - for the standard input')
    .option('--at <names>', 'only the gradients by these values (a,b)', names)
    .addOption(new Option('--form <form>', 'how far formulas are expanded').choices(['local', 'expanded', 'jacobian']).default('local'))
    .addOption(
      new Option('--derivatives <guise>', 'derivatives of activations: relu′(a), 1[a>0], or in terms of the output')
        .choices(['symbol', 'explicit', 'output'])
        .default('symbol'),
    )
    .option('--steps', 'show the paths inside operations, and each law that was applied')
    .addOption(new Option('--format <format>', 'what to print').choices(['text', 'latex', 'markdown', 'json']).default('text'))
    .addOption(setOption())
    .addOption(seedOption())
    .option('--no-verify', 'skip the comparison with central differences, and the claims')
    .option('-o, --output <file>', 'write to a file')
    .addHelpText('after', examples.derive)
    .action(async (spec: string, flags: DeriveFlags) => {
      process.exitCode = await (await import('./commands.ts')).deriveCommand(spec, flags)
    })

  backproof
    .command('check')
    .description('verify the gradients and judge the claims of specs')
    .argument('<specs...>', 'YAML or JSON specs, or - for the standard input')
    .addOption(new Option('--reporter <reporter>', 'how verdicts are printed').choices(['pretty', 'json']).default('pretty'))
    .option('--values <file>', 'compare the gradients in a dump, {"values": …, "gradients": …}, with the derived ones')
    .addOption(new Option('--tolerance <number>', 'largest relative error of a gradient in the dump (1e-4 by default)').argParser(positive))
    .addOption(setOption())
    .addOption(seedOption())
    .addHelpText('after', examples.check)
    .action(async (specs: string[], flags: CheckFlags) => {
      process.exitCode = await (await import('./commands.ts')).checkCommand(specs, flags)
    })

  backproof
    .command('paths')
    .description('count the ways on which the error gets back to a value, by their length')
    .argument('<spec>', 'a YAML or JSON spec, or - for the standard input')
    .argument('[node]', 'a value of the network; without it a table of all inputs and parameters')
    .addOption(new Option('--by <unit>', 'what a length counts').choices(['branches', 'nodes']).default('branches'))
    .addOption(
      new Option('--list <count>', 'the first ways, the shortest first, with the products of their factors')
        .default(0)
        .argParser(whole('A count')),
    )
    .option('--values <file>', 'a dump as for eval: the share of the ways of each length in the gradient')
    .addOption(new Option('--format <format>', 'what to print').choices(['text', 'json']).default('text'))
    .addOption(setOption())
    .addHelpText('after', examples.paths)
    .action(async (spec: string, node: string | undefined, flags: PathsFlags) => {
      process.exitCode = await (await import('./paths.ts')).pathsCommand(spec, node, flags)
    })

  backproof
    .command('eval')
    .description('evaluate the loss, all values and all gradients with numbers from a file')
    .argument('<spec>', 'a YAML or JSON spec, or - for the standard input')
    .requiredOption('--values <file>', 'JSON: a map from names to nested lists of numbers, or - for the standard input')
    .addOption(setOption())
    .addHelpText('after', examples.eval)
    .action(async (spec: string, flags: EvalFlags) => {
      process.exitCode = await (await import('./commands.ts')).evalCommand(spec, flags)
    })
  return backproof
}

const examples = {
  all: `
Examples:
  $ backproof derive samples/residual.yaml            the derivation, explained
  $ backproof derive net.yaml --format latex -o g.tex an align for a paper
  $ backproof check samples/*.yaml                    verdicts; exit status 1 if a claim fails

Exit status: 0 all well, 1 something checked does not hold, 2 the input or the command line is wrong.`,
  derive: `
Examples:
  $ backproof derive samples/residual.yaml --at x
  $ backproof derive samples/residual.yaml --form jacobian
  $ backproof derive samples/residual.yaml --format json | jq .gradients`,
  check: `
Examples:
  $ backproof check samples/residual.yaml
  $ backproof check samples/*.yaml --reporter json
  $ backproof check net.yaml --values dump.json       a backward pass written by hand; exit status 1 if it is wrong`,
  paths: `
Examples:
  $ backproof paths samples/two-blocks.yaml
  $ backproof paths samples/two-blocks.yaml x0 --list 4
  $ backproof paths samples/residual-stack.yaml z[0] --set N=10

A way leads from an argument of the loss to the value. Its length is the number of branches on it that change the
error (a skip changes nothing), or with --by nodes the number of nodes passed. Counts are exact.`,
  eval: `
Examples:
  $ echo '{"x": [1, 2], "W1": [[1, 0], [0, 1]], "W2": [[2, 0], [0, 2]], "dL/dy": [1, 1]}' |
      backproof eval samples/residual.yaml --values -
  $ backproof eval net.yaml --values numbers.json | jq .gradients

Sizes follow from the arrays. Names are those of the spec. An opaque loss L(y) starts from its gradient, which is
given as "dL/dy", or under "gradients" in {"values": {…}, "gradients": {"y": …}}.`,
}

/** Runs the command line; the exit status is left in `process.exitCode`. */
export async function main(argv: readonly string[]): Promise<void> {
  surviveClosedPipes()
  try {
    await program().parseAsync(argv)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('commander.'))) return crashed(error)
    process.exitCode = 'exitCode' in error && error.exitCode === 0 ? Exit.ok : Exit.input
  }
}

/** A fault of ours, not of the input: one line, and the way to more (`BACKPROOF_DEBUG=1`). */
function crashed(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(
    `backproof has a fault of its own: ${message}\nPlease report it with the spec that shows it; BACKPROOF_DEBUG=1 prints where it happened.\n`,
  )
  if (process.env.BACKPROOF_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  process.exitCode = Exit.internal
}

/** A reader that has seen enough (`| head -1`) ends the command quietly. */
function surviveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? Exit.ok)
      if (stream === process.stdout) process.stderr.write(`the output can't be written: ${error.code ?? error.message}\n`)
      process.exit(Exit.input)
    })
  }
}
