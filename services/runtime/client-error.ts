import type { ConnectionError } from 'fastify'
import type { Socket } from 'node:net'
import { Problem, problemDocument } from './problem.ts'

const LINGER_MS = 5_000

/** Answers what is no HTTP, or headers without end, with a problem; the rest of what comes is thrown away for a while, so that its sender can read the answer. */
export function answerClientError(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, reason, problem } = explain(error.code)
  const body = JSON.stringify(problemDocument(problem, crypto.randomUUID()))
  socket.end(`HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`)
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}

function explain(code: string): { status: number; reason: string; problem: Problem } {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, reason: 'Request Header Fields Too Large', problem: new Problem(431, 'HEADERS_TOO_LARGE', '请求头过大 · the headers are too large', 'At most 16 KiB. Events belong into the body.') }
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, reason: 'Request Timeout', problem: new Problem(408, 'HEADERS_TOO_SLOW', '等待请求头超时 · the headers did not come in time', 'Send the request again.') }
  return { status: 400, reason: 'Bad Request', problem: new Problem(400, 'HTTP_MALFORMED', '不是有效的 HTTP 请求 · this is no valid HTTP request', 'Use an HTTP client; send either content-length or chunks, not both.') }
}
