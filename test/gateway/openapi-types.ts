import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'
import type { Document } from './openapi.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** How somebody uses the generated types; what is not allowed is said with @ts-expect-error. */
const USE = `
import type { Change, ComplaintEvent, PastVerdict, Position, Receipt, RecordsRead, SnapshotRecord, StreamState, Summary, Verdict } from '@hub/client'
import type { components, operations, paths } from './generated.ts'

type Schemas = components['schemas']
type Is<A extends B, B> = A
export type ClientKnows = [Is<Schemas['Verdict'], Verdict>, Is<Schemas['Summary'], Summary>, Is<Schemas['Receipt'], Receipt>, Is<Schemas['Position'], Position>,
  Is<Schemas['Records'], RecordsRead>, Is<Schemas['PastVerdicts']['verdicts'][number], PastVerdict>, Is<Schemas['Streams'], StreamState>, Is<Schemas['SnapshotRecord'], SnapshotRecord>]
export type Sent = Is<ComplaintEvent, Schemas['Complaint']>

export const path: keyof paths = '/v1/streams/{stream}/events'
// @ts-expect-error there is no such stream
export const params: operations['publishEvents']['parameters']['path'] = { stream: 'gossip' }
// @ts-expect-error a verdict is one of a list
export const verdict: Schemas['Verdict'] = { verdict: 'perhaps', flags: [] }
export const code: operations['publishEvents']['responses'][409]['content']['application/json']['verdict'] = 'conflict'
export const problem: operations['publishEvents']['responses'][413]['content']['application/problem+json']['code'] = 'ARRAY_TOO_LONG'
export const op: Exclude<Change['op'], 'heartbeat'> = {} as Schemas['Change']['op']
`

/** Generates types from a document with openapi-typescript and compiles a use of them, in a process of its own; what the compiler says. */
export async function compileAgainst(document: Document): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'yrd-hub-openapi-'))
  try {
    writeFileSync(join(dir, 'generated.ts'), astToString(await openapiTS(structuredClone(document) as unknown as OpenAPI3)))
    writeFileSync(join(dir, 'use.ts'), USE)
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({
      extends: `${ROOT}tsconfig.json`,
      compilerOptions: { module: 'esnext', moduleResolution: 'bundler', typeRoots: [`${ROOT}node_modules/@types`], paths: { '@hub/client': [`${ROOT}services/client/index.ts`], '@hub/schemas/*': [`${ROOT}schemas/*.ts`] } },
      include: [], files: ['use.ts'],
    }))
    const child = spawn(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, '-p', dir], { stdio: ['ignore', 'pipe', 'inherit'] })
    return await text(child.stdout)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
