import { boolArray, type DbTx, int8Array, textArray, timestamptzArray } from '@hub/runtime/db'
import type { SourceStatus } from '@hub/schemas/generated/source-status'

/** Takes over what regions say of their sources; of two words about the same source the newer one stands. */
export function writeSourceStatus(c: DbTx, records: readonly SourceStatus[]): void {
  c.send({
    name: 'write source status',
    text: `INSERT INTO source_status AS s (region, source, version, declared, declared_since, owner, duty_line, caller, streams, mode, cadence_seconds, version_rule)
           SELECT DISTINCT ON (1, 2) region, source, version, declared, since, owner, line, caller, string_to_array(streams, ' '), mode, cadence, rule
             FROM unnest($1::text[], $2::text[], $3::int8[], $4::bool[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::int8[], $12::text[])
               AS t (region, source, version, declared, since, owner, line, caller, streams, mode, cadence, rule) ORDER BY 1, 2, 3 DESC
           ON CONFLICT (region, source) DO UPDATE SET version = excluded.version, declared = excluded.declared, declared_since = excluded.declared_since, owner = excluded.owner,
             duty_line = excluded.duty_line, caller = excluded.caller, streams = excluded.streams, mode = excluded.mode, cadence_seconds = excluded.cadence_seconds, version_rule = excluded.version_rule
           WHERE s.version < excluded.version`,
    values: [
      textArray(records.map(({ region }) => region)),
      textArray(records.map(({ sourceSystem }) => sourceSystem)),
      int8Array(records.map(({ version }) => version)),
      boolArray(records.map(({ declared }) => declared)),
      timestamptzArray(records.map(({ declaredSince }) => declaredSince)),
      textArray(records.map(({ owner }) => owner)),
      textArray(records.map(({ dutyLine }) => dutyLine)),
      textArray(records.map(({ caller }) => caller)),
      textArray(records.map(({ streams }) => streams.join(' '))),
      textArray(records.map(({ mode }) => mode)),
      int8Array(records.map(({ cadenceSeconds }) => cadenceSeconds)),
      textArray(records.map(({ versionRule }) => versionRule)),
    ],
  })
}

/** Notes the hand-overs that they tell of, and forgets those that were taken back and those before the newest that this replica has seen whole. */
export function writeHandOvers(c: DbTx, topicPrefix: string, records: readonly SourceStatus[]): void {
  // A source whose newest word names an earlier hand-over than before has taken the later ones back.
  c.send({
    name: 'withdraw hand-overs',
    text: `DELETE FROM source_hand_over h USING unnest($1::text[], $2::text[], $3::int8[], $4::timestamptz[]) AS t (region, source, version, last)
             JOIN source_status s ON s.region = t.region AND s.source = t.source AND s.version = t.version
            WHERE h.region = t.region AND h.source = t.source AND h.at > coalesce(t.last, '-infinity')`,
    values: [
      textArray(records.map(({ region }) => region)),
      textArray(records.map(({ sourceSystem }) => sourceSystem)),
      int8Array(records.map(({ version }) => version)),
      timestamptzArray(records.map(({ lastHandOver }) => lastHandOver?.at ?? null)),
    ],
  })
  const rows = records.flatMap(({ region, sourceSystem, baselineCompleteAt, lastHandOver }) => (lastHandOver === null ? [] : [{ region, sourceSystem, baselineCompleteAt, ...lastHandOver }]))
  if (rows.length === 0) return
  c.send({
    name: 'write hand-overs',
    text: `INSERT INTO source_hand_over (region, source, hand_over_id, at, rows, way, baseline_complete_at, partitions)
           SELECT region, source, id, at, rows, way, baseline, partitions::jsonb
             FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::int8[], $6::text[], $7::timestamptz[], $8::text[])
               AS t (region, source, id, at, rows, way, baseline, partitions)
           ON CONFLICT DO NOTHING`,
    values: [
      textArray(rows.map(({ region }) => region)),
      textArray(rows.map(({ sourceSystem }) => sourceSystem)),
      textArray(rows.map(({ handOverId }) => handOverId)),
      timestamptzArray(rows.map(({ at }) => at)),
      int8Array(rows.map(({ rows: count }) => count)),
      textArray(rows.map(({ way }) => way)),
      timestamptzArray(rows.map(({ baselineCompleteAt }) => baselineCompleteAt)),
      textArray(rows.map(({ partitions }) => JSON.stringify(partitions.map(({ topic, partition, lastSequence }) => ({ topic: topicPrefix + topic, partition, sequence: lastSequence }))))),
    ],
  })
  c.send({
    name: 'forget hand-overs',
    text: `DELETE FROM source_hand_over h USING (
             SELECT region, source, max(at) AS at FROM hand_over_state WHERE counted AND region = ANY ($1::text[]) AND source = ANY ($2::text[]) GROUP BY region, source) newest
            WHERE h.region = newest.region AND h.source = newest.source AND h.at < newest.at`,
    values: [textArray(rows.map(({ region }) => region)), textArray(rows.map(({ sourceSystem }) => sourceSystem))],
  })
}
