import { dateText, toJson } from '@hub/schemas/record-json'
import { isEnding } from '@hub/schemas/record-rule'
import { shanghaiDay } from '@hub/schemas/read-time'
import { topicName, type DataStream } from '@hub/schemas/streams'
import type { Codec } from '@hub/runtime/codec'
import { lockHeads, notifyOutbox, type Db } from '@hub/runtime/db'
import { Problem } from '@hub/runtime/http'
import type { Wakeup } from '@hub/runtime/wakeup'
import { forgetRecords } from '../imports/memory.ts'
import { actOfHub } from '../publish/act.ts'
import type { Preparing } from '../publish/prepare.ts'
import { publishIn } from '../publish/publisher.ts'
import { decodeBody } from '../read/record-view.ts'
import { readCurrent } from '../publish/published.ts'
import { findErasure, forgetContent, insertErasure, readStanding, type Erasure } from './store.ts'

export interface Erasing {
  readonly db: Db
  readonly codec: Codec
  readonly preparing: Preparing
  readonly wakeup: Wakeup
}

export interface Wish {
  readonly recordId: string
  readonly why: string
  readonly caller: string
}

/**
 * Erases a record of this region: its stub goes to all four replicas, which take its content out of their rows, history and archive; what the gateway remembers of its content goes in the same transaction. A complaint
 * keeps what statistics need. The same again is the first erasure.
 * @throws Problem 404 where this region never published it, 503 while the replica lacks its newest version, of which the stub is made
 */
export async function erase({ db, codec, preparing, wakeup }: Erasing, stream: DataStream, { recordId, why, caller }: Wish): Promise<{ erasure: Erasure; duplicate: boolean }> {
  const topic = topicName(preparing.region, stream, preparing.topicPrefix)
  const [current] = await readCurrent(db, [{ topic, recordId }])
  if (current === undefined) throw new Problem(404, 'RECORD_UNKNOWN', '本地区未发布过此记录 · this region never published this record', 'Ask the gateway of the region that published it, with the record id and stream as they were published.')
  if (current.kind === 'erasure') return { erasure: (await findErasure(db, topic, recordId, current.version))!, duplicate: true }
  const standing = await readStanding(db, stream, preparing.region, recordId)
  if (standing?.version !== current.version) throw behind()
  const { contract, record } = await decodeBody(codec, standing.body)
  const act = actOfHub(preparing, stream, toJson(contract, record), { kind: 'erasure', occurredOn: dateText(shanghaiDay(Date.now())), after: current.version })
  const erasure = await db.tx(async (client) => {
    await lockHeads(client, [act])
    const { outcomes: [outcome] } = await publishIn(client, [act], isEnding)
    if (outcome?.verdict !== 'new-version') throw behind()
    await forgetContent(client, topic, recordId, outcome.version)
    await forgetRecords(client, recordId.slice(0, recordId.indexOf('/')), [recordId])
    return insertErasure(client, { topic, recordId, version: outcome.version, eventId: act.eventId, caller, why })
  })
  wakeup.signal()
  notifyOutbox(db)
  return { erasure, duplicate: false }
}

function behind(): Problem {
  return new Problem(503, 'RECORD_ON_ITS_WAY', '该记录的最新版本尚未到达本地副本 · the newest version of the record has not reached the replica here', 'Send the same again after Retry-After seconds.', { retryAfterSeconds: 2 })
}
