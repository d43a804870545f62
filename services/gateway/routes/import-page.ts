import multipart, { type MultipartFile } from '@fastify/multipart'
import { BOUNDS } from '@hub/connectors/readers/bounds'
import { Problem } from '@hub/runtime/http'
import { html, page, type Html } from '@hub/runtime/page'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { importForm, importList, importView } from '../imports/view.ts'
import { readImports, readTold, type ImportRow } from '../imports/store.ts'
import type { Handed } from '../imports/imports.ts'
import { bounded, closed, findImport, mayImport, sendWorkbook, visible, type ImportRoutes } from './imports.ts'

/** A person waits this long for an answer before the page says that it goes on. */
const PATIENCE_MS = 20_000
const LISTED = 20
const SHOWN = 200
const REFRESH_SECONDS = '2'
const SOURCE = /^[a-z0-9][a-z0-9._-]{0,39}$/
const DELIMITERS: Readonly<Record<string, ',' | ';' | '\t'>> = { comma: ',', semicolon: ';', tab: '\t' }

interface One { Params: { id: string } }

/** `/import`: a person hands a file over, sees what it was recognised as, confirms, and reads the report. No script is needed. */
export function importPage({ db, imports, admission, closing }: ImportRoutes): (app: FastifyInstance) => Promise<void> {
  const config = { access: { roles: ['publisher'] as const }, page: {} }
  const schema = { hide: true }
  const one = { ...schema, params: { type: 'object', properties: { id: { type: 'string', pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' } } } }
  return async (app) => {
    app.removeAllContentTypeParsers()
    await app.register(multipart, { limits: { files: 1, fields: 8, fieldSize: 200, fileSize: BOUNDS.textBytes + 1, headerPairs: 50 } })
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 1_024 }, (_request, _body, done) => done(null, null))

    app.get('/import', { config: { ...config, page: { menu: '导入文件 · Import' } }, schema }, async (request, reply) => {
      const rows = await readImports(db, visible(request.caller!), null, LISTED)
      return page(request, reply, { title: '导入文件 · Import a file', body: html`${importForm(request.caller!.sources)}${importList(rows)}` })
    })

    app.post('/import', { config, schema, onRequest: async () => admission.admit(false) }, async (request, reply) => {
      const { chunks, handed } = await received(request)
      const id = await imports.receive(request.caller!, { ...handed, dryRun: false }, chunks)
      const row = await imports.settled(id, AbortSignal.any([closing, AbortSignal.timeout(PATIENCE_MS)]))
      return show(request, reply, row, true)
    })

    app.post('/import/marked', { config, schema, onRequest: async () => admission.admit(false) }, async (request, reply) => {
      const { chunks, handed } = await received(request)
      return sendWorkbook(reply, await imports.mark(request.caller!, handed, chunks, closed(reply)))
    })

    app.get<One>('/import/:id', { config, schema: one }, async (request, reply) => show(request, reply, await findImport(db, request.caller!, request.params.id), false))

    app.post<One>('/import/:id/confirm', { config, schema: one }, (request, reply) => act('confirm', request, reply))
    app.post<One>('/import/:id/cancel', { config, schema: one }, (request, reply) => act('cancel', request, reply))
    app.post<One>('/import/:id/revert', { config, schema: one }, (request, reply) => act('revert', request, reply))
  }

  /** The file of the form, still to be read, and what was said of it. */
  async function received(request: FastifyRequest): Promise<{ chunks: AsyncIterable<Uint8Array>, handed: Omit<Handed, 'dryRun' | 'id'> }> {
    const given = new Map<string, string>()
    for await (const part of request.parts()) {
      if (part.type === 'field') {
        given.set(part.fieldname, String(part.value).trim())
        continue
      }
      const source = given.get('source') ?? ''
      if (!SOURCE.test(source)) throw new Problem(400, 'IMPORT_FORM', '请填写来源系统并选择文件 · name the source system and choose a file', 'The source is small letters, digits, ".", "_" and "-", at most 40.')
      mayImport(request.caller!, source)
      const encoding = given.get('encoding')
      return {
        handed: { source, file: part.filename, ...((encoding === 'utf-8' || encoding === 'gb18030') && { encoding }), delimiter: DELIMITERS[given.get('delimiter') ?? ''] },
        chunks: bounded((part as MultipartFile).file),
      }
    }
    throw new Problem(400, 'IMPORT_FORM', '请填写来源系统并选择文件 · name the source system and choose a file', 'The form has no file.')
  }

  /** @param fresh in the answer to the file itself, which alone shows what stands in rows of it */
  async function show(request: FastifyRequest, reply: FastifyReply, row: ImportRow, fresh: boolean): Promise<FastifyReply> {
    const own = row.caller === request.caller!.id
    const live = own ? imports.live(row.id) : {}
    if (row.state === 'received' || row.state === 'running' || row.state === 'reverting') void reply.headers({ refresh: `${REFRESH_SECONDS}; url=/import/${row.id}` })
    const told = await readTold(db, row.id, undefined, SHOWN)
    const preview = fresh && own ? live.preview ?? [] : []
    delete live.preview
    return page(request, reply, { title: titleOf(row), body: importView(row, live, told, preview) as Html })
  }

  async function act(action: 'confirm' | 'cancel' | 'revert', request: FastifyRequest<One>, reply: FastifyReply): Promise<FastifyReply> {
    const { id } = await findImport(db, request.caller!, request.params.id)
    await imports[action](id)
    await imports.settled(id, AbortSignal.any([closing, AbortSignal.timeout(PATIENCE_MS)]))
    return reply.redirect(`/import/${id}`, 303)
  }
}

function titleOf({ state }: ImportRow): string {
  return state === 'waiting-confirmation' ? '确认导入 · Confirm the import' : '导入报告 · Report of an import'
}
