import type { AnnouncementAct } from './generated/announcement-act.ts'

/** The contract of what a region says in a joint announcement. */
export const ACT = 'cn.yrd.announcement.AnnouncementAct'

/** The key of an act on the log: compaction keeps each of them. */
export function actKey({ campaign, year, edition, number }: Pick<AnnouncementAct, 'campaign' | 'year' | 'edition' | 'number'>): string {
  return `${campaign}/${year}/${edition}/${number}`
}
