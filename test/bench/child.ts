import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { VoidRun } from './bench.ts'

/**
 * Runs a file of this folder as a process of its own, so that what makes the load shares no event loop with what measures: hands it `settings`
 * and resolves with the last message it sends, each message also going to `onMessage`. Aborting ends it.
 * @throws VoidRun when it fails
 */
export function runChild<T>(file: string, settings: object, options: { signal: AbortSignal, onMessage?: (message: T) => void }): Promise<T> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), { execArgv: ['--max-old-space-size=4096'], serialization: 'advanced', signal: options.signal, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { said = (said + text).slice(-2000) })
  let last: T | undefined
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      last = message as T
      options.onMessage?.(last)
    })
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0 && last !== undefined) resolve(last)
      else reject(new VoidRun(`${file} ended with status ${code}: ${said.trim()}`))
    })
    child.send(settings)
  })
}

/** The other side: gives the settings to `run` and ends with it, or with the bench. */
export function serveChild<S>(run: (settings: S, say: (message: unknown) => void) => Promise<unknown>): void {
  process.once('disconnect', () => process.exit(1))
  process.once('message', (settings) => {
    run(settings as S, (message) => void process.send!(message)).then(
      (result) => process.send!(result, undefined, undefined, () => process.exit(0)),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`, () => process.exit(1))
      },
    )
  })
}
