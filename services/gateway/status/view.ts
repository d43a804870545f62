import { html, type Html } from '@hub/runtime/page'
import { reasonText } from '../parked/reasons.ts'
import { RULES, VERDICT_TEXTS, type VerdictKind } from '../verdicts/verdict.ts'
import type { PastVerdict } from '../verdicts/verdict-page.ts'
import type { Arrivals } from './arrivals.ts'
import { heldView } from './held-view.ts'
import { sourcesView } from './sources-view.ts'
import type { Status } from './status.ts'
import type { DayCount } from './store.ts'
import { clock, regionName, streamName } from './words.ts'

const COLUMNS = ['published', 'duplicate', 'stale', 'conflict', 'refused'] as const
const COLUMN_TEXTS: Readonly<Record<(typeof COLUMNS)[number], readonly [zh: string, en: string]>> = {
  published: ['已发布', 'published'], duplicate: ['重复', 'duplicate'], stale: ['过期', 'stale'], conflict: ['冲突', 'conflict'], refused: ['拒绝', 'refused'],
}

/** What the page says under its heading. `now` in ms UTC; times are shown in Asia/Shanghai. */
export function statusView(status: Status, now: number): Html {
  return html`<p class="quiet">${clock(new Date(now))}（北京时间） <span lang="en">Beijing time. Reload for newer figures.</span></p>
${arrivalsView(status)}
${todayView(status)}
${refusedView(status)}
${heldView(status.held)}
${parkedView(status)}
${status.replica === null ? '' : sourcesView(status.replica.sources)}
<h2>先试后发 <span lang="en">Rehearse first</span></h2>
<p>加上 <code>?dryRun=true</code> 发送，得到同样的结果而不存储：<code>POST /v1/streams/complaint/events?dryRun=true</code>。修改后照原样重发即可，已发布的会作为重复返回。
<span lang="en">With <code>?dryRun=true</code> you get the same verdicts and nothing is stored. After mending, send the same again: what was published comes back as duplicate.</span></p>`
}

function arrivalsView({ replica }: Status): Html {
  if (replica === null) return html`<h2>各地是否收到 <span lang="en">Has everyone got it</span></h2><p class="bad">本地区尚无副本，无法得知。 <span lang="en">This region has no replica yet: not known.</span></p>`
  const { arrivals } = replica
  const reported = arrivals.map(({ at }) => at).filter((at) => at !== null)
  const all = arrivals.every(({ state }) => state === 'all')
  return html`<h2>各地是否收到 <span lang="en">Has everyone got it</span></h2>
${all ? html`<p class="ok">全部到达四地${reported.length === 0 ? '' : html`（截至 ${clock(new Date(Math.min(...reported.map(Number))))}）`}。 <span lang="en">Everything has arrived in all four regions.</span></p>` : html`<div class="scroll"><table>
<thead><tr><th scope="col">地区 <span lang="en">Region</span></th><th scope="col">状态 <span lang="en">State</span></th><th scope="col">该地最近报告 <span lang="en">Last reported</span></th></tr></thead>
<tbody>${arrivals.map((one) => html`<tr><th scope="row">${regionName(one.region)}</th><td>${stateText(one)}${waitingText(one)}</td><td>${one.at === null ? '—' : clock(one.at)}</td></tr>`)}</tbody>
</table></div>`}`
}

function stateText({ state, waiting, exact }: Arrivals): Html {
  switch (state) {
    case 'all': return html`<span class="ok">全部到达</span> <span lang="en">all arrived</span>`
    case 'waiting': return html`<span class="bad">${exact ? '' : '至少 '}${waiting} 条在途</span> <span lang="en">${exact ? '' : 'at least '}${waiting} on the way</span>`
    case 'unsure': return html`<span class="quiet">未见在途，尚不能确认</span> <span lang="en">none found on the way, not certain yet</span>`
    case 'silent': return html`<span class="bad">尚未报告</span> <span lang="en">has not reported yet</span>`
  }
}

function waitingText({ oldest, newest, exact }: Arrivals): Html {
  if (oldest === null || newest === null) return html``
  return html`<br><span class="quiet">最早一条自 ${exact ? '' : '（或更早）'}${clock(oldest)} 等待；最新一条：<a href="/v1/receipts/${newest}">回执</a></span>`
}

function todayView({ today }: Status): Html {
  const rows = [...Map.groupBy(today.counts, ({ source, stream }) => JSON.stringify([source, stream])).values()]
    .map((counts) => ({ ...counts[0]!, counts }))
    .sort((a, b) => (`${a.source ?? '~'} ${a.stream}` < `${b.source ?? '~'} ${b.stream}` ? -1 : 1))
  const sum = (counts: readonly DayCount[], verdict: string): number => counts.reduce((total, one) => total + (one.verdict === verdict ? one.count : 0), 0)
  const cells = (counts: readonly DayCount[]): Html[] => COLUMNS.map((verdict) => {
    const count = sum(counts, verdict)
    return html`<td class="number${count > 0 && (verdict === 'refused' || verdict === 'conflict') ? ' bad' : ''}">${count.toLocaleString('en')}</td>`
  })
  return html`<h2>今日提交 <span lang="en">Sent today</span></h2>
${today.complete ? '' : html`<p class="bad">今日数量很大，尚在统计，请稍后刷新。 <span lang="en">So much was sent today that it is still being counted: reload in a moment.</span></p>`}
${rows.length === 0 ? html`<p>今日尚无提交。 <span lang="en">Nothing was sent today.</span></p>` : html`<div class="scroll"><table>
<thead><tr><th scope="col">来源系统 <span lang="en">Source</span></th><th scope="col">数据流 <span lang="en">Stream</span></th>${COLUMNS.map((verdict) => html`<th scope="col" class="number">${COLUMN_TEXTS[verdict][0]} <span lang="en">${COLUMN_TEXTS[verdict][1]}</span></th>`)}</tr></thead>
<tbody>${rows.map(({ source, stream, counts }) => html`<tr><th scope="row">${source ?? html`<span class="quiet">来源不明 <span lang="en">not told</span></span>`}</th><td>${streamName(stream)}</td>${cells(counts)}</tr>`)}</tbody>
${rows.length < 2 ? '' : html`<tfoot><tr><th scope="row" colspan="2">合计 <span lang="en">Total</span></th>${cells(today.counts)}</tr></tfoot>`}
</table></div>`}`
}

function refusedView({ refused, moreRefused }: Status): Html {
  return html`<h2>拒绝与冲突 <span lang="en">Refused or conflicting</span></h2>
${refused.length === 0 ? html`<p${moreRefused ? '' : html` class="ok"`}>近期没有。 <span lang="en">None lately.</span></p>` : html`<div class="scroll"><table>
<thead><tr><th scope="col">记录 <span lang="en">Record</span></th><th scope="col">结果、原因与处理 <span lang="en">Verdict, why, and what to do</span></th></tr></thead>
<tbody>${refused.map((one) => html`<tr><td><code>${one.recordId ?? '—'}</code>${placeOf(one)}<br>${streamName(one.stream)}<br><span class="quiet">${clock(new Date(one.at))}</span></td><td><span class="bad">${COLUMN_TEXTS[one.verdict as 'refused'][0]}</span>${problemsView(one.problems)}${one.request === null ? '' : html`<div class="quiet">请求 <code>${one.request}</code></div>`}</td></tr>`)}</tbody>
</table></div>`}
${moreRefused ? html`<p class="quiet">更早的：<code>GET /v1/verdicts</code>。 <span lang="en">Earlier ones: there.</span></p>` : ''}`
}

/** Fields that break one rule stand together. */
function problemsView(problems: PastVerdict['problems']): Html {
  return html`${[...Map.groupBy(problems, ({ rule }) => rule)].map(([rule, of]) => {
    const [zh = rule, , todo = ''] = RULES[rule] ?? []
    const fields = of.filter(({ field }) => field !== '').map(({ field }, i) => html`${i === 0 ? '' : '、'}<code>${field}</code>`)
    return html`<div>${fields}${fields.length === 0 ? '' : '：'}${zh} <a href="/codes#rule-${rule}">${rule}</a><br><span class="quiet">${todo}</span></div>`
  })}`
}

function placeOf({ line, index }: PastVerdict): Html {
  const place = line !== null ? `第 ${line} 行` : index !== null ? `数组第 ${index} 个` : ''
  return place === '' ? html`` : html` <span class="quiet">${place}</span>`
}

function parkedView({ replica }: Status): Html {
  if (replica === null) return html``
  const { parked, moreParked } = replica
  return html`<h2>被搁置的记录 <span lang="en">Parked</span></h2>
${parked.length === 0 ? html`<p class="ok">没有。 <span lang="en">None.</span></p>` : html`<p>以下记录在所列地区无法读取，被单独搁置；修正后以更高版本重新发布，四地即自动生效。 <span lang="en">These could not be read in the regions named. A higher version that is good takes their place everywhere by itself.</span></p>
<div class="scroll"><table>
<thead><tr><th scope="col">自 <span lang="en">Since</span></th><th scope="col">记录 <span lang="en">Record</span></th><th scope="col">搁置地区 <span lang="en">Parked in</span></th><th scope="col">原因与处理 <span lang="en">Why, and what to do</span></th><th scope="col">联系 <span lang="en">Whom to call</span></th></tr></thead>
<tbody>${parked.map(({ at, stream, key, reason, regions, contact }) => {
    const { zh, en, todo } = reasonText(reason)
    return html`<tr><td>${clock(at)}</td><td><code>${key}</code><br>${streamName(stream)}</td><td>${regions.map(({ region }, i) => html`${i === 0 ? '' : '、'}${regionName(region)}`)}</td><td>${zh} <code>${reason}</code> <span lang="en" class="quiet">${en}</span><br><span class="quiet">${todo.zh} <span lang="en">${todo.en}</span></span></td><td>${contact === null ? '—' : html`${contact.owner}<br>${contact.dutyLine}`}</td></tr>`
  })}</tbody>
</table></div>${moreParked ? html`<p class="quiet">仅列出前 ${parked.length} 条；全部：<code>GET /v1/parked/origin</code>。 <span lang="en">The first ${parked.length}; all of them there.</span></p>` : ''}`}`
}

type Texts = Readonly<Record<string, readonly [string, string, string, string]>>

/** The texts of verdicts, rules and flags, each under an anchor of its own; `imports` are those that only rows of a file get. */
export function codesView(flags: Texts, imports: { readonly rules: Texts; readonly flags: Texts; readonly skips: Texts; readonly problems: Texts }): Html {
  const section = (kind: string, title: Html, texts: Texts): Html => html`<h2>${title}</h2>
<div class="scroll"><table><thead><tr><th scope="col">代码 <span lang="en">Code</span></th><th scope="col">含义 <span lang="en">Meaning</span></th><th scope="col">如何处理 <span lang="en">What to do</span></th></tr></thead>
<tbody>${Object.entries(texts).map(([code, [zh, en, todoZh, todoEn]]) => html`<tr id="${kind}-${code}"><th scope="row"><code>${code}</code></th><td>${zh}<br><span lang="en" class="quiet">${en}</span></td><td>${todoZh}<br><span lang="en" class="quiet">${todoEn}</span></td></tr>`)}</tbody></table></div>`
  return html`${section('verdict', html`结果 <span lang="en">Verdicts</span>`, VERDICT_TEXTS satisfies Record<VerdictKind, unknown>)}
${section('rule', html`规则 <span lang="en">Rules</span>`, RULES)}
${section('flag', html`标记 <span lang="en">Flags</span>`, flags)}
${section('row-rule', html`导入：规则 <span lang="en">Imports: rules</span>`, imports.rules)}
${section('row-flag', html`导入：标记 <span lang="en">Imports: flags</span>`, imports.flags)}
${section('skip', html`导入：跳过的行 <span lang="en">Imports: rows passed over</span>`, imports.skips)}
${section('import', html`导入：整个文件 <span lang="en">Imports: a file as a whole</span>`, imports.problems)}`
}
