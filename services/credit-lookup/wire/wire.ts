/** A place in the Avro bytes of a record that was decoded once before: nothing is checked here. Numbers to ±2^52, whole ones without sign to 2^53. */
export class Wire {
  bytes: Buffer = Buffer.alloc(0)
  at = 0

  /** @param at where the record begins */
  open(bytes: Buffer, at: number): this {
    this.bytes = bytes
    this.at = at
    return this
  }

  /** An int or long. */
  long(): number {
    let byte = this.bytes[this.at++]!
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let value = byte & 0x7f
    let scale = 128
    do {
      byte = this.bytes[this.at++]!
      value += (byte & 0x7f) * scale
      scale *= 128
    } while (byte >= 0x80)
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}
