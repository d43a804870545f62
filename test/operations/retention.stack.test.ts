import { createDb, type Db } from '@hub/runtime/db'
import { trimRehearsals } from '@hub/gateway/imports/store'
import { trimVersions } from '@hub/gateway/publish/published-trim'
import { prepareDatabase } from '@hub/gateway/database'
import { lowestId } from '@hub/gateway/publish/event-id'
import { trimAudit, trimParked, trimRegionParked } from '@hub/replicator/store/retention'
import { migrate } from '@hub/runtime/db'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openFixture, type Fixture } from '../fixture.ts'

let fixture: Fixture
let db: Db

beforeAll(async () => {
  fixture = await openFixture()
  db = createDb({ url: await fixture.database(), name: 'retention', max: 2, log: fixture.log })
  await prepareDatabase(db, { region: 'zj', topicPrefix: fixture.prefix })
  await migrate(db, 'replicator', new URL('../../services/replicator/migrations/', import.meta.url))
})
afterAll(async () => {
  await db.close()
  await fixture[Symbol.asyncDispose]()
})

test('of what was published long ago the first and the newest version of each record stay; what is recent stays whole', async () => {
  const month = 31 * 86_400_000
  const old = Date.now() - 40 * month
  let ids = 0
  const put = (record: string, version: number, at: number): Promise<unknown> => db.query(
    `INSERT INTO published (topic, record_id, version, body_hash, event_id, partition, sequence, kind) VALUES ('zj.complaint', $1, $2, '\\x00', $3::uuid, 0, $4, 'original')`,
    [record, version, lowestId(at + ids).replace('-0000-0000-', '-7000-8000-'), ids++])
  for (const version of [1, 2, 3, 4]) await put('z/often', version, old)
  await put('z/once', 1, old)
  for (const version of [1, 2]) await put('z/twice', version, old)
  for (const version of [1, 2]) await put('z/lives', version, old)
  for (const version of [3, 4]) await put('z/lives', version, Date.now())
  let after: string | undefined = '00000000-0000-0000-0000-000000000000'
  while (after !== undefined) after = await trimVersions(db, after, lowestId(Date.now() - 26 * month))
  const { rows } = await db.query<{ record: string; versions: bigint[] }>(`SELECT record_id AS record, array_agg(version ORDER BY version) AS versions FROM published GROUP BY 1 ORDER BY 1`)
  expect(rows.map(({ record, versions }) => [record, versions.map(Number)])).toEqual([['z/lives', [1, 3, 4]], ['z/often', [1, 4]], ['z/once', [1]], ['z/twice', [1, 2]]])
})

test('parked events end when they are old and superseded, here and in what regions say; those that are open stay, however old', async () => {
  await db.query(`INSERT INTO parked (topic, partition, log_offset, key, reason, hash_hi, hash_lo, parked_at, buried_by, published)
    VALUES ('t', 0, 1, 'a', 'r', 0, 0, now() - interval '30 months', 5, true), ('t', 0, 2, 'b', 'r', 0, 0, now() - interval '30 months', NULL, true), ('t', 0, 3, 'c', 'r', 0, 0, now() - interval '1 month', 6, true)`)
  await db.query(`INSERT INTO region_parked (region, topic, partition, log_offset, key, reason, at)
    SELECT 'zj', topic, partition, log_offset, key, reason, parked_at FROM parked`)
  expect([await trimParked(db, 26), await trimParked(db, 26)]).toEqual([1, 0])
  expect([await trimRegionParked(db, 26), await trimRegionParked(db, 26)]).toEqual([1, 0])
  for (const table of ['parked', 'region_parked']) {
    const { rows } = await db.query<{ key: string }>(`SELECT key FROM ${table} ORDER BY key`)
    expect([table, rows.map(({ key }) => key)]).toEqual([table, ['b', 'c']])
  }
})

test('the audit ends after its years', async () => {
  await db.query(`INSERT INTO audit (at, who, what, target, why, detail) VALUES (now() - interval '61 months', 'w', 'x', 'old', 'y', '{}'), (now() - interval '59 months', 'w', 'x', 'kept', 'y', '{}')`)
  expect([await trimAudit(db, 60), await trimAudit(db, 60)]).toEqual([1, 0])
  const { rows } = await db.query<{ target: string }>('SELECT target FROM audit')
  expect(rows).toEqual([{ target: 'kept' }])
})

test('rehearsals of files end with their rows; an import that published stays', async () => {
  const old = Date.now() - 100 * 86_400_000
  const put = (id: number, state: string, dryRun: boolean): Promise<unknown> => db.query(
    `INSERT INTO import (id, source, caller, authorities, gateway, file, sha256, bytes, dry_run, confirmed, state) VALUES ($1::uuid, 's', 'c', '{}', 'g', $2, '\\x00', 1, $3, true, $4)`,
    [lowestId(id).replace('-0000-0000-', '-7000-8000-'), `${state} ${dryRun}`, dryRun, state])
  await put(old, 'done', true)
  await put(old + 1, 'done', false)
  await put(old + 2, 'failed', false)
  await put(old + 3, 'waiting-confirmation', true)
  await put(Date.now(), 'done', true)
  await db.query(`INSERT INTO import_verdict (import, sheet, row, rows, outcome) SELECT id, '', 1, 1, 'refused' FROM import`)
  await trimRehearsals(db, lowestId(Date.now() - 90 * 86_400_000))
  const { rows } = await db.query<{ file: string; told: bigint }>('SELECT file, count(v.row) AS told FROM import i LEFT JOIN import_verdict v ON v.import = i.id GROUP BY i.id, file ORDER BY i.id')
  expect(rows.map(({ file, told }) => [file, Number(told)])).toEqual([['done false', 1], ['failed false', 1], ['waiting-confirmation true', 1], ['done true', 1]])
})
