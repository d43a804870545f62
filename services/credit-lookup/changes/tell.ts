import type { Codec } from '@hub/runtime/codec'
import { contractByName } from '@hub/schemas/contracts'
import { instantText } from '@hub/schemas/record-json'
import { show, stateOf, todayInShanghai, type Viewer } from '@hub/schemas/visibility'
import { shownOf } from '../answer.ts'
import type { Life } from '../life.ts'
import type { Change } from './ring.ts'

/** Texts that are kept for readers of one kind, so that many of them cost little more than one. */
const KEPT = 2_000

/** Says of a change what a reader of a kind is told now. */
export interface Teller {
  /**
   * The lines of a server-sent event but its id: `put` with what is listed, or `stop-using` with the record id. Undefined for a change that a later
   * one of the record has overtaken. Whoever waits for a promise asks again.
   */
  tell(life: Life, number: number, change: Change, viewer: Viewer): string | undefined | Promise<void>
}

export function createTeller(codec: Codec, topicPrefix: string): Teller {
  const kept = new Map<string, Map<number, string>>()
  let [keptOf, keptOn] = [undefined as Life | undefined, 0]

  return {
    tell(life, number, change, viewer) {
      const head = life.holdings.current(change.recordId)
      if (head === undefined || head.offset !== change.offset || head.place !== change.place) return undefined
      const today = todayInShanghai()
      if (keptOf !== life || keptOn !== today) kept.clear()
      ;[keptOf, keptOn] = [life, today]
      const kind = JSON.stringify(viewer)
      let texts = kept.get(kind)
      if (texts === undefined) kept.set(kind, texts = new Map())
      const known = texts.get(number)
      if (known !== undefined) return known
      const text = head.ended ? stopUsing(life, change) : textOf(life, change, viewer, today)
      if (typeof text !== 'string') return text
      texts.set(number, text)
      if (texts.size > KEPT) texts.delete(texts.keys().next().value!)
      return text
    },
  }

  function textOf(life: Life, change: Change, viewer: Viewer, today: number): string | Promise<void> {
    const { place, offset, recordId } = change
    const { topic, partition } = life.partitions[place]!
    const decoded = codec.decode(life.holdings.currentBody(recordId))
    if (!decoded.ok && decoded.reason === undefined) return decoded.pending
    if (!decoded.ok) throw new Error(`a record of ${topic} at ${offset} cannot be decoded: ${decoded.reason}`)
    const contract = contractByName(decoded.fullName)!
    const shown = show(contract, decoded.record, viewer, today)
    // What its own region alone may still see is in force nowhere.
    if (shown.show !== 'record' || stateOf(contract, decoded.record, today) !== 'published') return stopUsing(life, change)
    const { uscc } = decoded.record['subject'] as { uscc: string | null }
    const found = { contract, record: decoded.record, topic: topic.slice(topicPrefix.length), partition, offset }
    return event('put', { recordId, uscc, takenAt: instantText(change.at), ...shownOf(found, shown.json) })
  }
}

/** The record id alone: whoever holds it knows what to drop, and nobody else learns whom it listed. */
function stopUsing({ partitions }: Life, { place, recordId, at }: Change): string {
  return event('stop-using', { recordId, region: partitions[place]!.region, takenAt: instantText(at) })
}

function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
