import { html, type Html } from '@hub/runtime/page'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { hash } from 'node:crypto'
import type { Statement } from '../edition/model.ts'
import type { ClassTable, Figures } from '../figures/model.ts'
import { chart, type Chart } from './chart.ts'
import { qr } from './qr.ts'
import { date, inWan, percent, plain, time } from './shown.ts'
import { STYLE } from './style.ts'
import { placeName, tablesOf, type Content, type Table } from './tables.ts'

/** What a document says of itself, beside what it renders. */
export interface Standing {
  /** Where anybody checks it: what the QR code leads to. */
  readonly verifyAt: string
  /** Not published: marked on every page. */
  readonly draft: boolean
}

/** Of a rendered page: it loads nothing and runs nothing. */
export const DOCUMENT_POLICY = `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

const KINDS = { full: '正式', partial: '部分地区', erratum: '更正', retracted: '撤回' } as const
const BUREAUS: Readonly<Record<Region, string>> = { sh: '上海市市场监督管理局', js: '江苏省市场监督管理局', zj: '浙江省市场监督管理局', ah: '安徽省市场监督管理局' }
/** Bars of a chart of classes; the table has them all. */
const MOST_BARS = 10

/** An edition as one page that stands alone: zh-CN, no script, nothing loaded. The same content gives the same bytes. */
export async function documentPage(content: Content, { verifyAt, draft }: Standing): Promise<string> {
  const { statement, annex, tips, digests } = content
  const { title, figures, plan, edition, kind, demo } = statement
  const tables = new Map(tablesOf(content).map((table) => [table.id, table]))
  const show = (...ids: readonly string[]): Html[] => ids.flatMap((id) => (tables.has(id) ? [tableOf(tables.get(id)!)] : []))
  const present = REGIONS.filter((region) => statement.regions[region].standing !== 'missing')
  const mark = [...(draft ? ['草案'] : []), ...(demo ? ['演示数据'] : []), ...(kind === 'retracted' ? ['已撤回'] : [])].join(' ')
  return String(await html`<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>${title[0]}${draft ? '（草案）' : ''}${demo ? '（演示数据）' : ''}</title>
<style>${STYLE}</style>
</head>
<body>
${mark === '' ? '' : html`<p class="mark" aria-hidden="true">${mark}</p>`}
<a class="skip" href="#content">跳到正文</a>
<header>
<p class="bureaus">${present.map((region) => html`<span>${BUREAUS[region]}</span> `)}</p>
<p class="kind">联合公示 · 第${edition}版 · ${draft ? '草案，未发布' : KINDS[kind]}</p>
</header>
<main id="content" tabindex="-1">
<h1>${title[0]}</h1>
<p class="english" lang="en">${title[1]}</p>
${draft ? html`<p class="notice">草案，尚未发布，不得引用。</p>` : ''}
${demo ? html`<p class="notice">演示数据：本页数字由样例数据生成，不是真实公示。</p>` : ''}
${kind === 'retracted' ? html`<p class="notice">本公示已撤回，此前各版数字不再有效。</p>` : ''}
<dl class="facts">
<div><dt>统计窗口</dt><dd>${date(plan.window.from)}至${date(plan.window.to)}</dd></div>
<div><dt>截数时间</dt><dd>${time(plan.cut)}（北京时间）</dd></div>
<div><dt>发布日期</dt><dd>${date(plan.publishOn)}</dd></div>
<div><dt>日历版本</dt><dd>${plan.calendar.join('、')}</dd></div>
</dl>
${plan.override === null ? '' : html`<p>发布安排有调整：${plan.override[0]}</p>`}
${standings(statement)}
${figures === null ? '' : html`<h2 id="summary">概要</h2>
${summary(figures, statement)}`}
${tips.length === 0 ? '' : html`<h2 id="tips">消费提示</h2>
<ol class="tips">${tips.map(({ zh, en }) => html`<li>${plain(zh)}${en === null ? '' : html`<br><span class="english" lang="en">${plain(en)}</span>`}</li>`)}</ol>`}
${statement.erratum === null ? '' : html`<h2 id="erratum">${kind === 'retracted' ? '撤回说明' : '更正说明'}</h2>
${show('corrections', 'changes')}`}
${figures === null ? '' : html`<h2 id="figures">一、总体情况</h2>
<div class="charts">${figure(receivedChart(figures))}</div>
${show('counts', 'online')}
<h2 id="handling">二、调解情况</h2>
${show('mediation')}
<h2 id="classes">三、商品、服务和问题</h2>
<div class="charts">${([['goods', '商品类投诉'], ['services', '服务类投诉'], ['issues', '投诉问题']] as const).filter(([id]) => figures[id].rows.length > 0).map(([id, name]) => figure(classChart(`${id}-chart`, name, figures[id], present)))}</div>
${show('goods', 'services', 'issues')}
<h2 id="comparison">四、同比</h2>
${show('year-on-year')}`}
<h2 id="explained">说明</h2>
<ul>${statement.caveats.map(([zh]) => html`<li>${zh}</li>`)}</ul>
${statement.definitions.length === 0 ? '' : html`<h3 id="definitions">指标口径</h3>
<dl class="definitions">${statement.definitions.map(({ id, version, name, text }) => html`<dt>${name[0]} <code>${id}@${version}</code></dt><dd>${text[0]}</dd>`)}</dl>`}
${show('sources')}
<h2 id="annex">附件</h2>
<ul>${annex.caveats.map(([zh]) => html`<li>${zh}</li>`)}</ul>
${show('traders')}
<p class="note">口径<code>${annex.definition}</code>；公示期限依据规则<code>${annex.rule}</code>。</p>
<h2 id="verification">核验</h2>
<div class="verify">
${qr(verifyAt)}
<div><p>核验地址：<a href="${verifyAt}">${verifyAt}</a></p>
<p>任何人可取得签名所覆盖的原始文件，用<code>hub announcement verify 文件</code>在任何地方核验。</p>
<dl class="digests">
<dt>数字摘要（SHA-256）</dt><dd><code>${digests.aggregates}</code></dd>
<dt>附件摘要（SHA-256）</dt><dd><code>${digests.annex}</code></dd>
<dt>消费提示摘要（SHA-256）</dt><dd><code>${digests.tips}</code></dd>
</dl></div>
</div>
${show('signatures', 'basis')}
</main>
</body>
</html>
`)
}

function tableOf({ id, caption, unit, columns, rows, totalled, notes }: Table): Html {
  return html`<div class="scroll" id="${id}" role="region" tabindex="0" aria-labelledby="${id}-caption">
<table class="${columns.length > 8 ? 'wide ' : ''}${totalled ? 'totalled' : ''}">
<caption id="${id}-caption">${caption}${unit === '不适用' ? '' : html` <span class="unit">单位：${unit}</span>`}</caption>
<thead><tr>${columns.map(({ name, number }) => html`<th scope="col"${number ? html` class="number"` : ''}>${name}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map((cell, at) => {
    const kind = [columns[at]!.number ? 'number' : '', cell.absent ? 'absent' : '', cell.text.length >= 40 && /^[\w+/=]+$/.test(cell.text) ? 'hash' : ''].filter((one) => one !== '').join(' ')
    return at === 0 ? html`<th scope="row">${cell.text}</th>` : html`<td class="${kind}">${cell.text}</td>`
  })}</tr>
`)}</tbody>
</table>
</div>
${notes.length === 0 ? '' : html`<ul class="note">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
`
}

function figure(drawn: Chart): Html {
  return html`<figure><figcaption>${drawn.title}</figcaption>
${chart(drawn)}</figure>
`
}

function standings({ regions }: Statement): Html | string {
  const named = (standing: string): string => REGIONS.filter((region) => regions[region].standing === standing).map((region) => placeName(region)).join('、')
  const [missing, incomplete] = [named('missing'), named('incomplete')]
  if (missing === '' && incomplete === '') return ''
  return html`<ul class="notice">${missing === '' ? '' : html`<li>${missing}未能参加本次截数，其数字缺失，不以零计，合计不含该地区。</li>`}${incomplete === '' ? '' : html`<li>${incomplete}的数据不完整，来源见<a href="#sources">数据来源与完整性</a>。</li>`}</ul>`
}

function summary({ counts, online, mediation }: Figures, statement: Statement): Html {
  const total = (id: string): string => counts.find(({ definition }) => definition.startsWith(`${id}@`))!.counts.total.toLocaleString('en-US')
  const { accepted, open, success, withheld, recoveredFen } = mediation.values.total
  const share = online.shares.total
  const who = placeName('total', statement).replace('合计', '')
  return html`<dl class="headline">
<div><dt>接收投诉</dt><dd>${total('received')}<span>件</span></dd></div>
<div><dt>受理</dt><dd>${total('accepted')}<span>件</span></dd></div>
<div><dt>举报</dt><dd>${total('reports')}<span>件</span></dd></div>
<div><dt>咨询</dt><dd>${total('consultations')}<span>件</span></dd></div>
<div><dt>挽回经济损失</dt><dd>${recoveredFen === null ? html`<span class="word">暂不公布</span>` : html`${inWan(recoveredFen)}<span>万元</span>`}</dd></div>
</dl>
<p>${date(statement.plan.window.from)}至${date(statement.plan.window.to)}，${who === '' ? '四地' : who}市场监管部门接收投诉${total('received')}件，其中受理${total('accepted')}件、不予受理${total('refused')}件、待受理${total('pending')}件、已移送${total('transferred')}件；接收举报${total('reports')}件，解答咨询${total('consultations')}件。${
  share.stated === 0 ? '' : `标明购物方式的投诉中，网络购买占${percent({ numerator: share.online, denominator: share.stated })}。`}${
  success === null ? (withheld ? `受理的投诉中${open.toLocaleString('en-US')}件仍在办理，超过半数，调解成功率和挽回金额暂不公布。` : '')
    : `已有结果的投诉调解成功率${percent(success)}，${recoveredFen === null ? '' : `为消费者挽回经济损失${inWan(recoveredFen)}万元，`}另有${accepted === 0 ? '0%' : percent({ numerator: open, denominator: accepted })}的受理投诉仍在办理。`}</p>`
}

const HANDLED = [['accepted', '受理'], ['refused', '不予受理'], ['pending', '待受理'], ['transferred', '已移送']] as const

function receivedChart({ counts }: Figures): Chart {
  const row = (id: string): Figures['counts'][number]['counts'] => counts.find(({ definition }) => definition.startsWith(`${id}@`))!.counts
  return {
    id: 'received-chart', title: '各地区接收投诉（件）', series: HANDLED.map(([key, name]) => ({ key, name })),
    bars: REGIONS.map((region) => ({
      label: placeName(region), why: '地区缺失',
      values: row('received')[region] === null ? null : Object.fromEntries(HANDLED.map(([key]) => [key, row(key)[region] ?? 0])),
    })),
  }
}

function classChart(id: string, name: string, { rows }: ClassTable, present: readonly Region[]): Chart {
  const bars = rows.filter(({ code }) => code !== null).slice(0, MOST_BARS)
  return {
    id, title: `${name}${bars.length < MOST_BARS ? '' : `前${MOST_BARS}类`}（件）`, series: present.map((region) => ({ key: region, name: placeName(region) })),
    bars: bars.map((one) => ({ label: one.name[0], values: Object.fromEntries(present.map((region) => [region, one.counts[region] ?? 0])) })),
  }
}
