import Fastify from 'fastify'
import { expect, it } from 'vitest'
import { sendJson } from './send-json.ts'

it('sends UTF-8 as it is, its length with it, on a connection that goes on; to HEAD the head alone; and what follows an answer follows', async () => {
  const ends: [string, number][] = []
  const app = Fastify()
  app.addHook('onResponse', (request, reply, done) => {
    ends.push([request.method, reply.statusCode])
    done()
  })
  const text = '{"name":"义乌市某某贸易有限公司","é":"𠮷","list":[1]}'
  app.get('/', async (_, reply) => sendJson(reply, Buffer.from(text)))
  try {
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    for (let n = 0; n < 3; n++) {
      const response = await fetch(url)
      expect([response.status, response.headers.get('content-type'), response.headers.get('content-length'), response.headers.get('connection'), await response.text()]).toEqual([200, 'application/json; charset=utf-8', String(Buffer.byteLength(text)), 'keep-alive', text])
    }
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, String(Buffer.byteLength(text)), ''])
    await expect.poll(() => ends).toEqual([['GET', 200], ['GET', 200], ['GET', 200], ['HEAD', 200]])
  } finally {
    await app.close()
  }
})
