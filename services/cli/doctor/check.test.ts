import { expect, it } from 'vitest'
import { copiesFinding } from './broker.ts'
import { describeFindings, exitOf, runChecks, type Finding } from './check.ts'
import { outboxFinding, replicaFinding, type ReplicaState } from './database.ts'
import { diskFinding, nodeFinding, settingsFinding } from './machine.ts'

const fine: Finding = { name: 'node', state: 'ok', zh: '好', en: 'fine' }
const healthy: ReplicaState = { partitions: 72, paused: [], parked: 0n, lag: 0n, silent: [] }

it('a part that never answers is named at its deadline, and the others are looked at all the same', async () => {
  const findings = await runChecks([{ name: 'broker', run: () => new Promise(() => {}) }, { name: 'node', run: () => Promise.resolve([fine]) }], 20)
  expect(findings.map(({ name, state }) => `${name} ${state}`)).toEqual(['broker missing', 'node ok'])
})

it('a check that fails in a way nobody thought of is a finding, not an end', async () => {
  const [finding] = await runChecks([{ name: 'disk', run: () => Promise.reject(new Error('strange')) }])
  expect(finding).toMatchObject({ name: 'disk', state: 'missing', en: expect.stringContaining('strange') as string })
})

it('the status is 3 when a part is missing, 1 when something is wrong, 0 when all is well or merely not looked at', () => {
  const of = (...states: Finding['state'][]): number => exitOf(states.map((state) => ({ ...fine, state })))
  expect([of('ok', 'skipped'), of('ok', 'wrong'), of('wrong', 'missing')]).toEqual([0, 1, 3])
})

it('the last line names every part that is wrong', () => {
  const text = describeFindings([fine, { ...fine, name: 'database zj', state: 'missing' }, { ...fine, name: 'registry', state: 'wrong' }])
  expect(text.split('\n').at(-1)).toContain('database zj, registry')
})

it('a replica is wrong when a partition is paused, when one is unknown, and when it hears nothing of a region; parked events are only counted', () => {
  expect(replicaFinding('replica', { ...healthy, parked: 3n, lag: 5n })).toMatchObject({ state: 'ok', en: 'lag 5, parked 3' })
  expect(replicaFinding('replica', { ...healthy, paused: ['js.recall/0 LOG_CHANGED'] })).toMatchObject({ state: 'wrong', zh: expect.stringContaining('js.recall/0') as string })
  expect(replicaFinding('replica', { ...healthy, partitions: 71 })).toMatchObject({ state: 'wrong', en: expect.stringContaining('71 of 72') as string })
  expect(replicaFinding('replica', { ...healthy, silent: ['ah'] })).toMatchObject({ state: 'wrong', en: expect.stringContaining('ah') as string })
})

it('acknowledged events that wait long for the log are wrong, a moment is not', () => {
  expect(outboxFinding('outbox', { unsent: 4n, ageSeconds: 2, paused: [] }).state).toBe('ok')
  expect(outboxFinding('outbox', { unsent: 4n, ageSeconds: 95, paused: [] })).toMatchObject({ state: 'wrong', en: expect.stringContaining('95 s') as string })
  expect(outboxFinding('outbox', { unsent: 0n, ageSeconds: 0, paused: ['zj.tally/1 SEQUENCE_GAP'] }).state).toBe('wrong')
})

it('an old Node, an unknown hub and a full disk are found', () => {
  expect([nodeFinding('24.12.0').state, nodeFinding('24.11.9').state, nodeFinding('22.20.0').state, nodeFinding('26.0.0').state]).toEqual(['ok', 'missing', 'missing', 'ok'])
  expect(settingsFinding({ topicPrefix: '', regions: {} }, '/x/local.json', false)).toMatchObject({ state: 'missing', zh: expect.stringContaining('HUB_KAFKA_BROKERS') as string })
  expect([diskFinding(1e9).state, diskFinding(1e11).state]).toEqual(['wrong', 'ok'])
})

it('one broker is for trials; of several a topic has three copies, two of them before an acknowledgement, and all three now', () => {
  const safe = { topic: 'zj.complaint', replicas: 3, inSync: 3, least: 2 }
  expect(copiesFinding(1, [{ ...safe, replicas: 1, inSync: 1, least: 1 }])).toMatchObject({ state: 'ok', en: expect.stringContaining('trials') as string })
  expect(copiesFinding(3, [safe])).toMatchObject({ state: 'ok' })
  expect(copiesFinding(3, [safe, { ...safe, least: 1 }])).toMatchObject({ state: 'wrong', zh: expect.stringContaining('min.insync.replicas=2') as string })
  expect(copiesFinding(3, [{ ...safe, replicas: 1, inSync: 1 }])).toMatchObject({ state: 'wrong', en: expect.stringContaining('1 copies instead of 3') as string })
  expect(copiesFinding(2, [{ ...safe, inSync: 2 }])).toMatchObject({ state: 'wrong', en: expect.stringContaining('2 of 3') as string })
})
