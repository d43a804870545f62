import { expect, test } from 'vitest'
import { createLog } from './log.ts'

test('lines are JSON with level, time, service and region, and errors with their cause', () => {
  const lines = capture()
  lines.log.info({ topic: 'zj.complaint' }, 'started')
  lines.log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed')
  expect(lines.read()[0]).toMatchObject({ level: 'info', service: 'relay', region: 'zj', topic: 'zj.complaint', msg: 'started', time: expect.stringMatching(/^\d{4}-.*Z$/) })
  expect(JSON.stringify(lines.read()[1])).toContain('inner')
})

test('secrets that slip into the fields are not written', () => {
  const lines = capture()
  lines.log.info({ password: 'p1', key: 'p2', authorization: 'p3', kafka: { password: 'p4' }, headers: { authorization: 'p5' } }, 'connected')
  expect(lines.text()).not.toMatch(/p\d/)
  expect(lines.read()[0]).toMatchObject({ password: '[redacted]', kafka: { password: '[redacted]' } })
})

function capture() {
  let text = ''
  const log = createLog({ service: 'relay', region: 'zj', destination: { write: (line) => { text += line } } })
  return { log, text: () => text, read: () => text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>) }
}
