const PARENT_CHECK_MS = 500

/**
 * Aborted when this process is asked to end: SIGINT, SIGTERM, SIGHUP, or the bootstrap that started it is gone (killed).
 * Repeated signals change nothing: a Ctrl-C reaches the launcher from the terminal and again from npm.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  const parent = Number(process.env['HUB_BOOTSTRAP_PID'])
  if (parent > 0) {
    const timer = setInterval(() => { if (process.ppid !== parent) stop() }, PARENT_CHECK_MS)
    controller.signal.addEventListener('abort', () => clearInterval(timer), { once: true })
    timer.unref()
  }
  return controller.signal
}
