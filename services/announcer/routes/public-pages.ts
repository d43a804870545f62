import { html, page, type Html } from '@hub/runtime/page'
import type { PublicKeys } from '@hub/runtime/sign'
import type { Region } from '@hub/schemas/streams'
import type { FastifyInstance } from 'fastify'
import { shanghaiTime } from '../completeness.ts'
import { date, time } from '../document/shown.ts'
import type { Desk } from '../desk.ts'
import { verifyEdition } from '../edition/verify.ts'
import type { EditionRow } from '../store/announcements.ts'
import { FORMATS } from './documents.ts'

const FORMS = { json: 'JSON', html: '网页', xlsx: '工作簿' } as const
const KINDS: Readonly<Record<string, string>> = { full: '正式', partial: '部分地区', erratum: '更正', retracted: '撤回' }

const PARAMS = {
  type: 'object', required: ['campaign', 'year'], additionalProperties: false,
  properties: { campaign: { type: 'string', maxLength: 40, pattern: '^[a-z0-9-]+$' }, year: { type: 'integer', minimum: 2000, maximum: 2999 } },
}

/** `/announcements`: what was published; `…/verify`: whether a printed one is what the regions signed. For anybody. */
export function publicPages(desk: Desk, keys: () => Promise<Readonly<Partial<Record<Region, PublicKeys>>>>): (app: FastifyInstance) => void {
  return (app) => {
    app.get('/announcements', { config: { access: 'open', page: { menu: '联合公示 · Announcements' } }, schema: {} }, async (request, reply) => {
      const editions = await desk.editions()
      return page(request, reply, { title: '长三角消费投诉信息公示', body: editions.length === 0 ? html`<p>尚未发布公示。 <span lang="en">Nothing is published yet.</span></p>` : editionsTable(editions) })
    })
    app.get<{ Params: { campaign: string; year: number }; Querystring: { edition?: number; aggregates?: string } }>('/announcements/:campaign/:year/verify', {
      config: { access: 'open', page: {} },
      schema: { params: PARAMS, querystring: { type: 'object', additionalProperties: false, properties: { edition: { type: 'integer', minimum: 1, maximum: 1000 }, aggregates: { type: 'string', pattern: '^[0-9a-f]{64}$' } } } },
    }, async (request, reply) => {
      const { params: { campaign, year }, query } = request
      const file = await desk.file(campaign, year, query.edition)
      const newest = (await desk.editions()).filter((one) => one.campaign === campaign && one.year === year).reduce((most, { edition }) => Math.max(most, edition), 0)
      const { valid, problems, edition, struck } = verifyEdition(Buffer.from(file), await keys())
      const { statement, digests } = edition!
      const printed = query.aggregates === undefined || query.aggregates === digests.aggregates
      return page(request, reply, {
        title: `核验：${statement.title[0]}`,
        body: html`${statement.demo ? html`<p class="bad">演示数据，不是真实公示。</p>` : ''}
<p class="${valid ? 'ok' : 'bad'}">${valid ? `签名有效：${edition!.recomputed.length}个地区复算一致并审核通过。` : '签名核验不通过，请勿采信。'}</p>
${problems.length === 0 ? '' : html`<ul>${problems.map(({ text: [zh, en] }) => html`<li>${zh} <span lang="en">${en}</span></li>`)}</ul>`}
${query.aggregates === undefined ? '' : html`<p class="${printed ? 'ok' : 'bad'}">${printed ? '与二维码所带的数字摘要一致。' : '与二维码所带的数字摘要不一致：手中的文本不是这一版。'}</p>`}
${newest > statement.edition ? html`<p class="bad">已有第${newest}版：<a href="/v1/announcements/${campaign}/${year}?format=html">看最新一版</a></p>` : html`<p>这是最新一版（第${statement.edition}版）。</p>`}
${struck === 0 ? '' : html`<p>附件中有${struck}个名称已撤下，签名仍然有效。</p>`}
<dl><dt>数字摘要（SHA-256）</dt><dd><code>${digests.aggregates}</code></dd><dt>截数时间</dt><dd>${time(statement.plan.cut)}</dd></dl>
<p>${links(`/v1/announcements/${campaign}/${year}?edition=${statement.edition}&format=`)}</p>
<p class="quiet">要在别处核验：下载 JSON，运行 <code>hub announcement verify 文件</code>。</p>`,
      })
    })
  }
}

export function links(start: string): Html[] {
  return (['html', 'xlsx', 'json'] satisfies (typeof FORMATS)[number][]).map((format) => html`<a href="${start}${format}">${FORMS[format]}</a> `)
}

export function editionsTable(editions: readonly EditionRow[]): Html {
  return html`<div class="scroll"><table>
<caption>已发布的各版，新的在前</caption>
<thead><tr><th scope="col">公示</th><th scope="col">版次</th><th scope="col">发布时间</th><th scope="col">文件</th><th scope="col">核验</th></tr></thead>
<tbody>${editions.map(({ campaign, year, edition, kind, demo, title, publishedAt }) => html`<tr>
<th scope="row"><a href="/v1/announcements/${campaign}/${year}?edition=${edition}&format=html">${title}</a>${demo ? html` <strong class="bad">演示数据</strong>` : ''}</th>
<td>第${edition}版 ${KINDS[kind] ?? kind}</td><td>${date(shanghaiTime(publishedAt.getTime()).slice(0, 10))}</td><td>${links(`/v1/announcements/${campaign}/${year}?edition=${edition}&format=`)}</td>
<td><a href="/announcements/${campaign}/${year}/verify?edition=${edition}">核验第${edition}版</a></td></tr>`)}</tbody>
</table></div>`
}
