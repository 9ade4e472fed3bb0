/** The sections of a report as they come up: each gradient is stated once, where it is met first. */
import { type Members, Table } from '../expr/table.ts'
import type { Line, Section } from './lines.ts'

/** A section, before it is known which names nothing else defines. */
export type Draft = Omit<Section, 'where'>

export interface Drafts {
  readonly all: readonly Draft[]
  /** Names whose definition has been stated. */
  readonly said: Members
  /** Adds a section without what has been said before; a fan-out or a list that has nothing left to say is left out. */
  readonly say: (draft: Draft) => void
}

export function drafts(): Drafts {
  const all: Draft[] = []
  const said = new Table<true>()
  const isNew = ({ defines }: Line): boolean => defines === undefined || !said.has(defines)
  return {
    all,
    said,
    say(draft) {
      const { kind, title, why, steps } = draft
      const lines = draft.lines.every(isNew) ? draft.lines : draft.lines.filter(isNew)
      for (let i = 0; i < lines.length; i++) if (lines[i]!.defines) said.set(lines[i]!.defines!, true)
      if (lines === draft.lines) all.push(draft)
      else if (lines.length > 0 || !(kind === 'fan-out' || title === undefined)) all.push({ kind, title, why, lines, steps })
    },
  }
}
