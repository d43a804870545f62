/** What one check with a foreign client saw. */
export interface Outcome {
  readonly passed: boolean
  /** What was seen, in a line or a few; what failed, when it did. */
  readonly seen: string
  /** Of the foreign programs that took part. */
  readonly versions: readonly string[]
}

export interface Region {
  readonly gateway: string
  readonly keys: Readonly<Record<'publisher' | 'reader' | 'operator', string>>
}

/** The running hub that the checks are made against. */
export interface Target {
  readonly zj: Region
  readonly sh: Region
  /** A credit lookup of zj. */
  readonly lookup: string
  /** A caller of zj's gateway with every role. */
  readonly everyRole: string
  /** Before every topic name. */
  readonly topicPrefix: string
  /** Settings of the form of .hub/local.json. */
  readonly settingsFile: string
}

export interface Check {
  readonly name: string
  /** What it proves, in Chinese and English. */
  readonly proves: string
  run(target: Target): Promise<Outcome>
}
