import { byteaArray, type DbTx, int4Array, textArray, timestamptzArray } from '@hub/runtime/db'
import type { AnnouncementAct } from '@hub/schemas/generated/announcement-act'

/** Keeps what regions do in joint announcements. Of two acts of one number the first stands. */
export function writeActs(c: DbTx, acts: readonly AnnouncementAct[]): void {
  if (acts.length === 0) return
  c.send({
    name: 'write announcement acts',
    text: `INSERT INTO announcement_act (campaign, year, region, number, edition, at, says, body)
           SELECT campaign, year, region, number, edition, at, says, convert_from(body, 'UTF8')
             FROM unnest($1::text[], $2::int4[], $3::text[], $4::int4[], $5::int4[], $6::timestamptz[], $7::text[], $8::bytea[]) AS a (campaign, year, region, number, edition, at, says, body)
           ON CONFLICT DO NOTHING`,
    values: [
      textArray(acts.map(({ campaign }) => campaign)), int4Array(acts.map(({ year }) => year)), textArray(acts.map(({ region }) => region)), int4Array(acts.map(({ number }) => number)),
      int4Array(acts.map(({ edition }) => edition)), timestamptzArray(acts.map(({ at }) => at)), textArray(acts.map(({ says }) => says)), byteaArray(acts.map(({ body }) => body)),
    ],
  })
}
