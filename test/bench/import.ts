import { Readable } from 'node:stream'
import { createClient, type Client, type ImportReport } from '@hub/client'
import { complaintTable } from '../data/complaint-table.ts'
import { figure, mustEqual, type Bench, type Figure } from './bench.ts'
import { openHub } from './hub.ts'
import { residentBytes } from './machine.ts'
import { nameList } from './name-list.ts'
import { sampling } from './wait.ts'

const REGION = 'js'
const MB = 1e6
const XLSX_ROWS = 100_000

interface Run { seconds: number, peakMb: number }

/** Files handed to a gateway: an export of complaints, the same again, and a workbook; from the first byte until the import has ended, with the memory of its process. */
export const importFiles: Bench = {
  name: 'import',
  what: '导入文件 · files imported: CSV, the same again, XLSX',
  async run(context) {
    const rounds = context.quick ? 1 : 3
    const rows = context.quick ? 100_000 : 300_000
    await using hub = await openHub(await context.stack(), context.profileDir)
    const gateway = await hub.start('gateway', REGION)
    const client = createClient({ url: gateway.url, key: hub.keys.publisher, attempts: 1 })
    const atRest = residentBytes([gateway.pid]) / MB
    const measured = { csv: [] as Run[], again: [] as Run[], xlsx: [] as Run[] }
    for (let round = 0; round < rounds; round++) {
      const source = `bench-${round}`
      for (const [name, expected] of [['csv', 'accepted'], ['again', 'duplicate']] as const) {
        const run = await timed(client, gateway.pid, source, complaints(rows), { file: 'export.csv', shape: 'complaint-table' })
        mustEqual('rows', run.report.rows, rows)
        mustEqual(`${name} complaints`, (run.report.verdicts[expected] ?? 0) + (run.report.verdicts.tallied ?? 0), rows)
        measured[name].push(run)
        context.say(`round ${round + 1}  ${name}  ${Math.round(rows / run.seconds)} rows/s  ${Math.round(run.peakMb)} MB at most, ${Math.round(atRest)} MB at rest`)
      }
      const book = await nameList(XLSX_ROWS)
      const run = await timed(client, gateway.pid, `${source}-list`, [book], { file: 'list.xlsx', shape: 'credit-namelist' })
      mustEqual('accepted listings', run.report.verdicts.accepted, XLSX_ROWS)
      measured.xlsx.push(run)
      context.say(`round ${round + 1}  xlsx  ${run.seconds.toFixed(1)} s for ${XLSX_ROWS} rows (${(book.length / MB).toFixed(1)} MB)  ${Math.round(run.peakMb)} MB at most`)
    }
    const services = [`gateway ${REGION} with its import thread`]
    const settings = { rows, rounds, residentAtRestMb: Math.round(atRest) }
    const memory = (bench: string, runs: readonly Run[], floor: number): Figure => figure({ bench, unit: 'MB resident more than at rest', better: 'lower', floor, services, settings: { ...settings, residentAtMostMb: runs.map(({ peakMb }) => Math.round(peakMb)) } }, runs.map(({ peakMb }) => peakMb - atRest))
    return [
      figure({ bench: 'import.csv', unit: 'rows/s', better: 'higher', floor: 15_000, aim: 40_000, services, settings }, measured.csv.map(({ seconds }) => rows / seconds)),
      memory('import.csv.memory', measured.csv, 200),
      figure({ bench: 'import.again', unit: 'times as fast as the first time', better: 'higher', floor: 2, services, settings }, measured.again.map(({ seconds }, round) => measured.csv[round]!.seconds / seconds)),
      figure({ bench: 'import.xlsx', unit: 's for 100 000 rows', better: 'lower', floor: 30, services, settings: { ...settings, rows: XLSX_ROWS } }, measured.xlsx.map(({ seconds }) => seconds)),
      memory('import.xlsx.memory', measured.xlsx, 400),
    ]
  },
}

async function timed(client: Client, pid: number, source: string, content: Iterable<Uint8Array>, options: { file: string, shape: string }): Promise<Run & { report: ImportReport }> {
  const began = performance.now()
  const done = (async () => {
    const { id } = await client.importFile(source, Readable.from(content, { objectMode: false }), options)
    return client.waitForImport(id)
  })()
  const { result: report, samples } = await sampling(done, 100, () => residentBytes([pid]) / MB)
  mustEqual('state', report.state, 'done')
  return { report, seconds: (performance.now() - began) / 1000, peakMb: Math.max(...samples) }
}

const LINES_PER_PIECE = 500

function* complaints(rows: number): Generator<Uint8Array> {
  let piece: string[] = []
  for (const line of complaintTable(rows)) {
    piece.push(line)
    if (piece.length < LINES_PER_PIECE) continue
    yield Buffer.from(piece.join(''))
    piece = []
  }
  yield Buffer.from(piece.join(''))
}
