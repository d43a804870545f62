import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Doorkeeper } from './access.ts'
import { keyHash } from './caller.ts'
import { html, page } from './page.ts'
import { Problem } from './problem.ts'
import type { Sessions } from './session.ts'

const FORM = 'application/x-www-form-urlencoded'
const FORM_BYTES = 4 * 1024

/** `/login` and `/logout`: a browser gives a caller's key once and then comes in by cookie. */
export function signIn(sessions: Sessions, doorkeeper: Doorkeeper): (app: FastifyInstance) => Promise<void> {
  const config = { access: 'open', page: {} } as const
  const hide = { hide: true }
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(FORM, { parseAs: 'string', bodyLimit: FORM_BYTES }, (_request, body, done) => done(null, new URLSearchParams(body as string)))
    app.get<{ Querystring: { next?: string } }>('/login', { config, schema: { ...hide, querystring: { type: 'object', properties: { next: { type: 'string' } } } } }, (request, reply) => {
      if (request.caller !== undefined) return signedIn(request, reply)
      return form(request, reply, ownPath(request.query.next), undefined)
    })
    app.post('/login', { config, schema: hide }, async (request, reply) => {
      sessions.mustBeOwnPage(request)
      const fields = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
      const next = ownPath(fields.get('next'))
      const hashOfKey = keyHash((fields.get('key') ?? '').trim())
      try {
        const caller = await doorkeeper.recognise(request, hashOfKey)
        sessions.begin(request, reply, hashOfKey)
        return reply.redirect(next ?? app.menu(caller)[0]?.href ?? '/login', 303)
      } catch (error) {
        if (error instanceof Problem && error.status === 401) return form(request, reply, next, error)
        throw error
      }
    })
    app.post('/logout', { config, schema: hide }, (request, reply) => {
      sessions.mustBeOwnPage(request)
      sessions.end(request, reply)
      return reply.redirect('/login', 303)
    })
  }
}

/** Where a page that needs a session sends a browser without one. */
export function loginPath(request: FastifyRequest): string {
  const next = ownPath(request.url)
  return next === undefined ? '/login' : `/login?next=${encodeURIComponent(next)}`
}

/** A path of this host to go on to, or undefined for anything that a browser could take for another host. */
export function ownPath(path: string | null | undefined): string | undefined {
  if (typeof path !== 'string' || !path.startsWith('/') || path.length > 2_000 || !URL.canParse(path, 'http://own')) return undefined
  const { host, pathname, search } = new URL(path, 'http://own')
  return host === 'own' && !pathname.startsWith('//') ? pathname + search : undefined
}

function form(request: FastifyRequest, reply: FastifyReply, next: string | undefined, problem: Problem | undefined): Promise<FastifyReply> {
  return page(request, reply, {
    title: '登录 · Sign in',
    status: problem?.status ?? 200,
    body: html`${problem === undefined ? '' : html`<p class="bad" role="alert">${problem.message}</p>`}
<form method="post" action="/login">
<input type="hidden" name="next" value="${next ?? ''}">
<p class="entry"><label for="key">调用方密钥 · Key of the caller</label>
<input id="key" name="key" type="password" autocomplete="current-password" required size="50" autofocus></p>
<p><button>登录 · Sign in</button></p>
</form>
<p class="quiet">密钥由本地区的枢纽运维人员发放，登录 12 小时内有效。 <span lang="en">The hub's operator in this region hands out keys; a session lasts 12 hours.</span></p>`,
  })
}

function signedIn(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { organisation, id, roles } = request.caller!
  return page(request, reply, { title: '已登录 · Signed in', body: html`<p>${organisation}（${id}）：${roles.join(', ')}</p>` })
}
