import type { Codec } from '@hub/runtime/codec'
import type { DbClient } from '@hub/runtime/db'
import { contractByName } from '@hub/schemas/contracts'
import { readEvent } from '@hub/schemas/read-event'
import { countableOf, type Countable } from '@hub/schemas/rollups'
import type { Region } from '@hub/schemas/streams'
import { columnValues } from '@hub/schemas/tables'
import type { Act, WrittenCorrection } from './acts.ts'
import { canonicalJson } from './canonical.ts'
import { written, type Correction } from './edition/corrections.ts'
import { voidedRecord, wrongTrader } from './edition/record-correction.ts'
import { readAtCut } from './store/records-at-cut.ts'

/** What an origin asks to be put right in its first copy. `event` is the record as it was at the cut, which an origin has to give of a voided one. */
export interface AskedCorrection {
  readonly reason: 'wrong-trader' | 'voided'
  readonly recordId: string
  readonly event?: object
}

export interface Correcting {
  readonly db: DbClient
  readonly codec: Codec
  readonly campaign: string
  readonly year: number
}

/** The correction that a record needs. @throws RangeError when it needs none, or nothing is known of it */
export async function correctionOf(correcting: Correcting, region: Region, { reason, recordId, event }: AskedCorrection): Promise<Correction> {
  const { db, campaign, year } = correcting
  const found = await readAtCut(db, campaign, year, region, recordId)
  if (found === undefined) throw new RangeError(`${recordId}：副本中没有此投诉，或其分区未截数 / there is no such complaint here, or its partition was not cut`)
  const now = await countableOfBody(correcting, found.now)
  if (reason === 'voided') return voidedRecord(region, recordId, countableOfInput(region, recordId, event), now)
  if (found.then === null) throw new RangeError(`${recordId}：截数时尚无此投诉，或其后已终结 / it was not there at the cut, or has ended since`)
  return wrongTrader(region, recordId, await countableOfBody(correcting, found.then), now)
}

/**
 * Why corrections of a draft do not hold here: their origin has not said them, or this replica's own history tells otherwise. `undefined` = they hold.
 * Of a voided record no replica keeps anything but that it is void; that its cells were there is seen when they are taken away.
 */
export async function faultOf(correcting: Correcting, corrections: readonly WrittenCorrection[], acts: readonly Act[]): Promise<string | undefined> {
  const said = new Set(acts.flatMap((act) => (act.says === 'correction' ? act.body.corrections.filter(({ region }) => region === act.region).map((one) => canonicalJson(one)) : [])))
  for (const correction of corrections) {
    const { region, reason, recordId } = correction
    if (reason === 'region-returned') continue
    if (recordId === null || !said.has(canonicalJson(correction))) return `更正未由来源地区提出 · a correction that its origin, ${region}, has not stated`
    if (reason === 'voided') {
      const found = await readAtCut(correcting.db, correcting.campaign, correcting.year, region, recordId)
      if (found === undefined || (await countableOfBody(correcting, found.now))[0] !== 'void') return `${recordId}：本地副本中未撤销 · it is not void in this replica`
    }
    if (reason === 'wrong-trader') {
      try {
        const own = await correctionOf(correcting, region, { reason, recordId })
        if (canonicalJson(written(own)) !== canonicalJson(correction)) return `${recordId}：更正内容与本地历史不符 · this replica's history tells otherwise`
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        return error.message
      }
    }
  }
  return undefined
}

async function countableOfBody({ codec }: Correcting, body: Buffer): Promise<Countable> {
  for (;;) {
    const decoded = codec.decode(body)
    if (decoded.ok) return countableOf('complaint', { kind: String(decoded.record['kind']), columns: columnValues(contractByName(decoded.fullName)!, decoded.record) })
    if (decoded.reason !== undefined) throw new Error(`a row of the replica does not decode: ${decoded.reason}`)
    await decoded.pending
  }
}

function countableOfInput(region: Region, recordId: string, event: object | undefined): Countable {
  if (event === undefined) throw new RangeError(`${recordId}：撤销后各地均不再保留其内容，请附上截数时的记录 / what was voided is kept nowhere: give the record as it was at the cut`)
  const read = readEvent('complaint', region, { ...event, recordId }, Date.now())
  if (!read.ok) throw new RangeError(`${recordId}：所附记录不符合契约 / the record given does not keep the contract: ${read.problems.map(({ field, rule }) => `${field} ${rule}`).join(', ')}`)
  const { contract, record, kind } = read.event
  return countableOf('complaint', { kind, columns: columnValues(contract, record) })
}
