/**
 * One-dimensional arrays in PostgreSQL's binary format. Passed as a parameter (`$1::text[]`) the driver sends them as they are;
 * its own text arrays quote and escape every element, which costs more than the rest of an upsert.
 */
const OID = { bool: 16, bytea: 17, int8: 20, int4: 23, text: 25, float8: 701, date: 1082, timestamptz: 1184 } as const
const EPOCH_2000_DAYS = 10_957
const EPOCH_2000_MS = 946_684_800_000

export function textArray(values: readonly (string | null)[]): Buffer {
  let bytes = 0
  for (const value of values) if (value !== null) bytes += value.length * 3
  const buffer = Buffer.allocUnsafe(20 + values.length * 4 + bytes)
  let at = header(buffer, OID.text, values.length)
  for (const value of values) {
    if (value === null) {
      at = buffer.writeInt32BE(-1, at)
      continue
    }
    const length = buffer.write(value, at + 4, 'utf8')
    buffer.writeInt32BE(length, at)
    at += 4 + length
  }
  return buffer.subarray(0, at)
}

export function byteaArray(values: readonly (Buffer | null)[]): Buffer {
  let bytes = 0
  for (const value of values) if (value !== null) bytes += value.length
  const buffer = Buffer.allocUnsafe(20 + values.length * 4 + bytes)
  let at = header(buffer, OID.bytea, values.length)
  for (const value of values) {
    if (value === null) {
      at = buffer.writeInt32BE(-1, at)
      continue
    }
    at = buffer.writeInt32BE(value.length, at)
    value.copy(buffer, at)
    at += value.length
  }
  return buffer.subarray(0, at)
}

export function int8Array(values: readonly (bigint | number | null)[]): Buffer {
  return fixed(OID.int8, 8, values, (buffer, value, at) => buffer.writeBigInt64BE(BigInt(value), at))
}

export function int4Array(values: readonly (number | null)[]): Buffer {
  return fixed(OID.int4, 4, values, (buffer, value, at) => buffer.writeInt32BE(value, at))
}

export function float8Array(values: readonly (number | null)[]): Buffer {
  return fixed(OID.float8, 8, values, (buffer, value, at) => buffer.writeDoubleBE(value, at))
}

export function boolArray(values: readonly (boolean | null)[]): Buffer {
  return fixed(OID.bool, 1, values, (buffer, value, at) => buffer.writeUInt8(value ? 1 : 0, at))
}

/** Calendar dates as `YYYY-MM-DD`; they must exist. Throws RangeError for what is no date. */
export function dateArray(values: readonly (string | null)[]): Buffer {
  return fixed(OID.date, 4, values, (buffer, value, at) => {
    const days = Date.parse(value) / 86_400_000 - EPOCH_2000_DAYS
    // Written as a number, NaN would be the first day of 2000.
    if (!Number.isInteger(days)) throw new RangeError('not a date')
    buffer.writeInt32BE(days, at)
  })
}

/** Instants as milliseconds since 1970, UTC. */
export function timestamptzArray(values: readonly (number | null)[]): Buffer {
  return fixed(OID.timestamptz, 8, values, (buffer, value, at) => buffer.writeBigInt64BE(BigInt(Math.trunc(value) - EPOCH_2000_MS) * 1000n, at))
}

function header(buffer: Buffer, oid: number, length: number): number {
  buffer.writeInt32BE(1, 0)
  buffer.writeInt32BE(1, 4)
  buffer.writeInt32BE(oid, 8)
  buffer.writeInt32BE(length, 12)
  buffer.writeInt32BE(1, 16)
  return 20
}

function fixed<T>(oid: number, size: number, values: readonly (T | null)[], write: (buffer: Buffer, value: T, at: number) => void): Buffer {
  const buffer = Buffer.allocUnsafe(20 + values.length * (4 + size))
  let at = header(buffer, oid, values.length)
  for (const value of values) {
    if (value === null) {
      at = buffer.writeInt32BE(-1, at)
      continue
    }
    at = buffer.writeInt32BE(size, at)
    write(buffer, value, at)
    at += size
  }
  return buffer.subarray(0, at)
}
