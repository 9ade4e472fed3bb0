/** The only place that reads and writes files. */
import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { diagnostic, Failure, type Source } from '../diagnostic.ts'

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  ENOTDIR: 'there is no such folder',
}

const reason = (error: unknown): string => {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return reasons[code] ?? code
}

const noFile = (path: string, why: string): Failure => new Failure([diagnostic('no-file', { path, reason: why })])

/** Reads a spec; `-` is the standard input. */
export function readSource(path: string): Source {
  try {
    if (path !== '-' && statSync(path).isDirectory()) throw noFile(path, 'it is a folder')
    const text = readFileSync(path === '-' ? 0 : path, 'utf8')
    return { name: path === '-' ? '<stdin>' : path, text: text.replace(/^\uFEFF/, '') }
  } catch (error) {
    throw error instanceof Failure ? error : noFile(path, reason(error))
  }
}

const noOutput = (path: string, why: string): Failure => new Failure([diagnostic('no-output', { path, reason: why })])

/** Fails where a result would be written over the spec that it is made from. */
export function requireOther(output: string, input: string): void {
  const [to, from] = [output, input].map((path) => statSync(path, { throwIfNoEntry: false }))
  if (to && from && to.isFile() && to.ino === from.ino && to.dev === from.dev) throw noOutput(output, 'it is the spec itself')
}

/** Writes a whole file or nothing: an interrupted run leaves no half of one. What is no file (a device, a pipe) is written to as it is. */
export function writeWhole(output: string, text: string): void {
  try {
    const known = statSync(output, { throwIfNoEntry: false })
    if (known?.isDirectory()) throw noOutput(output, 'it is a folder')
    if (known && !known.isFile()) writeFileSync(output, text)
    // a link stays one: what it leads to is written
    else replace(known ? realpathSync(output) : output, text)
  } catch (error) {
    throw error instanceof Failure ? error : noOutput(output, reason(error))
  }
}

function replace(path: string, text: string): void {
  const draft = `${path}.${process.pid}.part`
  try {
    writeFileSync(draft, text)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
