/** Polls until `condition` gives something true. @throws naming what did not come about, with the last answer or failure */
export async function eventually<T>(what: string, condition: () => Promise<T> | T, deadlineMs = 20_000): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + deadlineMs
  let last: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value) return value as Exclude<T, undefined | null | false>
      last = value
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) throw new Error(`within ${deadlineMs} ms not seen: ${what} (last: ${String(last)})`, { cause: last })
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}
