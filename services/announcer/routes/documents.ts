import type { FastifyReply, FastifyRequest } from 'fastify'
import { hash } from 'node:crypto'
import { DOCUMENT_POLICY, documentPage } from '../document/page.ts'
import type { Content } from '../document/tables.ts'
import { documentWorkbook } from '../document/workbook.ts'

export const FORMATS = ['json', 'html', 'xlsx'] as const
export type Format = (typeof FORMATS)[number]

const TYPES: Readonly<Record<Format, string>> = { json: 'application/json; charset=utf-8', html: 'text/html; charset=utf-8', xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' }
/** Renderings that are kept, so that asking again and again costs nothing. */
const MOST_KEPT = 16

/** Answers with an edition, or a draft, in one of its forms. */
export interface Documents {
  /** @param file the JSON; rendered without anything else */
  answer(request: FastifyRequest, reply: FastifyReply, file: string, asked: Format | undefined, draft: boolean): Promise<FastifyReply>
}

export function createDocuments(): Documents {
  const kept = new Map<string, Promise<string | Uint8Array>>()
  return {
    async answer(request, reply, file, asked, draft) {
      const format = asked ?? wanted(request.headers.accept)
      const content = (): Content => JSON.parse(file) as Content
      const { campaign, year, edition } = content().statement
      const verifyAt = `${request.protocol}://${request.host}${verifyPath(content())}`
      const key = `${format} ${draft} ${verifyAt} ${hash('sha256', file, 'hex')}`
      const made = kept.get(key) ?? (format === 'json' ? Promise.resolve(file) : format === 'html' ? documentPage(content(), { verifyAt, draft }) : documentWorkbook(content(), draft))
      kept.delete(key)
      kept.set(key, made)
      if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!)
      const body = await made
      const tag = `"${hash('sha256', body, 'base64url')}"`
      void reply.headers({ etag: tag, vary: 'accept', 'cache-control': draft ? 'no-store' : 'no-cache', 'x-content-type-options': 'nosniff' })
      if (request.headers['if-none-match']?.split(',').some((one) => one.trim().replace(/^W\//, '') === tag)) return reply.code(304).send()
      if (format === 'html') void reply.header('content-security-policy', DOCUMENT_POLICY)
      if (format === 'xlsx') void reply.header('content-disposition', `attachment; filename="${campaign}-${year}-${edition}${draft ? '-draft' : ''}.xlsx"`)
      return reply.type(TYPES[format]).send(typeof body === 'string' ? body : Buffer.from(body))
    },
  }
}

/** Where a printed edition is checked: the figures that it was printed with are in the address. */
export function verifyPath({ statement: { campaign, year, edition }, digests }: Content): string {
  return `/announcements/${campaign}/${year}/verify?edition=${edition}&aggregates=${digests.aggregates}`
}

/** A browser asks for HTML first; whoever does not care gets the file. */
function wanted(accept = ''): Format {
  const at = (text: string): number => (accept.includes(text) ? accept.indexOf(text) : Infinity)
  const places: readonly [Format, number][] = [['json', at('application/json')], ['html', at('text/html')], ['xlsx', at('application/vnd.openxmlformats')]]
  const [format, place] = places.toSorted((a, b) => a[1] - b[1])[0]!
  return place === Infinity ? 'json' : format
}
