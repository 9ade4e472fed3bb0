/** The options of the commands, as they arrive. */

export interface DeriveFlags {
  readonly at?: readonly string[]
  readonly form: 'local' | 'expanded' | 'jacobian'
  readonly derivatives: 'symbol' | 'explicit' | 'output'
  readonly steps?: boolean
  readonly format: 'text' | 'latex' | 'markdown' | 'json'
  readonly set: ReadonlyMap<string, number>
  readonly seed: number
  readonly verify: boolean
  readonly output?: string
}

export interface CheckFlags {
  readonly reporter: 'pretty' | 'json'
  readonly values?: string
  readonly tolerance?: number
  readonly set: ReadonlyMap<string, number>
  readonly seed: number
}

export interface PathsFlags {
  readonly by: 'nodes' | 'branches'
  readonly list: number
  readonly values?: string
  readonly set: ReadonlyMap<string, number>
  readonly format: 'text' | 'json'
}

export interface EvalFlags {
  readonly values: string
  readonly set: ReadonlyMap<string, number>
}
