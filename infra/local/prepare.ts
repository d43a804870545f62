import { containersAnswer } from './containers.ts'
import { readExternal } from './external.ts'
import { prepareNative } from './native.ts'
import { LocalProblem } from './problem.ts'
import { consoleProgress } from './progress.ts'

// Run by bootstrap.mjs beside `pnpm install`: says at once what is missing, and fetches broker and registry meanwhile.
const named = readExternal([])
if (!(named.kafka && named.registryUrl)) {
  try {
    await prepareNative(consoleProgress())
  } catch (error) {
    if (!(error instanceof LocalProblem)) throw error
    if (!await containersAnswer()) {
      process.stderr.write(`\n${error.message}\n`)
      process.exitCode = 3
    }
  }
}
