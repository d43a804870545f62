import { PARTITIONS, STREAMS } from '@hub/schemas/streams'
import { CliFailure, EXIT } from './failure.ts'

/** infra/topics.yaml as far as it can be applied. */
export interface TopicsDeclaration {
  /** -1: the cluster's default. */
  replicationFactor: number
  /** Of every topic; Kafka's names and values. */
  settings: Record<string, string>
}

/** Checks the parsed file. @throws CliFailure with every problem, among them streams and counts that differ from those the services compute with */
export function checkDeclaration(document: unknown): TopicsDeclaration {
  const fields = isRecord(document) ? document : {}
  const streams = isRecord(fields['streams']) ? fields['streams'] : {}
  const settings = isRecord(fields['settings']) ? fields['settings'] : {}
  const replicationFactor = fields['replicationFactor']
  const problems = [
    ...(Number.isInteger(replicationFactor) ? [] : ['replicationFactor: a whole number is expected']),
    ...Object.entries(settings).flatMap(([name, value]) => (typeof value === 'string' ? [] : [`settings.${name}: a text is expected`])),
    ...STREAMS.flatMap((stream) => (streams[stream] === PARTITIONS[stream] ? [] : [`streams.${stream}: ${PARTITIONS[stream]} partitions are expected, as in schemas/streams.ts`])),
    ...Object.keys(streams).flatMap((name) => ((STREAMS as readonly string[]).includes(name) ? [] : [`streams.${name}: there is no such stream`])),
  ]
  if (problems.length > 0) throw new CliFailure(EXIT.validation, `infra/topics.yaml 有误：${problems.join('；')}`, `infra/topics.yaml is not valid: ${problems.join('; ')}`)
  return { replicationFactor: replicationFactor as number, settings: settings as Record<string, string> }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
