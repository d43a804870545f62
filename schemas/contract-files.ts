import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RecordSchema } from './avro-schema.ts'
import { DATA_STREAMS, TECHNICAL_STREAMS } from './streams.ts'

const FOLDERS = [...DATA_STREAMS, 'control', ...TECHNICAL_STREAMS]

export interface ContractFile {
  /** Folder: a stream or `control`. */
  readonly stream: string
  /** File name without `.avsc`. */
  readonly file: string
  readonly schema: RecordSchema
}

/** The contracts below a folder, in the order of the streams: the record before its stub. */
export function readContractFiles(root: string): ContractFile[] {
  return FOLDERS.flatMap((stream) => readdirSync(join(root, stream)).filter((name) => name.endsWith('.avsc')).sort().map((name): ContractFile => ({
    stream, file: name.slice(0, -'.avsc'.length), schema: JSON.parse(readFileSync(join(root, stream, name), 'utf8')),
  })))
}
