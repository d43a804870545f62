import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { errorOf, GatewayError } from './gateway-error.ts'

export interface ClientOptions {
  /** Base URL of a gateway, such as `http://127.0.0.1:4330`. */
  readonly url: string
  /** The caller's key. */
  readonly key?: string | undefined
  /** How often what may be sent again is sent at most; 5 by default, 1 = never again. */
  readonly attempts?: number
  /** A connection without a byte in either direction for this long is given up, ms; 30 000 by default, 120 000 for NDJSON and feeds. */
  readonly silenceMs?: number
}

export interface Sent {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Readable
  readonly signal?: AbortSignal | undefined
  readonly silenceMs?: number | undefined
  /** Statuses at or above 400 whose answer, where it is no problem document, is what was asked for. */
  readonly answers?: readonly number[]
}

export interface Transport {
  readonly gateway: string
  /** One request; resolves with the head of the answer. @throws GatewayError for a problem, and where no answer comes */
  open(path: string, sent?: Sent): Promise<IncomingMessage>
  /** The JSON of one answer. @throws GatewayError */
  read<T>(response: IncomingMessage): Promise<T>
  /** The JSON of an answer; tried again, bounded, where that is safe. @throws GatewayError */
  json<T>(path: string, sent?: Sent & { readonly body?: string }): Promise<T>
  /** Does what may be done twice until it succeeds; bounded, and with the pauses that the gateway asks for. @throws GatewayError */
  again<T>(run: () => Promise<T>, signal?: AbortSignal): Promise<T>
}

/** Before the second attempt; doubled for each further one, with chance in it so that many clients do not come at once. */
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 10_000

/** How often what may be sent again is sent, where nothing else is said. */
export const ATTEMPTS = 5

/** Node's own client and not fetch: a body, an answer or a feed may take longer than any of fetch's time limits. */
export function createTransport({ url, key, attempts = ATTEMPTS, silenceMs: silence }: ClientOptions): Transport {
  const gateway = url.replace(/\/+$/, '')
  const send = new URL(gateway).protocol === 'https:' ? httpsRequest : httpRequest

  async function open(path: string, { method = 'GET', headers = {}, body, signal, silenceMs = silence ?? 120_000, answers = [] }: Sent = {}): Promise<IncomingMessage> {
    signal?.throwIfAborted()
    const request = send(gateway + path, {
      method, ...(signal && { signal }), timeout: silenceMs,
      headers: { accept: 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }), ...(typeof body === 'string' && { 'content-length': String(Buffer.byteLength(body)) }), ...headers },
    })
    request.on('timeout', () => request.destroy(new Error(`no byte for ${silenceMs} ms`)))
    const answer = new Promise<IncomingMessage>((resolve, reject) => request.once('response', resolve).on('error', reject))
    // The head of an answer may come before the body has ended (a refused key): then the rest of the body is not sent.
    if (body instanceof Readable) body.once('error', (error) => request.destroy(error)).pipe(request)
    else request.end(body)
    const response = await answer.catch((error: unknown) => {
      signal?.throwIfAborted()
      throw new GatewayError(gateway, { code: 'UNREACHABLE', title: '网关无应答 · the gateway does not answer', detail: error instanceof Error ? error.message : String(error) }, { cause: error })
    })
    const status = response.statusCode ?? 0
    if (status < 400) return response
    if (body instanceof Readable) body.unpipe(request).destroy()
    if (answers.includes(status) && !response.headers['content-type']?.startsWith('application/problem+json')) return response
    throw errorOf(gateway, status, response.headers['retry-after'], await text(response).catch(() => ''))
  }

  async function read<T>(response: IncomingMessage, signal?: AbortSignal): Promise<T> {
    const body = await text(response).catch((error: unknown) => { throw broken(gateway, error, signal) })
    try {
      return JSON.parse(body) as T
    } catch (error) {
      throw new GatewayError(gateway, { code: 'ANSWER_BROKEN', title: '回答不是 JSON · the answer is not JSON' }, { cause: error })
    }
  }

  return {
    gateway,
    open,
    read,
    again: (run, signal) => tryAgain(run, attempts, signal),
    json: <T>(path: string, sent?: Sent) => tryAgain(async () => read<T>(await open(path, { ...sent, silenceMs: silence ?? 30_000 }), sent?.signal), attempts, sent?.signal),
  }
}

/** A query without what is undefined. */
export function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): URLSearchParams {
  return new URLSearchParams(Object.entries(parameters).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]])))
}

/** An answer that broke off, as an error of ours; what is one already, or was asked for by the caller, stays. */
export function broken(gateway: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (error instanceof GatewayError || signal?.aborted === true) return error
  return new GatewayError(gateway, { code: 'ANSWER_BROKEN', title: '回答中断 · the answer broke off' }, { cause: error })
}

async function tryAgain<T>(run: () => Promise<T>, attempts: number, signal: AbortSignal | undefined): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof GatewayError) || !error.mayTryAgain || attempt >= attempts) throw error
      await pause(pauseBefore(attempt, error.retryAfter), undefined, { ...(signal && { signal }) })
    }
  }
}

/** How long to wait after a failed attempt (the first is 1), ms: what the gateway asks for, else longer each time. */
export function pauseBefore(attempt: number, retryAfter: number | undefined): number {
  const least = retryAfter === undefined ? 0 : retryAfter * 1000
  const span = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS)
  return Math.min(least, 60_000) + span * (0.5 + Math.random() / 2)
}
