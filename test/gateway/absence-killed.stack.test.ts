import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'

const RECORDS = 4_000
const DIGITS = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const HEADER = '名单,企业名称,统一社会信用代码,列入日期,列入事由,列入决定机关'

let hub: Hub

beforeAll(async () => {
  const source = { id: 'whole', owner: '江苏省市场监督管理局信用监督管理处', contact: '12315', streams: ['credit-blacklist'], caller: 'js-local-publisher', mode: 'full', cadence: 'P1D', versionRule: 'counter' }
  hub = await openHub({ regions: [], sources: () => JSON.stringify({ sources: [source] }) })
})

afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
})

function row(no: number): string {
  const body = `9132010${DIGITS[no % 31]}MA${String(no).padStart(7, '2')}`
  const sum = [...body].reduce((total, digit, at) => total + DIGITS.indexOf(digit) * (3 ** at % 31), 0)
  return `经营异常名录,南京某某${no}有限公司,${body}${DIGITS[(31 - (sum % 31)) % 31]},2024-03-01,通过登记的住所或者经营场所无法联系,南京市市场监督管理局`
}

/** Records by the kind of their newest version, and how many versions all of them have. */
async function kinds(): Promise<Record<string, number>> {
  const { rows } = await hub.db('js').query<{ kind: string, count: number }>(`SELECT kind, count(*)::int AS count FROM published WHERE record_id LIKE 'whole/%' GROUP BY kind`)
  return Object.fromEntries(rows.map(({ kind, count }) => [kind, count]))
}

test('killed while it ends what a list does not name any more, the import ends the rest, each once', async () => {
  let process = await hub.spawn('js')
  const client = hub.client('js', 'publisher')
  const hand = async (count: number): Promise<string> => (await client.importFile('whole', [Buffer.from([HEADER, ...Array.from({ length: count }, (_, no) => row(no)), ''].join('\n'))], { file: 'list.csv', shape: 'credit-namelist' })).id
  await client.waitForImport(await hand(RECORDS))
  const id = await hand(1)
  expect(await client.waitForImport(id)).toMatchObject({ state: 'waiting-confirmation', absent: RECORDS - 1 })
  await client.confirmImport(id)
  await eventually('some have ended', async () => ((await kinds())['removal'] ?? 0) > 0 || undefined, 60_000)
  process.kill('SIGKILL')
  await once(process, 'exit')
  const killedAt = (await kinds())['removal']!
  process = await hub.spawn('js')
  const end = await eventually('the import has ended', async () => {
    const report = await client.readImport(id)
    return report.state === 'done' ? report : undefined
  }, 120_000)
  expect(killedAt).toBeLessThan(RECORDS - 1)
  expect(end).toMatchObject({ rows: 1, events: RECORDS - 1 })
  expect(await kinds()).toEqual({ original: RECORDS, removal: RECORDS - 1 })
}, 300_000)
