import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Client, ImportReport } from '@hub/client'
import type { Region } from '@hub/schemas/streams'
import { CliFailure, EXIT } from './failure.ts'
import type { Output } from './output.ts'
import { clientOf, regionsWith, toRegion, type Settings } from './settings.ts'

/** A file of a region's own systems, as `imports.json` of its folder names it; paths are relative to the folder. */
interface Listed {
  readonly region: Region
  readonly source: string
  readonly shape: string
  readonly file: string
}

/** What became of one file. */
export type SampleFile = Listed & Pick<ImportReport, 'state' | 'rows' | 'events' | 'verdicts' | 'classes'>

/** Under which the complete load of a source is told, once. */
const BASELINE = 'sample-baseline'

/**
 * Imports the files of a folder through the gateways of the regions that are known: those of one source in their order, sources beside each other. Then each source has handed over all
 * that it has. Importing them again publishes nothing.
 */
export async function importSample(settings: Settings, folder: string, out: Output): Promise<SampleFile[]> {
  const regions = new Set(regionsWith(settings, 'gateway').map(({ region }) => region))
  const files = (await readList(join(folder, 'imports.json'))).filter(({ region }) => regions.has(region))
  const done = new Map<Listed, SampleFile>()
  await Promise.all([...Map.groupBy(files, ({ region, source }) => `${region} ${source}`).values()].map(async (own) => {
    const { region, source } = own[0]!
    const client = clientOf(settings, region, 'publisher')
    for (const one of own) {
      const { state, rows, events, verdicts, classes, problem } = await importFile(client, join(folder, one.file), one)
      done.set(one, { ...one, state, rows, events, verdicts, classes })
      const asZh = problem === null ? `${rows} 行，${events} 条事件` : problem.zh
      out.note(`[${done.size}/${files.length}] ${one.file}：${asZh}`, problem === null ? `${rows} rows, ${events} events` : problem.en)
    }
    await client.handOver(source, { handOverId: BASELINE, baseline: true })
  }))
  return files.map((one) => done.get(one)!)
}

async function importFile(client: Client, path: string, { source, shape }: Listed): Promise<ImportReport> {
  const { id } = await client.importFile(source, () => createReadStream(path), { file: basename(path), shape })
  return client.waitForImport(id)
}

async function readList(path: string): Promise<Listed[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CliFailure(EXIT.validation, `无法读取 ${path}（${error.code}）。`, `Cannot read ${path} (${error.code}).`, { cause: error })
  })
  return (JSON.parse(text) as Listed[]).map((one) => ({ ...one, region: toRegion(one.region) }))
}
