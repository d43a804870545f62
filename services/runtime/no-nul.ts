import type { FastifyRequest } from 'fastify'
import { Problem } from './problem.ts'

/**
 * Refuses a request with a character U+0000 in its path, query or parsed body: PostgreSQL keeps no such text, and nobody means it. Bodies that a route reads itself,
 * as bytes or as a stream, are the route's own.
 * @throws Problem REQUEST_INVALID
 */
export function refuseNul(request: Pick<FastifyRequest, 'url' | 'body'>): void {
  if (/%00/.test(request.url) || hasNul(request.body)) throw new Problem(400, 'REQUEST_INVALID', '请求参数不对 · the request is not valid', '请求含有字符 U+0000，请去掉 · it has a character U+0000: leave it out')
}

function hasNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\u0000')
  if (Array.isArray(value)) return value.some(hasNul)
  if (value instanceof URLSearchParams) return value.toString().includes('%00')
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return false
  return Object.entries(value).some(([key, one]) => key.includes('\u0000') || hasNul(one))
}
