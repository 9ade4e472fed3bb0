/** Builds the command once, before any test runs it. */
import { execFileSync } from 'node:child_process'

export const setup = (): void => {
  execFileSync(process.execPath, ['scripts/build.js'])
}
