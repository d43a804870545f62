import { appendFileSync, readFileSync } from 'node:fs'

/**
 * What a generator knows of one event it sent. `ok` was acknowledged; `fail` was refused and must be nowhere; `info` (a time-out, a reset)
 * may or may not have happened.
 */
export interface HistoryLine {
  /** As on the broker, prefix included. */
  readonly topic: string
  /** Record id. */
  readonly key: string
  readonly ver: number
  /** Unknown where nothing was answered. */
  readonly eventId?: string
  readonly outcome: 'ok' | 'fail' | 'info'
}

/** Appends to a history of JSON lines, which may be shared by several generators. */
export function appendHistory(path: string, lines: readonly HistoryLine[]): void {
  appendFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

export function readHistory(path: string): HistoryLine[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as HistoryLine)
}
