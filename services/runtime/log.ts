import pino, { type Logger } from 'pino'

export type Log = Logger

/** The root logger of a process: JSON lines, constant lower-case messages, ids as fields. Never pass a payload, a key or a refused value. */
export function createLog(options: { service: string; region?: string; level?: string; destination?: pino.DestinationStream }): Log {
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service, ...(options.region === undefined ? {} : { region: options.region }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['password', 'key', 'authorization', '*.password', '*.authorization', 'headers.authorization'], censor: '[redacted]' },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    },
    options.destination ?? pino.destination({ fd: 1, sync: false }),
  )
}
