import { GatewayError } from './gateway-error.ts'

/** A line longer than this is no line of a gateway. */
const MAX_LINE = 16 * 1024 * 1024

/** The lines of a text that comes in pieces, without their ends; the last need not have one. */
export async function* linesOf(gateway: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE) throw new GatewayError(gateway, { code: 'ANSWER_BROKEN', title: '回答的一行过长 · a line of the answer is too long' })
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line
  }
  if (rest !== '') yield rest
}
