import type { Field } from './avro-schema.ts'
import { CODES } from './codes.ts'
import { containsIdentity, isIdentityShaped } from './identity.ts'
import type { Reading } from './read-rules.ts'
import { normaliseUscc } from './uscc.ts'

/** A value of the input to its Avro form; `undefined` after a problem was noted. */
export type ReadValue = (value: unknown, reading: Reading) => unknown

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const RECORD_ID = /^[a-z0-9][a-z0-9._-]{0,39}\/\S+$/
const GB2260 = /^[1-9]\d{5}(?:\d{3}){0,2}$/
const CODE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/
/** What PostgreSQL or a spreadsheet could not hold; tab and line ends are let through. */
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/
const IDENTITY_LENGTH = 18
const CODES_TOLD = 16

/** @param nullable whether an identity number can be left out of a complaint */
export function stringReader(field: Field, path: string, nullable: boolean): ReadValue {
  const read = formReader(field, path, nullable)
  return (value, reading) => (typeof value === 'string' ? read(value, reading) : reading.refuse(path, 'type', 'string'))
}

function formReader(field: Field, path: string, nullable: boolean): (value: string, reading: Reading) => unknown {
  if (field.codes !== undefined) return codeReader(field.codes, path, nullable)
  switch (field.format) {
    case 'uuid': return (value, reading) => (UUID.test(value) ? value.toLowerCase() : reading.refuse(path, 'uuid', 'UUID'))
    case 'gb2260': return (value, reading) => (GB2260.test(value) ? value : reading.refuse(path, 'gb2260', 'GB/T 2260: 6, 9 or 12 digits'))
    case 'uscc': return usccReader(path, nullable)
    case 'record-id': return patternReader(RECORD_ID, 'record-id', 'source/number', field, path, nullable)
  }
  if (field.pattern !== undefined) return patternReader(new RegExp(field.pattern), 'pattern', field.pattern, field, path, nullable)
  return boundedReader(field.maxLength!, path, nullable)
}

function codeReader(name: string, path: string, nullable: boolean): (value: string, reading: Reading) => unknown {
  const { closed, codes } = CODES[name]!
  const known = new Set(Object.keys(codes))
  const expected = known.size <= CODES_TOLD ? [...known].join(', ') : name
  if (closed) return (value, reading) => (known.has(value) ? value : reading.refuse(path, 'unknown-code', expected))
  return (value, reading) => {
    if (known.has(value)) return value
    if (!CODE.test(value)) return reading.refuse(path, 'code-form', CODE.source)
    if (value.length >= IDENTITY_LENGTH && containsIdentity(value, reading.today)) return identityFound(path, nullable, reading)
    if (known.size > 0) reading.flag('unknown-code')
    return value
  }
}

function usccReader(path: string, nullable: boolean): (value: string, reading: Reading) => unknown {
  return (value, reading) => {
    if (isIdentityShaped(value, reading.today) || containsIdentity(value, reading.today)) return identityFound(path, nullable, reading)
    const found = normaliseUscc(value)
    if (found === undefined) return reading.refuse(path, 'uscc-form', 'GB 32100-2015: 18 characters')
    if (!found.valid) reading.flag('uscc-check-failed')
    return found.code
  }
}

function patternReader(pattern: RegExp, rule: 'pattern' | 'record-id', expected: string, field: Field, path: string, nullable: boolean): (value: string, reading: Reading) => unknown {
  const bounded = boundedReader(field.maxLength!, path, nullable)
  return (value, reading) => {
    const read = bounded(value, reading)
    if (typeof read !== 'string') return read
    return pattern.test(read) ? read : reading.refuse(path, rule, expected)
  }
}

function boundedReader(maxLength: number, path: string, nullable: boolean): (value: string, reading: Reading) => unknown {
  return (value, reading) => {
    if (value.length === 0) return reading.refuse(path, 'empty', 'text or null')
    if (value.length > maxLength) return reading.refuse(path, 'too-long', `≤ ${maxLength}`)
    if (!value.isWellFormed()) return reading.refuse(path, 'lone-surrogate', 'Unicode')
    if (CONTROL.test(value)) return reading.refuse(path, 'control-character', 'text')
    if (value.length >= IDENTITY_LENGTH && containsIdentity(value, reading.today)) return identityFound(path, nullable, reading)
    return value
  }
}

/** A complaint goes on without the number, so that it still counts; anything else is refused (design 6). */
function identityFound(path: string, nullable: boolean, reading: Reading): null | undefined {
  if (!nullable || reading.stream !== 'complaint') return reading.refuse(path, 'identity', 'no identity number')
  reading.flag('identity-dropped')
  return null
}
