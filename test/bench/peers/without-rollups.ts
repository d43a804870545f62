import { registerHooks } from 'node:module'

const KEPT = 'if (!isRolled(stream)) return\n'

/** With `--import`: a replicator that keeps no roll-ups, to see what they cost. */
registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith('/services/replicator/store/rollups.ts')) return loaded
    const source = String(loaded.source)
    if (!source.includes(KEPT)) throw new Error('roll-ups are kept somewhere else now: nothing would be left out')
    return { ...loaded, source: source.replace(KEPT, 'return\n') }
  },
})
