import { type DbTx, int4Array, int8Array, textArray, timestamptzArray } from '@hub/runtime/db'
import type { ParkedEvent } from '@hub/schemas/generated/parked-event'

/** Notes that regions parked events of this region's topics; what is known stands, since the same bytes are bad for the same reason. */
export function writeRegionParked(c: DbTx, topicPrefix: string, events: readonly ParkedEvent[]): void {
  if (events.length === 0) return
  c.send({
    name: 'write region parked',
    text: `INSERT INTO region_parked (region, topic, partition, log_offset, key, reason, at)
           SELECT * FROM unnest($1::text[], $2::text[], $3::int4[], $4::int8[], $5::text[], $6::text[], $7::timestamptz[])
           ON CONFLICT DO NOTHING`,
    values: [
      textArray(events.map(({ region }) => region)),
      textArray(events.map(({ topic }) => topicPrefix + topic)),
      int4Array(events.map(({ partition }) => partition)),
      int8Array(events.map(({ offset }) => offset)),
      textArray(events.map(({ key }) => key)),
      textArray(events.map(({ reason }) => reason)),
      timestamptzArray(events.map(({ at }) => at)),
    ],
  })
}

/** Notes that regions park these no more. */
export function dropRegionParked(c: DbTx, topicPrefix: string, events: readonly ParkedEvent[]): void {
  if (events.length === 0) return
  c.send({
    text: `DELETE FROM region_parked r USING unnest($1::text[], $2::text[], $3::int4[], $4::int8[]) AS e (region, topic, partition, log_offset)
            WHERE r.topic = e.topic AND r.partition = e.partition AND r.log_offset = e.log_offset AND r.region = e.region`,
    values: [
      textArray(events.map(({ region }) => region)),
      textArray(events.map(({ topic }) => topicPrefix + topic)),
      int4Array(events.map(({ partition }) => partition)),
      int8Array(events.map(({ offset }) => offset)),
    ],
  })
}
