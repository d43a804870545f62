/** One line of what the launcher is doing. `ms` is how long the step took, once it is done. */
export interface ProgressEvent {
  step: string
  state: 'running' | 'done' | 'note'
  zh: string
  en: string
  ms?: number
}

export type OnProgress = (event: ProgressEvent) => void

/** Runs one step, reporting its start and its end. */
export async function step<T>(onProgress: OnProgress, name: string, zh: string, en: string, run: () => Promise<T>): Promise<T> {
  const began = performance.now()
  onProgress({ step: name, state: 'running', zh, en })
  const result = await run()
  onProgress({ step: name, state: 'done', zh, en, ms: performance.now() - began })
  return result
}

/** Prints progress as plain lines, each with the seconds since the launcher began; safe for a terminal and for a log file. */
export function consoleProgress(write: (line: string) => void = (line) => process.stderr.write(`${line}\n`)): OnProgress {
  const mark = { running: '…', done: '✓', note: '·' }
  return ({ state, zh, en, ms }) => {
    const since = (performance.now() / 1000).toFixed(1).padStart(5)
    const took = ms === undefined ? '' : ` (${(ms / 1000).toFixed(1)} s)`
    write(`${since} s ${mark[state]} ${zh} · ${en}${took}`)
  }
}
