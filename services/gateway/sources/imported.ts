import { SHAPES } from '@hub/connectors/shapes/index'
import type { Db } from '@hub/runtime/db'
import type { Log } from '@hub/runtime/log'
import type { Finished } from '../imports/imports.ts'
import type { Sources } from './sources.ts'
import { readStoredSources } from './store.ts'

/** Tells the hand-over of each finished import, a file without rows among them. A source that delivers everything hands over by a complete list alone; one that nobody declares hands over nothing. */
export function handOverImports(db: Db, sources: Sources, log: Log): (finished: Finished) => Promise<void> {
  return async ({ row: { id, source, shape, caller, figures } }) => {
    const [stored] = await readStoredSources(db, source)
    if (stored?.declared !== true) {
      log.warn({ import: id, source }, 'a file of a source that sources.yaml does not declare: no hand-over is told')
      return
    }
    if (stored.declaration.mode === 'full' && SHAPES.find((one) => one.id === shape)?.completeList !== true) return
    await sources.handOver(source, { id, rows: figures.rows, way: 'import', baseline: false, caller })
  }
}
