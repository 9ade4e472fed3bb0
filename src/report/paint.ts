/** The few styles that a terminal report uses; plain text has none of them. */
export interface Paint {
  readonly strong: (text: string) => string
  readonly faint: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly accent: (text: string) => string
}

const same = (text: string): string => text

export const plain: Paint = { strong: same, faint: same, good: same, bad: same, accent: same }
