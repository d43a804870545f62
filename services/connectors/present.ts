/** The same without the fields that are not there. */
export function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const there: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) there[name] = value
  return there as { [K in keyof T]: Exclude<T[K], undefined> }
}
