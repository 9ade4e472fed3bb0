/** The only place that reads and writes files. */
import { readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
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

/** Writes a whole file or nothing: an interrupted run leaves no half of one. */
export function writeWhole(path: string, text: string): void {
  const draft = `${path}.${process.pid}.part`
  try {
    writeFileSync(draft, text)
    renameSync(draft, path)
  } catch (error) {
    try {
      unlinkSync(draft)
    } catch {}
    throw noFile(path, reason(error))
  }
}
