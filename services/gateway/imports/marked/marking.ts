import { Problem } from '@hub/runtime/http'
import { startThread } from '@hub/runtime/thread'
import type { MarkInput, MarkMessage } from './worker.ts'

/** Of the thread: a workbook is held in it as a file and as what is made of it. */
const HEAP_MB = 320

/**
 * The workbook of a file with its rows marked, in pieces, made in a thread of its own as it is asked for. The thread ends with the last piece, or when the signal is given.
 * @throws Problem 422 where the file is none that can be read; before the first piece
 */
export async function markedWorkbook(input: MarkInput, signal: AbortSignal): Promise<AsyncGenerator<Uint8Array>> {
  const worker = startThread(new URL('./worker.ts', import.meta.url), input, { oldMb: HEAP_MB, youngMb: 32 })
  const messages: MarkMessage[] = []
  let failure: unknown
  let wake = (): void => {}
  worker.on('message', (message: MarkMessage) => {
    messages.push(message)
    wake()
  })
  worker.on('error', (error) => { failure ??= error })
  worker.on('exit', () => {
    failure ??= new Error('the thread that marks a file ended')
    wake()
  })
  const stop = (): void => void worker.terminate()
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const first = await next()
  if (first.type === 'cannot') throw new Problem(422, 'FILE_UNREADABLE', '无法读取文件 · the file cannot be read', `${first.code}: ${first.reason.join(' · ')}`)
  return pieces(first)

  async function next(): Promise<MarkMessage> {
    while (messages.length === 0) {
      if (failure !== undefined) throw signal.aborted ? closing() : failure
      await new Promise<void>((resolve) => { wake = resolve })
    }
    return messages.shift()!
  }

  async function* pieces(message: MarkMessage): AsyncGenerator<Uint8Array> {
    while (message.type === 'bytes') {
      yield message.bytes
      worker.postMessage('more')
      message = await next()
    }
  }
}

function closing(): Problem {
  return new Problem(503, 'CLOSING', '网关正在停止 · the gateway is closing', 'Send it again to the gateway once it is back.', { retryAfterSeconds: 5 })
}
