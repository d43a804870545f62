import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createHttp } from '@hub/runtime/http'
import { createLog } from '@hub/runtime/log'
import { createMetrics } from '@hub/runtime/metrics'
import { boundBodies } from './patience.ts'

it('a body that trickles without an end is answered 408, and one that comes is taken', async () => {
  await using http = await createHttp({
    log: createLog({ service: 'test', level: 'silent' }), metrics: createMetrics({}), title: 'test', host: '127.0.0.1', port: 0, readiness: async () => [],
    routes(app) {
      boundBodies(app, 100)
      app.post('/slow', { config: { access: 'open' } }, async () => { await pause(250); return {} })
      app.post('/echo', { config: { access: 'open' } }, ({ body }) => body)
    },
  })
  const whole = await fetch(`${http.url}/echo`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' })
  expect(await whole.json()).toEqual({ a: 1 })
  // Without a body, and answered later than one might take.
  expect((await fetch(`${http.url}/slow`, { method: 'POST' })).status).toBe(200)
  const socket = connect(Number(new URL(http.url).port), '127.0.0.1')
  let answer = ''
  socket.on('data', (bytes: Buffer) => { answer += bytes.toString() })
  socket.write('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n[\r\n')
  const trickle = setInterval(() => socket.write('1\r\n1\r\n'), 10)
  try {
    await once(socket, 'close')
  } finally {
    clearInterval(trickle)
  }
  expect(answer).toMatch(/^HTTP\/1.1 408 /)
  expect(answer).toContain('BODY_TOO_SLOW')
})
