import type { Db } from '@hub/runtime/db'
import { page } from '@hub/runtime/page'
import { READ_FLAGS } from '@hub/schemas/read-event'
import { IMPORT_CODES } from '../imports/report.ts'
import type { Region } from '@hub/schemas/streams'
import type { FastifyInstance } from 'fastify'
import { readStatus } from '../status/status.ts'
import { createToday } from '../status/today.ts'
import { codesView, statusView } from '../status/view.ts'

/** `/status`: where a caller's events stand. `/codes`: what verdicts, rules and flags mean; for anybody. */
export function statusRoutes(db: Db, where: { region: Region; topicPrefix: string }): (app: FastifyInstance) => void {
  const today = createToday(db)
  const schema = { hide: true }
  return (app) => {
    app.get('/status', { config: { access: { roles: ['publisher', 'operator'] }, page: { menu: '我的提交 · My events' } }, schema }, async (request, reply) => {
      const now = Date.now()
      return page(request, reply, { title: '我的提交 · My events', body: statusView(await readStatus(db, where, today, request.caller!, now), now) })
    })
    app.get('/codes', { config: { access: 'open', page: { menu: '代码 · Codes' } }, schema }, (request, reply) => page(request, reply, { title: '结果代码 · Codes of verdicts', body: codesView(READ_FLAGS, IMPORT_CODES) }))
  }
}
