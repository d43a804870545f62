import { randomBytes } from 'node:crypto'
import type { Digest } from '@hub/replicator/apply'
import { xor } from '@hub/replicator/apply'
import type { Db } from '@hub/runtime/db'
import { recordHash } from '@hub/schemas/record-rule'
import { topicName } from '@hub/schemas/streams'
import { complaints, type ComplaintEvent } from '../data/generate.ts'
import { figure, mustEqual, VoidRun, type Bench, type BenchContext } from './bench.ts'
import { openHub } from './hub.ts'
import { encodeComplaints, fillLog } from './log-fill.ts'
import { appliedOf, mustHold } from './replica.ts'
import { until } from './wait.ts'

const ORIGIN = 'zj'
const READER = 'sh'
const WRONG = 1_000_000_007

interface Outcome { rows: number, equal: number, repaired: number, different: number, findings: { recordId: string, fields: { field: string }[] }[] }

/** A replica of a million records: looked at as a whole, then one wrong row among them found and put right; and what proving costs while events are applied. */
export const scrub: Bench = {
  name: 'scrub',
  what: '核对一百万行、定位并修复一行 · a million rows recomputed from their bytes; one wrong row localised and repaired',
  async run(context) {
    const count = context.quick ? 200_000 : 1_000_000
    const rounds = context.quick ? 2 : 3
    await using hub = await openHub(await context.stack(), context.profileDir)
    const topic = topicName(ORIGIN, 'complaint', hub.prefix)
    const encoded = await encodeComplaints(hub, ORIGIN, firstVersions(count, context.seed))
    const proving = provingMicros(encoded.flatMap((messages) => messages.slice(0, 20_000).map(({ key, value }) => ({ key: key as string, value }))))
    await fillLog(hub, ORIGIN, encoded)
    for (const messages of encoded) messages.length = 0
    const db = hub.db(READER)
    const replicator = await hub.start('replicator', READER)
    let first: { at: number, done: number } | undefined
    let last = 0
    await until('the replica has all', 600_000, async () => {
      const done = await appliedOf(db, topic)
      if (done > 0) first ??= { at: performance.now(), done }
      if (done < count) return undefined
      last = performance.now()
      return true
    }, context.signal, 50)
    const applyMicros = ((last - first!.at) * 1000) / (count - first!.done)
    context.say(`applied at ${Math.round(1e6 / applyMicros)}/s; hash ${proving.hash.toFixed(2)} µs, digest ${proving.digest.toFixed(2)} µs an event`)
    await mustHold(db, topic, count)

    const scrubbed: number[] = []
    const repaired: number[] = []
    const together: number[] = []
    for (let round = 0; round <= rounds; round++) { // the first warms everything up and does not count
      const pass = await ask(db, context, 'scrub')
      mustEqual('rows looked at', pass.outcome.rows, count)
      mustEqual('partitions not equal', pass.outcome.repaired + pass.outcome.different, 0)
      const partition = await spoil(db, round)
      const mended = await ask(db, context, 'repair', { topic, partition })
      mustBe(mended.outcome)
      await spoil(db, round)
      const whole = await ask(db, context, 'scrub')
      mustBe(whole.outcome)
      context.say(`${round === 0 ? 'warm-up' : `round ${round}`}  scrub ${pass.seconds.toFixed(1)} s, localise and repair ${mended.seconds.toFixed(1)} s, both ${whole.seconds.toFixed(1)} s`)
      if (round === 0) continue
      scrubbed.push(pass.seconds)
      repaired.push(mended.seconds)
      together.push(whole.seconds)
    }
    await mustHold(db, topic, count)
    await replicator.stop()
    const settings = { rows: count, partitions: 6, rounds, warmUpRounds: 1 }
    const services = [`replicator ${READER}`]
    const share = (micros: number): number => (micros / applyMicros) * 100
    return [
      figure({ bench: 'scrub', unit: 's', better: 'lower', floor: 20, services, settings }, scrubbed),
      figure({ bench: 'scrub-localise-repair', unit: 's', better: 'lower', floor: 60, services, settings }, repaired),
      figure({ bench: 'scrub-find-repair', unit: 's', better: 'lower', services, settings }, together),
      figure({ bench: 'scrub-digest-share', unit: '% of applying', better: 'lower', floor: 10, services, settings: { ...settings, applyMicros, digestMicros: proving.digest } }, [share(proving.digest)]),
      figure({ bench: 'scrub-hash-share', unit: '% of applying', better: 'lower', services, settings: { ...settings, applyMicros, hashMicros: proving.hash } }, [share(proving.hash)]),
    ]
  },
}

function* firstVersions(count: number, seed: number): Generator<ComplaintEvent> {
  let left = count
  for (const event of complaints(Infinity, seed, ORIGIN)) {
    if (event.kind === 'original') yield event
    if (event.kind === 'original' && --left === 0) return
  }
}

/** Changes a typed column of one row, by hand. @returns its partition */
async function spoil(db: Db, round: number): Promise<number> {
  const { rows: [row] } = await db.query<{ partition: number }>(
    `UPDATE complaint SET disputed_fen = ${WRONG} WHERE record_id = (SELECT record_id FROM complaint OFFSET ${1_000 + round} LIMIT 1) RETURNING partition`)
  if (row === undefined) throw new VoidRun('no row to change')
  return row.partition
}

function mustBe({ repaired, different, findings }: Outcome): void {
  mustEqual('partitions repaired', repaired, 1)
  mustEqual('partitions different', different, 0)
  mustEqual('what was found', JSON.stringify(findings.map(({ fields }) => fields.map(({ field }) => field))), '[["disputed_fen"]]')
}

async function ask(db: Db, context: BenchContext, kind: 'scrub' | 'repair', place?: { topic: string, partition: number }): Promise<{ outcome: Outcome, seconds: number }> {
  const began = performance.now()
  const { rows: [request] } = await db.query<{ id: bigint }>('INSERT INTO scrub_request (kind, topic, partition, who, why) VALUES ($1, $2, $3, $4, $4) RETURNING id', [kind, place?.topic ?? null, place?.partition ?? null, 'bench'])
  const outcome = await until('the scrubber is done', 600_000, async () =>
    (await db.query<{ outcome: Outcome | null }>('SELECT outcome FROM scrub_request WHERE id = $1', [request!.id])).rows[0]?.outcome ?? undefined, context.signal, 20)
  return { outcome, seconds: (performance.now() - began) / 1000 }
}

/** What hash and digest of one event take on one core, in µs: measured alone, because the product has no way of leaving them out. */
function provingMicros(events: readonly { key: string, value: Buffer }[]): { hash: number, digest: number } {
  const measure = (work: () => void): number => {
    work()
    const began = performance.now()
    work()
    return ((performance.now() - began) * 1000) / events.length
  }
  const digest: Digest = { hi: 0n, lo: 0n }
  const hashes = events.map(() => randomBytes(16))
  return {
    hash: measure(() => { for (const { key, value } of events) recordHash(key, 1n, value) }),
    // One hash comes in, the one it replaces goes out.
    digest: measure(() => {
      for (const hash of hashes) {
        xor(digest, hash)
        xor(digest, hash)
      }
    }),
  }
}
