/** What a terminal sees of long work. */
import { expect, test } from 'vitest'
import { progressOn } from '../../src/cli/progress.ts'

/** All that is written while two stages begin, the second one so many milliseconds after the first. */
function written(isTTY: boolean, length: number, milliseconds: number): string {
  let [text, time] = ['', 0]
  const stream = { isTTY, write: (piece: string) => (text += piece) !== undefined }
  const progress = progressOn(stream as never, length, () => time)
  progress.tell('reading')
  time = milliseconds
  progress.tell('verifying')
  progress.wipe()
  return text
}

test('short work is told nothing of', () => expect(written(true, 1000, 50)).toBe(''))
test('long work has one line, which is wiped', () => expect(written(true, 1000, 900)).toBe('\r\x1b[2Kverifying …\r\x1b[2K'))
test('a large spec is told of from the start', () => expect(written(true, 1e6, 50)).toMatch(/reading ….*verifying …/s))
test('a pipe sees nothing', () => expect(written(false, 1e6, 900)).toBe(''))
