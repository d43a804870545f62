/** The same without the fields that are not there. */
export function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const there: Record<string, unknown> = {}
  // Pairs of names and values would be more garbage than the record itself.
  for (const name in fields) {
    const value = fields[name]
    if (value !== undefined) there[name] = value
  }
  return there as { [K in keyof T]: Exclude<T[K], undefined> }
}
