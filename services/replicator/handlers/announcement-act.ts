import { ACT, actKey } from '@hub/schemas/announcement-act'
import type { AnnouncementAct } from '@hub/schemas/generated/announcement-act'
import { writeActs } from '../store/announcement-acts.ts'
import type { TechnicalHandler } from './handler.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** What a region does in a joint announcement; the announcer reads it from here. Each act has a key of its own, so that compaction keeps them all. */
export const announcementActHandler: TechnicalHandler<AnnouncementAct> = {
  contract: ACT,
  key: actKey,
  apply(c, _here, records) {
    writeActs(c, records.filter(({ body }) => isText(body)))
  },
}

/** Bytes that PostgreSQL takes as text; others were written by no announcer. */
function isText(body: Buffer): boolean {
  try {
    return !utf8.decode(body).includes('\0')
  } catch {
    return false
  }
}
