/** Runs the built command. */
import { spawnSync } from 'node:child_process'

export interface Run {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export function backproof(args: readonly string[], input = '', env: Record<string, string> = {}): Run {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([key]) => key !== 'FORCE_COLOR' && key !== 'NO_COLOR'))
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/backproof.js', ...args], {
    input,
    encoding: 'utf8',
    env: { ...clean, ...env } as NodeJS.ProcessEnv,
    maxBuffer: 1 << 28,
  })
  return { status, stdout, stderr }
}
