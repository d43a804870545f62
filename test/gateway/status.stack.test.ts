import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { complaint, IDENTITY } from './events.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'

let hub: Hub
/** A gateway without a replicator beside it. */
let alone: TestGateway

beforeAll(async () => {
  hub = await openHub()
  alone = await startGateway(hub.fixture, { region: 'js' })
})

afterAll(async () => {
  await alone?.[Symbol.asyncDispose]()
  await hub?.[Symbol.asyncDispose]()
})

async function statusOf(url: string, key: string): Promise<string> {
  const response = await fetch(`${url}/status`, { headers: { authorization: `Bearer ${key}` } })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  return (await response.text()).replaceAll(/<span lang="en"[^>]*>.*?<\/span>/g, '').replaceAll(/<style>.*?<\/style>/gs, '')
}

/** The cells of a table's row that has these words, without tags. */
function rowWith(page: string, ...words: string[]): string[] | undefined {
  const rows = [...page.matchAll(/<tr[^>]*>(.*?)<\/tr>/gs)].map(([, row]) => [...row!.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) => cell!.replaceAll(/<[^>]+>/g, '').trim()))
  return rows.find((cells) => words.every((word) => cells.some((cell) => cell.includes(word))))
}

const PUBLISHED_FIRST = ['1', '0', '0', '0', '0']

describe('/status', () => {
  test('counts what was sent today by source, stream and verdict, and says why events were refused, never with a value', async () => {
    await alone.publish('complaint', [
      complaint({ recordId: 'counted/1' }), complaint({ recordId: 'counted/1' }), complaint({ recordId: 'counted/1', state: 'closed' }), complaint({ recordId: 'counted/1', version: 3, state: 'closed' }),
      complaint({ recordId: 'counted/1', version: 2 }), complaint({ recordId: 'counted/2', registeredOn: '2026-02-30' }), complaint({ recordId: `counted/${IDENTITY}` }),
    ].map((event) => JSON.stringify(event)).join('\n'), { type: 'application/x-ndjson' })
    const page = await eventually('all verdicts counted', async () => {
      const text = await statusOf(alone.url, KEYS.publisher)
      return rowWith(text, 'counted', '消费投诉')?.slice(2).join() === '2,1,1,1,1' ? text : undefined
    })
    expect(rowWith(page, '来源不明')?.slice(2)).toEqual(['0', '0', '0', '0', '1'])
    expect(rowWith(page, 'counted/2', '拒绝')).toEqual([expect.stringMatching(/^counted\/2 第 6 行.*消费投诉/), expect.stringMatching(/^拒绝registeredOn：不是有效日期 date/)])
    expect(rowWith(page, '冲突', 'version-conflict')).toBeDefined()
    expect(page).toContain('href="/codes#rule-date"')
    expect(page).not.toContain(IDENTITY)
    expect(page).not.toContain('2026-02-30')
  })

  test('is of a caller\'s own sources; an operator sees all', async () => {
    await alone.publish('complaint', JSON.stringify(complaint({ recordId: 'others/1' })))
    await alone.publish('complaint', JSON.stringify(complaint({ recordId: 'narrow/1' })), { key: KEYS.narrow })
    await alone.publish('complaint', '{', { key: KEYS.narrow })
    const of = (key: string) => statusOf(alone.url, key)
    const own = await eventually('the refusal', async () => {
      const text = await of(KEYS.narrow)
      return text.includes('malformed-json') && rowWith(text, 'narrow', '消费投诉') !== undefined ? text : undefined
    })
    expect(rowWith(own, 'narrow', '消费投诉')?.slice(2)).toEqual(PUBLISHED_FIRST)
    for (const foreign of ['others', 'counted']) expect(own).not.toContain(foreign)
    const all = await of(KEYS.operator)
    for (const source of ['others', 'narrow', 'counted']) expect(rowWith(all, source, '消费投诉')).toBeDefined()
    expect(await of(KEYS.publisher)).not.toContain('malformed-json')
    expect((await fetch(`${alone.url}/status`, { headers: { authorization: `Bearer ${KEYS.reader}` } })).status).toBe(403)
  })

  test('counts a day in slices: each event once, however often it is asked for', async () => {
    await using counted = await startGateway(hub.fixture, { region: 'ah' })
    await counted.db.query(`INSERT INTO published (topic, record_id, version, body_hash, event_id, partition, sequence, kind)
      SELECT $1, 'big/' || i, 1, '', (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - i / 100), 12, '0') || '70008' || lpad(i::text, 15, '0'))::uuid, 0, i, 'original'
        FROM generate_series(1, 120000) i WHERE now() - i * interval '0.01 ms' > date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'`, [`${hub.fixture.prefix}ah.complaint`])
    const { rows: [row] } = await counted.db.query<{ n: bigint }>('SELECT count(*) AS n FROM published')
    for (let i = 0; i < 3; i++) {
      const seen = await eventually('counted to the end', async () => {
        const text = await statusOf(counted.url, KEYS.publisher)
        return text.includes('尚在统计') ? undefined : rowWith(text, 'big')
      })
      expect(seen![2]).toBe(Number(row!.n).toLocaleString('en'))
    }
  })

  test('says where there is no replica', async () => {
    expect(await statusOf(alone.url, KEYS.publisher)).toContain('本地区尚无副本')
  })

  test('says that everything has arrived, and which region lacks how much since when while one is away', { timeout: 90_000 }, async () => {
    await hub.publish('zj', 'complaint', Array.from({ length: 30 }, (_, i) => complaint({ recordId: `12315-zj/arrived-${i}` })))
    await eventually('all arrived', async () => (await statusOf(hub.url('zj'), hub.keys.publisher)).includes('全部到达四地'), 20_000)
    await hub.stop('ah')
    await hub.publish('zj', 'complaint', Array.from({ length: 20 }, (_, i) => complaint({ recordId: `12315-zj/away-${i}` })))
    const row = await eventually('twenty on the way to one region', async () => {
      const text = await statusOf(hub.url('zj'), hub.keys.publisher)
      return ['上海', '江苏', '浙江'].every((name) => rowWith(text, name, '全部到达')) ? rowWith(text, '安徽', '20 条在途') : undefined
    }, 20_000)
    expect(row![1]).toMatch(/最早一条自 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d 等待/)
    await hub.start('ah')
    await eventually('all arrived again', async () => (await statusOf(hub.url('zj'), hub.keys.publisher)).includes('全部到达四地'), 30_000)
  })
})

test('/codes explains each code to anybody', async () => {
  const response = await fetch(`${alone.url}/codes`)
  const text = await response.text()
  expect(response.status).toBe(200)
  for (const id of ['verdict-conflict', 'rule-date', 'rule-ce-type', 'flag-uscc-check-failed', 'row-rule-out-of-region', 'row-flag-unmapped-code', 'skip-total', 'import-many-absent']) expect(text).toContain(`id="${id}"`)
})
