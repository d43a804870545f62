import { shapeOf, type Field, type RecordShape, type Shape } from '@hub/schemas/avro-schema'
import type { ByteSink } from './sink.ts'
import type { Contract } from '@hub/schemas/contracts'
import { skipOf } from './fields.ts'
import type { Wire } from './wire.ts'

type Write = (wire: Wire, sink: ByteSink) => void

const [TRUE, FALSE, NULL, EMPTY] = ['true', 'false', 'null', '{}'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer, Buffer]
const [COMMA, OPEN, CLOSE, END] = [',', '[', ']', '}'].map((text) => text.charCodeAt(0)) as [number, number, number, number]

/**
 * A function that writes the JSON form of a record from its Avro bytes, without making an object of it: the bytes are those of `JSON.stringify` of what
 * `jsonWriter` gives. Compiled once, so keep it. Stops behind the record.
 */
export function wireJson(contract: Contract, keep: (field: Field) => boolean): Write {
  return recordWriter(shapeOf(contract.schema), keep)
}

function recordWriter({ fields }: RecordShape, keep: (field: Field) => boolean): Write {
  let kept = 0
  const steps = fields.map(({ field, shape }): Write => {
    if (!keep(field)) return skipOf(shape)
    const name = Buffer.from(`${kept++ === 0 ? '{' : ','}${JSON.stringify(field.name)}:`)
    const write = writeOf(shape, keep)
    return (wire, sink) => {
      sink.raw(name)
      write(wire, sink)
    }
  })
  return (wire, sink) => {
    for (const step of steps) step(wire, sink)
    if (kept === 0) sink.raw(EMPTY)
    else sink.byte(END)
  }
}

function writeOf(shape: Shape, keep: (field: Field) => boolean): Write {
  const write = writeValue(shape, keep)
  if (!shape.nullable) return write
  return (wire, sink) => {
    if (wire.long() === 0) sink.raw(NULL)
    else write(wire, sink)
  }
}

function writeValue({ kind, record, items }: Shape, keep: (field: Field) => boolean): Write {
  switch (kind) {
    case 'int': case 'long': return (wire, sink) => sink.integer(wire.long())
    case 'date': return (wire, sink) => sink.date(wire.long())
    case 'instant': return (wire, sink) => sink.instant(wire.long())
    case 'boolean': return (wire, sink) => sink.raw(wire.bytes[wire.at++] === 1 ? TRUE : FALSE)
    case 'string': return (wire, sink) => {
      const length = wire.long()
      sink.text(wire.bytes, wire.at, length)
      wire.at += length
    }
    case 'bytes': return (wire, sink) => {
      const length = wire.long()
      sink.json(wire.bytes.toString('hex', wire.at, wire.at += length))
    }
    case 'record': return recordWriter(record!, keep)
    case 'array': return arrayWriter(writeOf(items!, keep))
  }
}

function arrayWriter(write: Write): Write {
  return (wire, sink) => {
    sink.byte(OPEN)
    let first = true
    for (let count = wire.long(); count !== 0; count = wire.long()) {
      if (count < 0) {
        count = -count
        wire.long()
      }
      for (; count > 0; count--) {
        if (!first) sink.byte(COMMA)
        first = false
        write(wire, sink)
      }
    }
    sink.byte(CLOSE)
  }
}
