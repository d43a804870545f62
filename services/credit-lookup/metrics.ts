import type { Metrics } from '@hub/runtime/metrics'
import { REGIONS } from '@hub/schemas/streams'
import type { Verdict } from './answer.ts'
import { doubtsOf } from './completeness.ts'
import type { Reader } from './reader.ts'

export interface LookupMetrics {
  answered(verdict: Verdict): void
}

export function createLookupMetrics(metrics: Metrics, reader: Reader): LookupMetrics {
  metrics.gauge('hub_lookup_subjects', 'Firms that the credit lookup has records of', [], (gauge) => gauge.set(reader.life?.holdings.subjects.size ?? 0))
  metrics.gauge('hub_lookup_records', 'Credit records of the lookup, ended ones included', [], (gauge) => gauge.set(reader.life?.holdings.records.size ?? 0))
  metrics.gauge('hub_lookup_index_bytes', 'Memory of its tables', [], (gauge) => {
    const holdings = reader.life?.holdings
    gauge.set(holdings === undefined ? 0 : holdings.subjects.table.bytes + holdings.records.table.bytes)
  })
  metrics.gauge('hub_lookup_details_bytes', 'Bytes of its files of details, dead ones apart', ['state'], (gauge) => {
    const { used, dead } = reader.life?.holdings.details.bytes ?? { used: 0, dead: 0 }
    gauge.set({ state: 'live' }, used - dead)
    gauge.set({ state: 'dead' }, dead)
  })
  metrics.gauge('hub_lookup_doubts', '1 for each reason why the lookup does not say of a region that nothing is listed there', ['origin', 'doubt'], (gauge) => {
    gauge.reset()
    if (reader.life?.loaded !== true) return
    const now = Date.now()
    for (const facts of reader.facts(reader.life)) for (const { code } of doubtsOf(facts, now)) gauge.set({ origin: facts.region, doubt: code }, 1)
  })
  metrics.gauge('hub_lookup_incomplete_regions', 'Regions of which the lookup does not say that nothing is listed there', [], (gauge) => {
    const { life } = reader
    gauge.set(life?.loaded === true ? reader.facts(life).filter((facts) => doubtsOf(facts, Date.now()).length > 0).length : REGIONS.length)
  })
  const answers = metrics.counter('hub_lookup_answers_total', 'Questions about a code that were answered', ['verdict'])
  const by = { listed: answers.labels('listed'), 'not-listed': answers.labels('not-listed'), unknown: answers.labels('unknown') }
  return { answered: (verdict) => by[verdict].inc() }
}
