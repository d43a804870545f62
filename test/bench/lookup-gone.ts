import { createClient } from '@hub/client'
import { sample } from '@hub/schemas/samples'
import { REGIONS } from '@hub/schemas/streams'
import { figure, mustEqual, type Bench } from './bench.ts'
import { runChild } from './child.ts'
import { codeOf } from './credit.ts'
import { openHub } from './hub.ts'
import type { GoneResult, GoneSettings } from './loads/gone.ts'

const ORIGIN = 'js'
const PER_SECOND = 500
const WARM_UP_SECONDS = 5

/** From the moment a repair is due in one region until the lookups of all four have told their subscribers to stop. */
export const lookupGone: Bench = {
  name: 'lookup-gone',
  what: '修复到四地查询均已停用的时延（每秒 500 条） · a repair until it is gone from all four lookups, 500/s open loop',
  async run(context) {
    const [rounds, seconds] = context.quick ? [2, 8] : [5, 15]
    const each = PER_SECOND * (WARM_UP_SECONDS + seconds)
    await using hub = await openHub(await context.stack(), context.profileDir)
    const origin = await hub.start('region', ORIGIN)
    const lookups = await Promise.all(REGIONS.map((region) => hub.start('credit-lookup', region)))
    const { eventId: _, ...listing } = sample('cn.yrd.credit_blacklist.CreditRecord') as { eventId: string, subject: object }
    const lines = Array.from({ length: rounds * each }, (_, n) => `${JSON.stringify({ ...listing, region: ORIGIN, recordId: `${ORIGIN}-credit/gone-${n}`, version: 1, subject: { ...listing.subject, regNo: null, uscc: codeOf(n) } })}\n`)
    const published = await createClient({ url: origin.url, key: hub.keys.publisher }).publishLines('credit-blacklist', [Buffer.from(lines.join(''))])
    for await (const _ of published) { /* counted below */ }
    mustEqual('listings accepted', (await published.summary()).accepted, lines.length)
    const results: GoneResult[] = []
    for (let round = 0; round < rounds; round++) {
      const settings: GoneSettings = {
        region: ORIGIN, gateway: origin.url, publisher: hub.keys.publisher, lookups: lookups.map(({ url }) => url), reader: hub.keys.reader, from: round * each, count: each, warmUp: PER_SECOND * WARM_UP_SECONDS, perSecond: PER_SECOND,
      }
      const result = await runChild<GoneResult>('./loads/gone.ts', settings, { signal: context.signal })
      mustEqual('repairs answered with 201', result.statuses['201'] ?? JSON.stringify(result.statuses), each)
      results.push(result)
      context.say(`round ${round + 1}  gone everywhere p50 ${result.p50.toFixed(1)} ms  p99 ${result.p99.toFixed(1)} ms`)
    }
    const judged = { unit: 'ms', better: 'lower' as const, services: [`region ${ORIGIN}`, ...REGIONS.map((region) => `credit-lookup ${region}`), 'load'], settings: { perSecond: PER_SECOND, seconds, warmUpSeconds: WARM_UP_SECONDS, rounds, loop: 'open', seen: 'stop-using of each lookup' } }
    return [
      figure({ bench: 'lookup.gone.p50', ...judged }, results.map(({ p50 }) => p50)),
      figure({ bench: 'lookup.gone.p99', floor: 200, aim: 50, ...judged }, results.map(({ p99 }) => p99)),
    ]
  },
}
