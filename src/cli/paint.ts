/** Colour on a terminal, none elsewhere. */
import { type Paint, plain } from '../report/paint.ts'

/** The styles for a stream; NO_COLOR and pipes turn them off. */
export async function paintFor(stream: NodeJS.WriteStream | undefined): Promise<Paint> {
  const forced = process.env.FORCE_COLOR !== undefined && process.env.FORCE_COLOR !== '0'
  if (process.env.NO_COLOR || !stream || !(stream.isTTY || forced)) return plain
  const { Chalk } = await import('chalk')
  const chalk = new Chalk({ level: 1 })
  return { strong: chalk.bold, faint: chalk.dim, good: chalk.green, bad: chalk.red, accent: chalk.cyan }
}
