import { join } from 'node:path'
import { createClient, createCreditClient } from '@hub/client'
import { sample } from '@hub/schemas/samples'
import { REPO_ROOT } from '@hub/local/paths'
import type { Check } from './check.ts'
import { run } from './program.ts'
import { python, versionsOf } from './python.ts'

const EXAMPLES = join(REPO_ROOT, 'docs/guides/examples')

/** librdkafka, fastavro and the registry's HTTP interface read what was published. */
export const readTopic: Check = {
  name: 'read_topic.py',
  proves: '不用本项目的任何代码即可读取主题 · a topic can be read with nothing of ours',
  async run({ zj, topicPrefix, settingsFile }) {
    const event = { ...sample('cn.yrd.complaint.Complaint'), recordId: 'extern/read-topic', eventId: undefined }
    const client = createClient({ url: zj.gateway, key: zj.keys.publisher })
    const { eventId } = await client.publish('complaint', event as never)
    await client.waitUntilArrived(eventId!, { regions: ['zj', 'sh'] })
    const bin = await python()
    const { status, out, error } = await run(join(bin, 'python'), [join(EXAMPLES, 'read_topic.py'), `${topicPrefix}zj.complaint`, '--record-id', 'extern/read-topic', '--count', '1', '--settings', settingsFile])
    const read = status === 0 && out !== '' ? JSON.parse(out) as { type: string; event: Record<string, unknown> } : undefined
    const passed = read?.type === 'cn.yrd.complaint.Complaint' && read.event['eventId'] === eventId && read.event['registeredOn'] === '2026-01-01' && read.event['state'] === 'settled'
    return { passed, seen: passed ? `${read.type} ${String(read.event['recordId'])}` : `${out}${error}`.trim(), versions: await versionsOf(bin, 'confluent-kafka', 'fastavro') }
  },
}

/** Python's own library publishes, waits for the receipt and reads. */
export const publishAndRead: Check = {
  name: 'publish_and_read.py',
  proves: '仅用 Python 标准库即可发布、查回执、读取 · publishing, receipt and reading need Python alone',
  async run({ zj, everyRole }) {
    const bin = await python()
    const again = async () => run(join(bin, 'python'), [join(EXAMPLES, 'publish_and_read.py'), 'extern/publish-and-read'], { env: { HUB_GATEWAY_URL: zj.gateway, HUB_KEY: everyRole } })
    const [first, second] = [await again(), await again()]
    const verdicts = [first, second].map(({ out }) => (out === '' ? undefined : (JSON.parse(out.split('\n')[0]!) as { verdict: string }).verdict))
    const passed = first.status === 0 && second.status === 0 && verdicts.join() === 'accepted,duplicate' && first.out.trimEnd().split('\n').length === 3
    return { passed, seen: passed ? verdicts.join(', ') : `${first.out}${first.error}${second.out}${second.error}`.trim(), versions: await versionsOf(bin) }
  },
}

/** Python's own library asks for a firm, follows what changes, drops what ended and says so. */
export const followCredit: Check = {
  name: 'follow_credit.py',
  proves: '仅用 Python 标准库即可查询信用、订阅变更、停用并确认 · asking for credit, following its changes and acknowledging need Python alone',
  async run({ zj, lookup }) {
    const client = createClient({ url: zj.gateway, key: zj.keys.publisher })
    const credit = createCreditClient({ url: lookup, key: zj.keys.operator })
    const { eventId: _, ...listing } = sample('cn.yrd.credit_blacklist.CreditRecord') as { eventId: string; subject: { uscc: string } }
    const { eventId: __, ...repair } = sample('cn.yrd.credit_blacklist.CreditRecordEnded') as { eventId: string }
    const identity = { recordId: 'extern/follow-credit', region: 'zj' }
    await client.publish('credit-blacklist', { ...listing, ...identity, version: 1 } as never)
    await until(async () => (await credit.lookUp(listing.subject.uscc)).verdict === 'listed')
    const bin = await python()
    const following = run(join(bin, 'python'), [join(EXAMPLES, 'follow_credit.py'), 'extern', listing.subject.uscc, '--changes', '1'], { env: { HUB_LOOKUP_URL: lookup, HUB_KEY: zj.keys.reader } })
    const waits = async (): Promise<number | undefined> => (await credit.subscribers()).find(({ name }) => name === 'extern')?.notStopped.records
    await until(async () => await waits() !== undefined)
    await client.publish('credit-blacklist', { ...repair, ...identity, version: 2 } as never)
    const { status, out, error } = await following
    const lines = out.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, string>)
    const passed = status === 0 && lines[0]?.['verdict'] === 'listed' && lines[1]?.['event'] === 'stop-using' && lines[1]['recordId'] === identity.recordId && await waits() === 0
    return { passed, seen: passed ? 'listed, stop-using, acknowledged' : `${out}${error}`.trim(), versions: await versionsOf(bin) }
  },
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!await condition()) {
    if (performance.now() > deadline) throw new Error('not within 30 s')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
