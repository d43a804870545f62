import { HubError } from './errors.ts'

/** An answer of the database: the promise's value, or a retriable error once `ms` have passed; the work itself goes on unheeded. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new HubError('DATABASE_SILENT', `the database did not answer within ${ms} ms`, { retriable: true })), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
