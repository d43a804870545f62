import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Region } from '@hub/schemas/streams'
import { CliFailure, EXIT } from './failure.ts'
import { regionSettings, type KeyRole, type Settings } from './settings.ts'

/** One region's gateway as one caller. */
export interface Gateway {
  readonly url: string
  /** The JSON answer. @throws CliFailure with the gateway's own problem */
  get<T>(path: string): Promise<T>
  /** Sends NDJSON of any length and hands over the answer's lines as they come. */
  sendLines(path: string, body: Readable, onLine: (line: string) => void): Promise<void>
}

export function gatewayOf(settings: Settings, region: Region, role: KeyRole): Gateway {
  const { gateway, keys } = regionSettings(settings, region)
  if (gateway === undefined) throw new CliFailure(EXIT.environment, `不知道 ${region} 的网关地址（HUB_GATEWAY_URL）。`, `The address of ${region}'s gateway is not known (HUB_GATEWAY_URL).`)
  const key = keys[role]
  const headers = { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) }
  const unreachable = (error: unknown): CliFailure => new CliFailure(EXIT.environment,
    `${region} 的网关 ${gateway} 无应答。请确认它在运行（npm start），或运行 hub doctor。`,
    `The gateway of ${region} at ${gateway} does not answer. Is it running (npm start)? "hub doctor" says more.`, { cause: error })
  return {
    url: gateway,
    async get<T>(path: string) {
      const response = await fetch(gateway + path, { headers, signal: AbortSignal.timeout(30_000) }).catch((error: unknown) => { throw unreachable(error) })
      if (!response.ok) throw problemOf(response.status, await response.text(), region)
      return await response.json() as T
    },
    async sendLines(path, body, onLine) {
      const response = await open(new URL(gateway + path), { ...headers, 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' }, body).catch((error: unknown) => { throw unreachable(error) })
      if (response.statusCode !== 200) {
        body.destroy()
        throw problemOf(response.statusCode ?? 0, await text(response), region)
      }
      await readLines(response, onLine)
    },
  }
}

/**
 * Node's own client and not fetch: a body may take longer than any of fetch's time limits. Resolves with the head of the answer,
 * which may come before the body has ended (a refused key).
 */
function open(url: URL, headers: Record<string, string>, body: Readable): Promise<IncomingMessage> {
  const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { method: 'POST', headers })
  return new Promise((resolve, reject) => {
    request.once('response', resolve).on('error', reject)
    body.once('error', (error) => request.destroy(error)).pipe(request)
  })
}

async function readLines(response: IncomingMessage, onLine: (line: string) => void): Promise<void> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') onLine(line)
  }
  if (rest !== '') onLine(rest)
}

function problemOf(status: number, body: string, region: Region): CliFailure {
  const { title = `HTTP ${status}`, detail = '', code = '' } = parseProblem(body)
  const exit = status === 401 || status === 403 || status === 503 ? EXIT.environment : status >= 400 && status < 500 ? EXIT.validation : EXIT.runtime
  return new CliFailure(exit, `${region} 的网关回答 ${status} ${code}：${title}`, `The gateway of ${region} answered ${status} ${code}: ${title}${detail ? `. ${detail}` : ''}`)
}

function parseProblem(body: string): { title?: string, detail?: string, code?: string } {
  try {
    return JSON.parse(body) as { title?: string, detail?: string, code?: string }
  } catch {
    return {}
  }
}
