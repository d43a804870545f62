import type { Region } from '@hub/schemas/streams'
import { complaints } from './generate.ts'

/** Ways in which a line of complaints can be bad. */
export const BROKEN = [
  'bad-json', 'unknown-field', 'missing-field', 'wrong-type', 'bad-date', 'wrong-region', 'identity-record-id', 'too-long', 'bad-kind', 'nul-character', 'lone-surrogate', 'not-utf8',
] as const
export type Broken = (typeof BROKEN)[number]

/** One line, without its end, that a gateway of `region` must refuse whole; `number` keeps record ids apart. */
export function broken(kind: Broken, region: Region, number = 1): Buffer {
  const [event] = complaints(1, 1, region) as unknown as [never]
  const good = { ...(event as Record<string, unknown>), recordId: `12315-${region}/BAD-${kind}-${number}` } as Record<string, unknown>
  const json = (changes: Record<string, unknown>): Buffer => Buffer.from(JSON.stringify({ ...good, ...changes }))
  switch (kind) {
    case 'bad-json': return Buffer.from(JSON.stringify(good).slice(0, -40))
    case 'unknown-field': return json({ complainantName: '甲' })
    case 'missing-field': return json({ registeredOn: undefined })
    case 'wrong-type': return json({ disputedFen: '12.50' })
    case 'bad-date': return json({ registeredOn: '2026-02-30' })
    case 'wrong-region': return json({ region: region === 'sh' ? 'js' : 'sh' })
    case 'identity-record-id': return json({ recordId: `12315-${region}/00000019900101000${number % 10}` })
    case 'too-long': return json({ legalBasis: '法'.repeat(10_000) })
    case 'bad-kind': return json({ kind: 'deleted' })
    case 'nul-character': return json({ legalBasis: '第三十四条\u0000' })
    case 'lone-surrogate': return Buffer.from(JSON.stringify({ ...good, legalBasis: 'X' }).replace('"X"', '"\\ud800"'))
    case 'not-utf8': return Buffer.concat([json({}).subarray(0, -1), Buffer.from(',"legalBasis":"'), Buffer.from([0xb5, 0xda]), Buffer.from('"}')])
  }
}
