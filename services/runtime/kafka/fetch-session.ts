/** One partition of a fetch, as kafkajs asks for it. */
export interface FetchPartition {
  readonly partition: number
  /** Decimal digits. */
  readonly fetchOffset: string
  readonly maxBytes: number
}

export interface FetchTopic {
  readonly topic: string
  readonly partitions: readonly FetchPartition[]
}

/** The parts of a fetch request that a session decides. */
export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly topics: readonly FetchTopic[]
  readonly forgottenTopics: readonly { readonly topic: string; readonly partitions: readonly number[] }[]
}

/** The client's side of an incremental fetch session (KIP-227) with one broker; one fetch at a time. */
export interface FetchSession {
  /** What to send so that the broker answers for exactly these partitions. */
  request(wanted: readonly FetchTopic[]): SessionRequest
  /** The broker answered that request; 0 = it keeps no session for us. */
  answered(sessionId: number): void
  /** No answer, or the session is gone there: the next request begins a new one. */
  lost(): void
}

const LAST_EPOCH = 0x7fffffff

export function createFetchSession(): FetchSession {
  let id = 0
  let epoch = 0
  /** What the broker has been told, by topic and partition; as of the request under way, which is answered or lost. */
  let told = new Map<string, Map<number, FetchPartition>>()

  function lost(): void {
    id = 0
    epoch = 0
    told = new Map()
  }

  return {
    request(wanted) {
      const before = told
      told = new Map(wanted.map(({ topic, partitions }) => [topic, new Map(partitions.map((one) => [one.partition, one]))]))
      const topics = wanted.flatMap(({ topic, partitions }) => {
        const known = before.get(topic)
        const changed = known === undefined ? partitions : partitions.filter((one) => !isSame(known.get(one.partition), one))
        return changed.length === 0 ? [] : [{ topic, partitions: changed }]
      })
      const forgottenTopics = [...before].flatMap(([topic, known]) => {
        const left = told.get(topic)
        const partitions = [...known.keys()].filter((partition) => left?.has(partition) !== true)
        return partitions.length === 0 ? [] : [{ topic, partitions }]
      })
      return { sessionId: id, sessionEpoch: epoch, topics, forgottenTopics }
    },
    answered(sessionId) {
      if (sessionId === 0) {
        lost()
        return
      }
      id = sessionId
      epoch = epoch === LAST_EPOCH ? 1 : epoch + 1
    },
    lost,
  }
}

function isSame(a: FetchPartition | undefined, b: FetchPartition): boolean {
  return a !== undefined && a.fetchOffset === b.fetchOffset && a.maxBytes === b.maxBytes
}
