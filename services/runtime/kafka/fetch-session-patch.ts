import { createRequire } from 'node:module'
import { createFetchSession, type FetchSession, type FetchTopic } from './fetch-session.ts'

interface FetchOptions {
  readonly topics: readonly FetchTopic[]
  readonly [option: string]: unknown
}

interface FetchAnswer {
  /** Of the whole answer; kafkajs looks at the partitions' alone. */
  readonly errorCode?: number
  readonly sessionId?: number
  readonly responses: unknown[]
}

interface Broker {
  lookupRequest(apiKey: number, versions: unknown): (options: object) => unknown
  fetch(options: FetchOptions): Promise<FetchAnswer>
  [sendRequest: symbol]: (request: unknown) => Promise<FetchAnswer>
}

const FETCH_SESSION_ID_NOT_FOUND = 70
const INVALID_FETCH_SESSION_EPOCH = 71

/**
 * kafkajs 2.2.4 asks for every partition in every fetch and reads an answer for every one. A replica reads more than eighty, of which a few
 * move at a time: most of what a fetch costs, here and at the broker. With sessions (KIP-227) a fetch names what has changed, and the answer
 * holds the partitions that have something new. Takes the place of kafkajs's function when this module is loaded.
 */
const require = createRequire(import.meta.url)
const { prototype } = require('kafkajs/src/broker') as { prototype: Broker }
const { Fetch: versions } = (require('kafkajs/src/protocol/requests') as { requests: { Fetch: unknown } }).requests
const { Fetch: apiKey } = require('kafkajs/src/protocol/requests/apiKeys') as { Fetch: number }
const shuffle = require('kafkajs/src/utils/shuffle') as <T>(list: readonly T[]) => T[]
const [sendRequest] = Object.getOwnPropertySymbols(prototype)
const sessions = new WeakMap<Broker, FetchSession>()

prototype.fetch = async function (this: Broker, options): Promise<FetchAnswer> {
  let session = sessions.get(this)
  if (session === undefined) sessions.set(this, (session = createFetchSession()))
  for (;;) {
    const asked = session.request(options.topics)
    let answer: FetchAnswer
    try {
      // Shuffled for the sake of a broker without sessions, which would fill its answer from the front each time.
      answer = await this[sendRequest!]!(this.lookupRequest(apiKey, versions)({ ...options, ...asked, topics: shuffle(asked.topics) }))
    } catch (error) {
      session.lost()
      throw error
    }
    if (answer.errorCode === FETCH_SESSION_ID_NOT_FOUND || answer.errorCode === INVALID_FETCH_SESSION_EPOCH) {
      session.lost()
      if (asked.sessionId !== 0) continue
    } else {
      session.answered(answer.sessionId ?? 0)
    }
    return answer
  }
}
