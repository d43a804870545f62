export type ProblemCode =
  | 'JAVA_MISSING' | 'MAVEN_MISSING' | 'DOWNLOAD_FAILED' | 'POSTGRES_UNAVAILABLE' | 'PORT_BUSY' | 'PORT_WRONG' | 'ALREADY_RUNNING'
  | 'START_FAILED' | 'NOTHING_TO_RUN_ON'

/** Something the person at the keyboard has to put right: said in Chinese and English, with the remedy. */
export class LocalProblem extends Error {
  override readonly name = 'LocalProblem'
  readonly code: ProblemCode
  readonly zh: string
  readonly en: string

  constructor(code: ProblemCode, zh: string, en: string, options?: ErrorOptions) {
    super(`${zh}\n${en}`, options)
    this.code = code
    this.zh = zh
    this.en = en
  }
}
