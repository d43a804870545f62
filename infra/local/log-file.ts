import { copyFileSync, renameSync, statSync, truncateSync } from 'node:fs'

/** How large a log grows before it is put aside as `<name>.log.1`; the one before goes. */
export const LOG_LIMIT = 10_000_000
const LOOK_MS = 2_000

/** Puts a large log aside before a process is started on it; returns where its output begins. */
export function rotateBeforeStart(logFile: string, limit = LOG_LIMIT): number {
  const size = sizeOf(logFile)
  if (size < limit) return size
  renameSync(logFile, `${logFile}.1`)
  return 0
}

/**
 * Puts the log of a running process aside as often as it gets large. The process holds the file and appends, so it is copied and cut: lines written in between,
 * some milliseconds' worth, are lost. Returns what ends it.
 */
export function rotateWhileRunning(logFile: string, { limit = LOG_LIMIT, lookMs = LOOK_MS } = {}): () => void {
  const timer = setInterval(() => {
    if (sizeOf(logFile) < limit) return
    copyFileSync(logFile, `${logFile}.1`)
    truncateSync(logFile, 0)
  }, lookMs).unref()
  return () => clearInterval(timer)
}

function sizeOf(logFile: string): number {
  return statSync(logFile, { throwIfNoEntry: false })?.size ?? 0
}
