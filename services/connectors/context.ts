import type { KeyObject } from 'node:crypto'
import type { Region } from '@hub/schemas/streams'
import type { Codes } from './reference/codes.ts'

/** What an import is made for. */
export interface Context {
  readonly region: Region
  /** Source system, the part of record ids before the slash. */
  readonly source: string
  /** ms UTC */
  readonly now: number
  /** Secret of the region for the hashes of report and order numbers (`createSecretKey`: preparing it costs more than a hash). */
  readonly key: KeyObject
  readonly codes: Codes
  /** Name of the file, without folders. */
  readonly file: string
  /** What the cells of each row hold goes on with what it came to: for a workbook that is shown to the one who imports. */
  readonly keepCells?: boolean
}
