import type { Figures } from './figures.ts'
import type { Told } from './job.ts'
import type { PreviewRow } from './tools.ts'

/** What only this process knows of an import, for the one who imports. */
export interface Live {
  position?: number
  figures?: Figures
  told?: Told
  preview?: readonly PreviewRow[]
}
