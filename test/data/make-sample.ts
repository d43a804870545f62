import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { REGIONS } from '@hub/schemas/streams'
import { complaints } from './sources/complaints.ts'
import { credit } from './sources/credit.ts'
import { inspections } from './sources/inspections.ts'

// node test/data/make-sample.ts <folder of the source files>: writes sample/<region>.ndjson anew, always the same for the same files.
const folder = process.argv[2]
if (folder === undefined) throw new Error('usage: node test/data/make-sample.ts <folder of the source files>')

for (const region of REGIONS) {
  const lines = [...complaints(folder, region, 100), ...credit(folder, region, 60), ...inspections(folder, region, 50)]
    .map((line, i) => ({ line, i }))
    .sort((a, b) => Date.parse(a.line.event.recordedAt) - Date.parse(b.line.event.recordedAt) || a.i - b.i)
    .map(({ line }) => `${JSON.stringify(line)}\n`)
  writeFileSync(join(import.meta.dirname, 'sample', `${region}.ndjson`), lines.join(''))
  process.stdout.write(`${region}: ${lines.length} events\n`)
}
