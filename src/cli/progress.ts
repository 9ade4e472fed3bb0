/** Tells on a terminal what long work is at: one line on the standard error, wiped when the work is done. */
import type { Stage } from '../pipeline.ts'

/** Who waits less long needs no telling. In milliseconds. */
const patience = 400
/** Reading more than so many characters takes longer than that. */
const large = 200_000

export interface Progress {
  tell(stage: Stage): void
  /** Before anything else is written, or at the end. */
  wipe(): void
}

type Terminal = Pick<NodeJS.WriteStream, 'isTTY' | 'write'>

/** For work on a text of this length. The work is done in one go, so a line can only change when a stage begins. */
export function progressOn(stream: Terminal, length: number, now: () => number = Date.now): Progress {
  const begin = now()
  let isShown = false
  return {
    tell(stage) {
      if (!stream.isTTY || (length < large && now() - begin < patience)) return
      stream.write(`\r\x1b[2K${stage} …`)
      isShown = true
    },
    wipe() {
      if (isShown) stream.write('\r\x1b[2K')
      isShown = false
    },
  }
}
