import { FileProblem } from './file-problem.ts'
import { BOUNDS } from './bounds.ts'
/** todo */
export async function* readPages(source: AsyncIterable<Uint8Array>): AsyncGenerator<object> {
  for await (const _ of source) throw new FileProblem('malformed-json', String(BOUNDS.lineBytes))
}
