import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { hub } from '@hub/cli'
import type { Settings } from '@hub/cli/settings'

/** How a command of `hub` ended and what it said; `json` is what `--json` printed. */
export interface Ended { exit: number, out: string, error: string, json: unknown }

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
