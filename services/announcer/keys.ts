import { type PublicKeys, readPublicKeys } from '@hub/runtime/sign'
import type { Log } from '@hub/runtime/log'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { join } from 'node:path'

/** How long what was read is used. */
const FRESH_MS = 60_000

/** The keys that each region has declared, read anew every minute; a region whose file cannot be read has none, and its signatures count for nothing meanwhile. */
export function keepKeys(dir: string, log: Log): () => Promise<Readonly<Partial<Record<Region, PublicKeys>>>> {
  let read: Promise<Readonly<Partial<Record<Region, PublicKeys>>>> | undefined
  let until = 0
  return () => {
    if (read === undefined || Date.now() > until) {
      until = Date.now() + FRESH_MS
      read = readAll()
    }
    return read
  }

  async function readAll(): Promise<Partial<Record<Region, PublicKeys>>> {
    const found = await Promise.all(REGIONS.map(async (region) => {
      try {
        return [[region, await readPublicKeys(join(dir, region, 'keys.yaml'))] as const]
      } catch (error) {
        log.warn({ err: error, of: region }, 'the public keys of a region cannot be read')
        return []
      }
    }))
    return Object.fromEntries(found.flat())
  }
}
