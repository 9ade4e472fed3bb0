/** The exit statuses of the command. */
export const Exit = {
  /** All well. */
  ok: 0,
  /** Something that was checked does not hold: a claim, a gradient. */
  fails: 1,
  /** The input or the command line is wrong; this outweighs `fails`. */
  input: 2,
  /** The fault is ours (sysexits' EX_SOFTWARE). */
  internal: 70,
} as const
