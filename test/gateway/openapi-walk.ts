import type { Keys } from '@hub/local/local-files'

/** What is asked of an operation so that it answers with what it is there for. */
export interface Asked {
  /** Whose key; undefined where none is needed. */
  readonly role?: keyof Keys
  /** Of an event that was published, and its record. */
  readonly path: (event: { eventId: string; recordId: string }) => string
  readonly body?: string
  readonly type?: string
  readonly status?: number
}

const NOBODY = '019b76da-a87b-7c54-9e0f-2f1f6d2c5a10'

/** One right question for every operation of the gateway's document. */
export const WALK: Readonly<Record<string, Asked>> = {
  'GET /livez': { path: () => '/livez' },
  'GET /readyz': { path: () => '/readyz' },
  'GET /metrics': { path: () => '/metrics' },
  'GET /openapi.json': { path: () => '/openapi.json' },
  'POST /v1/streams/{stream}/events': { role: 'publisher', path: () => '/v1/streams/complaint/events?dryRun=true', body: '[{}]', type: 'application/json' },
  'GET /v1/streams/{stream}/records': { role: 'reader', path: ({ recordId }) => `/v1/streams/complaint/records?recordId=${encodeURIComponent(recordId)}` },
  'GET /v1/streams': { role: 'reader', path: () => '/v1/streams' },
  'GET /v1/streams/{stream}/changes': { role: 'reader', path: () => '/v1/streams/complaint/changes?limit=10' },
  'GET /v1/streams/{stream}/snapshot': { role: 'reader', path: () => '/v1/streams/complaint/snapshot' },
  'POST /v1/streams/{stream}/erasures': { role: 'operator', path: () => '/v1/streams/complaint/erasures', body: '{"recordId":"walk/never","why":"walk"}', type: 'application/json', status: 404 },
  'GET /v1/streams/{stream}/archive': { role: 'officer', path: ({ recordId }) => `/v1/streams/complaint/archive?recordId=${encodeURIComponent(recordId)}` },
  'GET /v1/verdicts': { role: 'publisher', path: () => '/v1/verdicts?limit=10' },
  'GET /v1/receipts/{eventId}': { role: 'publisher', path: ({ eventId }) => `/v1/receipts/${eventId}` },
  'GET /v1/position': { role: 'operator', path: () => '/v1/position' },
  'GET /v1/convergence': { role: 'operator', path: () => '/v1/convergence' },
  'GET /v1/sources': { role: 'reader', path: () => '/v1/sources' },
  'POST /v1/sources/{id}/hand-over': { role: 'publisher', path: () => '/v1/sources/walk/hand-over', body: '{"handOverId":"walk"}', type: 'application/json', status: 404 },
  'POST /v1/imports/{key}': { role: 'publisher', path: () => '/v1/imports/walk?file=walk.csv&shape=complaint-table&dryRun=true&wait=true', body: 'x', type: 'application/octet-stream' },
  'POST /v1/imports/{key}/marked': { role: 'publisher', path: () => '/v1/imports/walk/marked?file=walk.csv', body: 'x', type: 'application/octet-stream', status: 422 },
  'GET /v1/imports': { role: 'publisher', path: () => '/v1/imports?limit=5' },
  'GET /v1/imports/{key}': { role: 'publisher', path: () => `/v1/imports/${NOBODY}`, status: 404 },
  'POST /v1/imports/{id}/confirm': { role: 'publisher', path: () => `/v1/imports/${NOBODY}/confirm`, status: 404 },
  'POST /v1/imports/{id}/cancel': { role: 'publisher', path: () => `/v1/imports/${NOBODY}/cancel`, status: 404 },
  'POST /v1/imports/{id}/revert': { role: 'publisher', path: () => `/v1/imports/${NOBODY}/revert`, status: 404 },
  'GET /v1/parked': { role: 'operator', path: () => '/v1/parked' },
  'GET /v1/parked/origin': { role: 'publisher', path: () => '/v1/parked/origin' },
  'GET /v1/parked/{topic}/{partition}/{offset}': { role: 'operator', path: () => '/v1/parked/zj.complaint/0/1', status: 404 },
  'POST /v1/parked/redrives': { role: 'operator', path: () => '/v1/parked/redrives', body: '{"topic":"zj.complaint","why":"walk"}', type: 'application/json', status: 202 },
  'GET /v1/parked/redrives/{id}': { role: 'operator', path: () => '/v1/parked/redrives/019b76da-a87b-7c54-9e0f-2f1f6d2c5a10', status: 404 },
}
