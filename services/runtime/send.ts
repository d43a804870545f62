import type { Writable } from 'node:stream'

/** The reader has gone away, or did not take what was written in time. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone'
  readonly slow: boolean

  constructor(slow: boolean) {
    super(slow ? 'the reader did not take what was written in time' : 'the reader has gone away')
    this.slow = slow
  }
}

/** Writes, and waits while more is buffered than the socket takes. @throws ReaderGone when that lasts longer than `stallMs`, or the connection ends */
export function send(to: Writable, bytes: Buffer | string, stallMs: number): Promise<void> | undefined {
  if (to.destroyed || to.writableEnded) throw new ReaderGone(false)
  if (to.write(bytes)) return undefined
  return new Promise((resolve, reject) => {
    const end = (error?: ReaderGone) => {
      clearTimeout(timer)
      to.off('drain', onDrain).off('close', onClose).off('error', onClose)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onDrain = (): void => end()
    const onClose = (): void => end(new ReaderGone(false))
    const timer = setTimeout(() => end(new ReaderGone(true)), stallMs)
    to.on('drain', onDrain).on('close', onClose).on('error', onClose)
  })
}
