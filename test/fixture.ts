import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { registerAll } from '@hub/cli/commands/schemas'
import { applyTopics } from '@hub/cli/topics'
import { createDatabase } from '@hub/local/postgres'
import type { Credentials } from '@hub/local/region-users'
import type { StackDescription } from '@hub/local/stack'
import { createKafka, type Kafka } from '@hub/runtime/kafka'
import { createLog, type Log } from '@hub/runtime/log'
import { allTopics, REGIONS, type Region } from '@hub/schemas/streams'

/** A hub's topics, contracts and rights on the stack of this run, apart from every other test's by their prefix. */
export interface Fixture extends AsyncDisposable {
  /** Before every topic name; also good for naming anything else of this test alone. */
  readonly prefix: string
  readonly brokers: string[]
  readonly registryUrl: string
  readonly log: Log
  credentials(who: Region | 'admin'): Credentials
  kafka(who: Region | 'admin'): Kafka
  /** Creates an empty database and gives its URL. */
  database(): Promise<string>
  /** Makes an empty folder. */
  stateDir(): Promise<string>
}

export interface FixtureOptions {
  /** Put over the declared settings of the topics, for tests that wait for compaction. */
  readonly settings?: Readonly<Record<string, string>>
  /** A stack of the test's own; the shared one of the run by default. */
  readonly stack?: StackDescription
}

/** Removes its topics when disposed; databases and folders go with the run. `HUB_TEST_LOG_LEVEL` makes the services speak. */
export async function openFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const stack = options.stack ?? inject('stack')
  const prefix = `t${randomBytes(4).toString('hex')}-`
  const log = createLog({ service: 'test', level: process.env['HUB_TEST_LOG_LEVEL'] ?? 'silent' })
  const dir = await mkdtemp(join(tmpdir(), 'yrd-hub-test-'))
  const brokers = stack.kafka.brokers.split(',')
  const credentials = (who: Region | 'admin'): Credentials => (who === 'admin' ? stack.kafka.admin : stack.kafka.regions[who])
  const kafka = (who: Region | 'admin'): Kafka => createKafka({ brokers, clientId: `${prefix}${who}`, ...credentials(who) }, log)
  const stateDir = (): Promise<string> => mkdtemp(join(dir, 'state-'))
  let databases = 0

  await registerAll(stack.registryUrl)
  await applyTopics({
    kafka: kafka('admin'),
    registryUrl: stack.registryUrl,
    cacheDir: await stateDir(),
    topicPrefix: prefix,
    principals: Object.fromEntries(REGIONS.map((region) => [region, `User:${credentials(region).username}`])) as Record<Region, string>,
    ...(options.settings && { settings: options.settings }),
  })

  return {
    prefix,
    brokers,
    registryUrl: stack.registryUrl,
    log,
    credentials,
    kafka,
    async database() {
      const name = `${prefix}${databases++}`
      await createDatabase(stack.adminDatabaseUrl, name)
      const url = new URL(stack.adminDatabaseUrl)
      url.pathname = `/${name}`
      return url.href
    },
    stateDir,
    async [Symbol.asyncDispose]() {
      await using admin = await kafka('admin').admin()
      await admin.deleteTopics(allTopics(prefix).map(({ topic }) => topic))
      await rm(dir, { recursive: true, force: true })
    },
  }
}
