import { problemAnswer, type Documented } from '@hub/runtime/http'
import type { FastifyInstance } from 'fastify'
import type { Desk } from '../desk.ts'
import type { DefinitionRef } from '../figures/model.ts'
import { FORMATS, type Documents, type Format } from './documents.ts'

const PARAMS = {
  type: 'object', required: ['campaign', 'year'], additionalProperties: false,
  properties: {
    campaign: { type: 'string', maxLength: 40, pattern: '^[a-z0-9-]+$', description: '公示项目 · campaign: 315, 315-week, spring-festival, may-day, national-day' },
    year: { type: 'integer', minimum: 2000, maximum: 2999, description: '年度 · year' },
  },
}

/** What anybody may read: the published editions and their files. */
export function publishedRoutes(desk: Desk, documents: Documents): (app: FastifyInstance) => void {
  return (app) => {
    app.get('/v1/announcements', { config: { access: 'open', documented: LIST }, schema: LIST_SCHEMA }, async () => ({
      editions: (await desk.editions()).map((edition) => ({ ...edition, href: `/v1/announcements/${edition.campaign}/${edition.year}?edition=${edition.edition}` })),
    }))
    app.get<{ Params: { campaign: string; year: number }; Querystring: { edition?: number; format?: Format } }>('/v1/announcements/:campaign/:year', { config: { access: 'open', documented: FILE }, schema: FILE_SCHEMA }, async (request, reply) => {
      const { params, query } = request
      return documents.answer(request, reply, await desk.file(params.campaign, params.year, query.edition), query.format, false)
    })
    app.get<{ Params: { campaign: string }; Querystring: { definition?: DefinitionRef } }>('/v1/announcements/:campaign/series', { config: { access: 'open', documented: SERIES }, schema: SERIES_SCHEMA }, async ({ params, query }) => ({ points: await desk.series(params.campaign, query.definition) }))
  }
}

const LIST_SCHEMA = {
  operationId: 'listAnnouncements',
  summary: '已发布的联合公示 · published joint announcements',
  description: '最新的在前。同一公示的更正和撤回各为一版。 · Newest first. Errata and retractions are editions of their own.',
  tags: ['announcements'],
}
const LIST: Documented = { response: { 200: { description: '各版次 · the editions', content: { 'application/json': { schema: { type: 'object' } } } } } }

const SERIES_SCHEMA = {
  operationId: 'readAnnouncementSeries',
  summary: '历年数字 · a campaign over the years',
  description: '只并列同一口径的数字；口径不同时须指定其一。包括枢纽启用前的公示（无地区分列的为 null）。 · Numbers of one definition alone; where headlines mean different things, name one. With the bulletins from before the hub (null where they tell no regions).',
  tags: ['announcements'],
  params: { type: 'object', required: ['campaign'], additionalProperties: false, properties: { campaign: PARAMS.properties.campaign } },
  querystring: { type: 'object', additionalProperties: false, properties: { definition: { type: 'string', maxLength: 60, pattern: '^[a-z-]+@\\d{1,4}$', description: '口径及版本 · definition and version, `received@1`' } } },
}
const SERIES: Documented = {
  response: {
    200: { description: '按年度 · by year', content: { 'application/json': { schema: { type: 'object' } } } },
    404: problemAnswer('没有此公示项目 · no such campaign', 'ANNOUNCEMENT_UNKNOWN'), 409: problemAnswer('口径不同 · different definitions', 'MIXED_DEFINITIONS'),
  },
}

const FILE_SCHEMA = {
  operationId: 'readAnnouncement',
  summary: '联合公示文件 · the file of a joint announcement',
  description: 'JSON 为签名所覆盖的原始字节，hub announcement verify 可在任何地方核验；另有网页和工作簿，用 format 或 Accept 选择。缺省为最新一版。 · As JSON the bytes that the signatures cover, which "hub announcement verify" checks anywhere; as a page and as a workbook by format or Accept. Without an edition the newest.',
  tags: ['announcements'],
  params: PARAMS,
  querystring: { type: 'object', additionalProperties: false, properties: { edition: { type: 'integer', minimum: 1, maximum: 1000, description: '版次 · edition' }, format: { enum: FORMATS, description: '格式，缺省按 Accept · form; without it Accept decides, and JSON where it says nothing' } } },
}
const FILE: Documented = {
  response: {
    200: {
      description: '规范化 JSON、网页或工作簿 · canonical JSON, a page or a workbook',
      content: { 'application/json': { schema: { type: 'object' } }, 'text/html': { schema: { type: 'string' } }, 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': { schema: { type: 'string', format: 'binary' } } },
    },
    304: { description: '与 If-None-Match 相同 · what If-None-Match names' }, 404: problemAnswer('没有，或尚未发布 · none, or not published', 'ANNOUNCEMENT_UNKNOWN'),
  },
}
