import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from '@hub/client'
import { REGIONS, topicName } from '@hub/schemas/streams'
import { figure, mustEqual, VoidRun, type Bench } from './bench.ts'
import { openHub } from './hub.ts'
import { nameList } from './name-list.ts'
import { appliedOf, mustHold } from './replica.ts'

const ORIGIN = 'js'
const LOOK_MS = 50
const DEADLINE_MS = 300_000

/** Each July the firms that did not file their annual report are listed, all in one nightly file: from its first byte until the last of four replicas has them all. */
export const wave: Bench = {
  name: 'wave',
  what: '七月名单 · the July wave: one file of listings until all four replicas have it',
  async run(context) {
    const rows = context.quick ? 20_000 : 100_000
    const book = await nameList(rows)
    const seconds: number[] = []
    for (let round = 0; round < (context.quick ? 1 : 3); round++) {
      await using hub = await openHub(await context.stack(), context.profileDir)
      const topic = topicName(ORIGIN, 'credit-blacklist', hub.prefix)
      const [origin] = await Promise.all([hub.start('region', ORIGIN), ...REGIONS.filter((region) => region !== ORIGIN).map((region) => hub.start('replicator', region))])
      const client = createClient({ url: origin!.url, key: hub.keys.publisher, attempts: 1 })
      const began = performance.now()
      const { id } = await client.importFile('js-credit', [book], { file: 'list.xlsx', shape: 'credit-namelist' })
      const report = await client.waitForImport(id)
      mustEqual('accepted listings', report.verdicts.accepted, rows)
      while ((await Promise.all(REGIONS.map((region) => appliedOf(hub.db(region), topic)))).some((applied) => applied < rows)) {
        if (performance.now() - began > DEADLINE_MS) throw new VoidRun(`the listings were not everywhere after ${DEADLINE_MS / 1000} s`)
        await delay(LOOK_MS)
      }
      seconds.push((performance.now() - began) / 1000)
      for (const region of REGIONS) await mustHold(hub.db(region), topic, rows)
      context.say(`round ${round + 1}  ${seconds.at(-1)!.toFixed(1)} s until four replicas have ${rows} listings`)
    }
    const services = [`region ${ORIGIN}`, ...REGIONS.filter((region) => region !== ORIGIN).map((region) => `replicator ${region}`)]
    return [figure({ bench: 'import.wave', unit: `s until all four replicas have ${rows} listings`, better: 'lower', floor: 60, services, settings: { rows } }, seconds)]
  },
}
