import { join } from 'node:path'
import { createClient } from '@hub/client'
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
