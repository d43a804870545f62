import type { LivePage } from './live.ts'

/** More pages than this are read without being kept. */
const MAX_KEPT = 16

/** Pages that several readers at the same place share: read once, written once, kept until the replica moves on. */
export interface SharedPages {
  get(key: string, read: () => Promise<LivePage>): Promise<LivePage>
  forget(): void
}

export function createSharedPages(): SharedPages {
  const kept = new Map<string, Promise<LivePage>>()
  return {
    get(key, read) {
      const shared = kept.get(key)
      if (shared !== undefined) return shared
      const page = read()
      if (kept.size < MAX_KEPT) kept.set(key, page)
      page.then(({ upToDate }) => {
        // Readers on their way through a backlog are not at the same place.
        if (!upToDate && kept.get(key) === page) kept.delete(key)
      }, () => {
        if (kept.get(key) === page) kept.delete(key)
      })
      return page
    },
    forget: () => kept.clear(),
  }
}
