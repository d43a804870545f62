import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { hub } from '@hub/cli'
import type { Credentials, Settings } from '@hub/cli/settings'
import type { Region } from '@hub/schemas/streams'
import type { Hub } from '../hub.ts'

/** How a command of `hub` ended and what it said; `json` is what `--json` printed. */
export interface Ended { exit: number, out: string, error: string, json: unknown }

/** What `hub` knows of the services of a test. */
export function settingsOf({ fixture, keys, url, announcerUrl, databaseUrl, publicKeysDir }: Hub, regions: readonly Region[]): Settings {
  return {
    kafka: { brokers: fixture.brokers, admin: fixture.credentials('admin') as Credentials }, registryUrl: fixture.registryUrl, topicPrefix: fixture.prefix, publicKeysDir,
    regions: Object.fromEntries(regions.map((region) => [region, { gateway: url(region), announcer: announcerUrl(region), keys, databaseUrl: databaseUrl(region) }])),
  }
}

/** Runs `hub` in this process as if the local hub were what `settings` say, with `--json` unless `json` is false. */
export async function runHub(settings: Settings, args: readonly string[], { json = true, stdin = '' } = {}): Promise<Ended> {
  const localFile = join(mkdtempSync(join(tmpdir(), 'yrd-hub-cli-')), 'local.json')
  writeFileSync(localFile, JSON.stringify(settings))
  let out = ''
  let error = ''
  const exit = await hub(json ? [...args, '--json'] : args, {
    env: { HUB_LOCAL_FILE: localFile }, stdin: Readable.from([stdin]), write: (text) => { out += text }, writeError: (text) => { error += text }, onSignal() {},
  })
  return { exit, out, error, json: json ? JSON.parse(out) as unknown : undefined }
}
