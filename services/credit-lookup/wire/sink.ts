import { dateText, instantText } from '@hub/schemas/record-json'

const SLAB_BYTES = 256 * 1024
const DAY_MS = 86_400_000
const SHANGHAI_MS = 8 * 3_600_000
/** Longest number, date or instant, with its quotation marks. */
const VALUE_BYTES = 48
const QUOTE = 34
const OFFSET = Buffer.from('+08:00')
/** Texts of the days from 1970 to 2079, as they were needed. */
const DAYS: (Buffer | undefined)[] = new Array<undefined>(40_000).fill(undefined)

/** JSON written as bytes, one piece after the other; what was taken is never written again. */
export class ByteSink {
  #bytes: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES)
  #at = 0
  #start = 0

  /** Bytes written and not taken. */
  get length(): number {
    return this.#at - this.#start
  }

  /** What was written since the last time. */
  take(): Buffer {
    const taken = this.#bytes.subarray(this.#start, this.#at)
    this.#start = this.#at
    return taken
  }

  /** Forgets what was written and not taken behind its first `length` bytes. */
  cut(length: number): void {
    this.#at = this.#start + length
  }

  byte(byte: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = byte
  }

  /** Bytes as they are. */
  raw(bytes: Buffer): void {
    this.#room(bytes.length)
    this.#put(bytes)
  }

  /** Any value in JSON. */
  json(value: unknown): void {
    this.raw(Buffer.from(JSON.stringify(value)))
  }

  /** Letters as they are, of 7 bits each. */
  ascii(text: string): void {
    this.#room(text.length)
    for (let n = 0; n < text.length; n++) this.#bytes[this.#at++] = text.charCodeAt(n)
  }

  integer(value: number): void {
    if (value < 0 || value >= 1e9) return this.ascii(String(value))
    this.#room(VALUE_BYTES)
    let digits = 1
    for (let power = 10; power <= value; power *= 10) digits++
    for (let at = this.#at + digits - 1, rest = value; at >= this.#at; at--) {
      this.#bytes[at] = 48 + rest % 10
      rest = Math.trunc(rest / 10)
    }
    this.#at += digits
  }

  /** `dateText` as a JSON string. */
  date(days: number): void {
    this.#room(VALUE_BYTES)
    this.#bytes[this.#at++] = QUOTE
    this.#put(dayOf(days))
    this.#bytes[this.#at++] = QUOTE
  }

  /** `instantText` as a JSON string. */
  instant(ms: number): void {
    const local = ms + SHANGHAI_MS
    const days = Math.floor(local / DAY_MS)
    if (days < 0 || days >= DAYS.length) return this.json(instantText(ms))
    this.#room(VALUE_BYTES)
    const time = local - days * DAY_MS
    const seconds = Math.floor(time / 1000)
    const fraction = time % 1000
    this.#bytes[this.#at++] = QUOTE
    this.#put(dayOf(days))
    this.#two('T', Math.floor(seconds / 3600))
    this.#two(':', Math.floor(seconds / 60) % 60)
    this.#two(':', seconds % 60)
    if (fraction !== 0) this.ascii(`.${String(fraction).padStart(3, '0')}`)
    this.#put(OFFSET)
    this.#bytes[this.#at++] = QUOTE
  }

  /** Text that stands elsewhere in UTF-8, as a JSON string. What needs an escape, or is rare or no UTF-8 at all, goes the long way. */
  text(source: Buffer, from: number, length: number): void {
    this.#room(length + 2)
    const bytes = this.#bytes
    let to = this.#at
    bytes[to++] = QUOTE
    for (let at = from, end = from + length; at < end; at++) {
      const byte = source[at]!
      if (byte < 0x80) {
        if (byte < 0x20 || byte === QUOTE || byte === 0x5c) return this.json(source.toString('utf8', from, end))
        bytes[to++] = byte
        continue
      }
      // U+1000 to U+CFFF and U+E000 to U+FFFF: with such a beginning no sequence is a surrogate or longer than need be.
      if (at + 2 >= end || byte <= 0xe0 || byte > 0xef || byte === 0xed || (source[at + 1]! & 0xc0) !== 0x80 || (source[at + 2]! & 0xc0) !== 0x80) return this.json(source.toString('utf8', from, end))
      bytes[to] = byte
      bytes[to + 1] = source[at + 1]!
      bytes[to + 2] = source[at + 2]!
      to += 3
      at += 2
    }
    bytes[to] = QUOTE
    this.#at = to + 1
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return
    const next = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, (this.length + more) * 2))
    this.#bytes.copy(next, 0, this.#start, this.#at)
    this.#at -= this.#start
    this.#start = 0
    this.#bytes = next
  }

  #put(bytes: Buffer): void {
    const { length } = bytes
    const to = this.#bytes
    if (length > 64) bytes.copy(to, this.#at)
    else for (let n = 0; n < length; n++) to[this.#at + n] = bytes[n]!
    this.#at += length
  }

  #two(before: string, value: number): void {
    const tens = Math.trunc(value / 10)
    this.#bytes[this.#at] = before.charCodeAt(0)
    this.#bytes[this.#at + 1] = 48 + tens
    this.#bytes[this.#at + 2] = 48 + value - tens * 10
    this.#at += 3
  }
}

function dayOf(days: number): Buffer {
  return days >= 0 && days < DAYS.length ? DAYS[days] ??= Buffer.from(dateText(days)) : Buffer.from(dateText(days))
}
