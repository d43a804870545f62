import { expect, test } from 'vitest'
import { BROKEN, broken } from '../data/broken.ts'
import { complaints } from '../data/generate.ts'
import { openHub } from '../hub.ts'

const EVENTS = 20_000
/** One line of a hundred is broken, each kind in its turn. */
const EVERY = 100
/** The bodies, the verdicts and the history live in this process too. */
const GROWTH_BYTES = 400 * 1024 * 1024

test('20 000 lines with one in a hundred broken: a verdict for each, the rest published, and nothing when they are sent again', { timeout: 60_000 }, async () => {
  await using hub = await openHub({ regions: ['zj', 'sh'] })
  const lines = [...mixed()]
  const bad = EVENTS / EVERY
  const before = process.memoryUsage.rss()

  const first = await hub.publish('zj', 'complaint', lines)
  expect(first.summary).toMatchObject({ total: EVENTS, refused: bad, duplicate: 0, stale: 0, conflict: 0 })
  expect(first.summary['accepted']! + first.summary['new-version']!).toBe(EVENTS - bad)
  expect(first.verdicts.map(({ line }) => line)).toEqual(lines.map((_, i) => i + 1))
  const refused = first.verdicts.filter(({ verdict }) => verdict === 'refused')
  expect(refused.map(({ line }) => line)).toEqual(lines.flatMap((line, i) => (Buffer.isBuffer(line) ? [i + 1] : [])))
  expect(refused.filter(({ problems }) => problems === undefined || problems.length === 0)).toEqual([])
  await hub.settled(30_000)
  await hub.expectEqual()

  const versions = await published()
  const again = await hub.publish('zj', 'complaint', lines)
  expect(again.summary).toMatchObject({ total: EVENTS, refused: bad, accepted: 0, 'new-version': 0, conflict: 0 })
  expect(await published()).toBe(versions)
  expect(process.memoryUsage.rss() - before).toBeLessThan(GROWTH_BYTES)

  async function published(): Promise<bigint> {
    const { rows } = await hub.db('zj').query<{ versions: bigint }>('SELECT count(*) AS versions FROM published')
    return rows[0]!.versions
  }
})

function* mixed(): Generator<object | Buffer> {
  const good = complaints(EVENTS, 11, 'zj')
  for (let i = 1; i <= EVENTS; i++) yield i % EVERY === 0 ? broken(BROKEN[(i / EVERY) % BROKEN.length]!, 'zj', i) : good.next().value!
}
