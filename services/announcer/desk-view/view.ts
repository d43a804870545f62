import { html, type Html } from '@hub/runtime/page'
import { REGIONS, type Region } from '@hub/schemas/streams'
import type { AnnouncementState, DraftState, ListedAnnouncement, Status } from '../desk.ts'
import { date, time } from '../document/shown.ts'
import type { Change } from '../edition/model.ts'
import { definitionOf } from '../figures/definitions.ts'
import type { Rise } from '../figures/rises.ts'
import { regionName } from '../region-name.ts'
import { editionsTable, links } from '../routes/public-pages.ts'
import type { Contact } from '../store/contacts.ts'

/** Who looks, and from where. */
export interface Sees {
  readonly region: Region
  readonly officer: boolean
  readonly approver: boolean
  readonly operator: boolean
}

const STATUS: Readonly<Record<Status, string>> = {
  planned: '未到时间', past: '已过时间，未办', cutting: '截数中', drafting: '待起草', signing: '复算中', approving: '待审核', held: '已暂停，缺地区', published: '已发布', retracted: '已撤回',
}
/** Nobody is to act. */
const CLOSED: ReadonlySet<Status> = new Set(['planned', 'past', 'published', 'retracted'])
/** Tips that the form has room for. */
const TIPS = 5
const MOST_CHANGES = 40

/** Every campaign of every year with its plan and where it stands, the newest year first. */
export function calendarView(list: readonly ListedAnnouncement[]): Html {
  const years = [...Map.groupBy(list, ({ year }) => year)].sort(([a], [b]) => b - a)
  if (years.length === 0) return html`<p>尚无安排：公示进程启动后按放假通知列出。</p>`
  const open = list.filter(({ status }) => !CLOSED.has(status))
  return html`<p>${open.length === 0 ? '没有正在办理的公示。' : html`<strong class="bad">正在办理：</strong>${open.map((one) => html`<a href="/desk/${one.campaign}/${one.year}">${one.year}年${one.name[0]}（${STATUS[one.status]}）</a> `)}`}</p>
${years.map(([year, rows], n) => (n === 0 || rows.some(({ status }) => !CLOSED.has(status)) ? html`<h2>${year}年</h2>\n${yearTable(year, rows)}` : html`<details><summary>${year}年</summary>\n${yearTable(year, rows)}</details>`))}`
}

function yearTable(year: number, rows: readonly ListedAnnouncement[]): Html {
  return html`<div class="scroll"><table>
<caption>${year}年公示安排</caption>
<thead><tr><th scope="col">公示</th><th scope="col">统计窗口</th><th scope="col">截数与发布</th><th scope="col">进度</th><th scope="col">已发布</th></tr></thead>
<tbody>${rows.map(({ campaign, name, plan, moved, status, demo, editions }) => html`<tr>
<th scope="row"><a href="/desk/${campaign}/${year}">${name[0]}</a></th>
<td>${date(plan.window.from)}至${date(plan.window.to)}</td>
<td>${date(plan.publishOn)}${moved === null ? '' : html`<br><strong class="bad">安排有变：原为${date(moved.before.publishOn)}</strong>`}</td>
<td>${STATUS[status]}${demo ? html` <strong class="bad">演示</strong>` : ''}</td>
<td>${editions.length === 0 ? html`<span class="quiet">无</span>` : editions.map(({ edition }) => html`<a href="/v1/announcements/${campaign}/${year}?edition=${edition}&format=html">第${edition}版</a> `)}</td></tr>`)}</tbody>
</table></div>`
}

/** One announcement: what is missing and whom to call first, then the draft, what can be done, and the files. */
export function announcementView(state: AnnouncementState, contacts: readonly Contact[], rises: readonly Rise[], sees: Sees): Html {
  const { campaign, year, plan, moved, status, demo, deadline, draft, editions, scrub } = state
  const path = `/desk/${campaign}/${year}`
  return html`<p><a href="/desk">公示日历</a></p>
${demo ? html`<p class="bad">演示数据：各版式均有标明。</p>` : ''}
<p><strong>${STATUS[status]}</strong> · 统计窗口${date(plan.window.from)}至${date(plan.window.to)} · 截数${time(plan.cut)}${deadline === null ? '' : ` · 期限${time(deadline)}，届时缺地区则暂停，可以三地先发`}</p>
${plan.override === null ? '' : html`<p>调整：${plan.override[0]}</p>`}
${moved === null ? '' : html`<p class="bad">放假安排有变，原截数${time(moved.before.cut)}。</p>`}
${missingTable(state, contacts, sees)}
${scrub !== null && !scrub.clean ? html`<p class="bad">本地副本核对发现${scrub.records.length}处差异：${scrub.records.slice(0, 10).join('、')}。请运维人员修复后自动重新核对。</p>` : ''}
${(status === 'planned' || status === 'past') && (sees.officer || sees.operator) ? runForm(path) : ''}
${draft === null ? '' : draftView(path, draft, rises, sees)}
${editions.length === 0 ? '' : html`<h2>已发布</h2>${editionsTable(editions)}`}
${editions.length > 0 && draft === null && status === 'published' && sees.approver ? afterwards(path) : ''}`
}

function missingTable({ regions, draft, status }: AnnouncementState, contacts: readonly Contact[], { region: own }: Sees): Html {
  if (status === 'planned') return html`<p>截数时间到后自动开始。</p>`
  if (status === 'past') return html`<p>截数时间已过一周以上，不再自动开始；仍可由人员开始。</p>`
  return html`<div class="scroll"><table class="wide">
<caption>缺什么、找谁</caption>
<thead><tr><th scope="col">地区</th><th scope="col">截数</th><th scope="col">完整性</th><th scope="col">复算</th><th scope="col">审核</th><th scope="col">联系</th></tr></thead>
<tbody>${REGIONS.map((region) => {
    const { cut, of, cutAt, completeness, text } = regions[region]
    const acts = draft?.regions[region]
    const late = completeness.sources.filter(({ complete }) => !complete).map(({ source }) => source)
    const known = contacts.filter((one) => one.region === region)
    const behind = known.filter(({ source }) => cut === of && late.includes(source))
    const call = behind.length > 0 ? behind : known
    const finished = cut === of && late.length === 0 && (draft === null || acts!.approved !== null)
    return html`<tr><th scope="row">${regionName(region)[0]}${region === own ? '（本地区）' : ''}</th>
<td>${cut === of ? html`<span class="ok">已截数</span> ${cutAt === null ? '' : cutAt.slice(11, 16)}` : html`<span class="bad">${cut === 0 ? '未截数' : `${cut}／${of}个分区`}</span>`}</td>
<td>${cut < of ? html`<span class="quiet">截数后可知</span>` : text === null ? html`<span class="ok">完整</span>` : html`<span class="bad">不完整</span> ${text[0]}`}</td>
<td>${acts === undefined ? html`<span class="quiet">${status === 'published' || status === 'retracted' ? '已完成' : '待草案'}</span>` : acts.missing ? html`<span class="bad">不在本版</span>` : acts.recomputed !== null ? html`<span class="ok">一致</span> ${acts.recomputed.slice(11, 16)}` : acts.dissent !== null ? html`<span class="bad">不一致</span> ${acts.dissent.why}` : acts.fault !== null ? html`<span class="bad">签名无效</span> ${acts.fault}` : html`<span class="bad">未签</span>`}</td>
<td>${acts === undefined ? html`<span class="quiet">${status === 'published' || status === 'retracted' ? '已完成' : '待草案'}</span>` : acts.missing ? html`<span class="quiet">不需要</span>` : acts.rejected !== null ? html`<span class="bad">退回</span> ${acts.rejected}` : acts.approved !== null ? html`<span class="ok">通过</span> ${acts.approved.slice(11, 16)}` : html`<span class="bad">待审核</span>`}</td>
<td>${finished ? html`<span class="quiet">不需要</span>` : call.length === 0 ? html`<span class="quiet">该地区未申报来源</span>` : call.map(({ owner, contact, source }) => html`${owner} <strong>${contact}</strong> <span class="quiet">${source}</span><br>`)}</td></tr>`
  })}</tbody>
</table></div>`
}

function draftView(path: string, draft: DraftState, rises: readonly Rise[], sees: Sees): Html {
  const { statement: { figures }, edition, by, at, approval } = draft
  const own = draft.regions[sees.region]
  return html`<h2>第${edition}版草案</h2>
<p>${regionName(by)[0]}于${time(at)}起草。 按公示版式看：${links(`/v1${path.replace('/desk/', '/desk/announcements/')}/draft?format=`)}</p>
${figures === null ? html`<p class="bad">这一版撤回此前各版，不含数字。</p>` : html`<div class="scroll"><table>
<caption>四地数字 <span class="quiet">单位：件</span></caption>
<thead><tr><th scope="col">指标</th>${REGIONS.map((region) => html`<th scope="col" class="number">${regionName(region)[0]}</th>`)}<th scope="col" class="number">合计</th></tr></thead>
<tbody>${figures.counts.map(({ definition, counts }) => html`<tr><th scope="row">${definitionOf(definition).name[0]}</th>${[...REGIONS, 'total' as const].map((place) => html`<td class="number">${counts[place] === null ? '地区缺失' : counts[place].toLocaleString('en-US')}</td>`)}</tr>`)}</tbody>
</table></div>`}
${differences(draft)}
${sees.officer && by === sees.region && own.approved === null ? tipsForm(path, draft, rises) : tipsShown(draft)}
${sees.approver && !own.missing ? html`<h2>审核</h2>
<p>${approval === null ? '须本地区两人先后通过，第二人通过后签署。' : approval.secondBy === null ? `${approval.firstBy}已通过，尚须另一人复核。` : `${approval.firstBy}、${approval.secondBy}均已通过。`}</p>
${own.recomputed === null ? html`<p class="bad">本地区尚未复算一致，现在不能通过。</p>` : own.approved !== null ? '' : html`<form method="post" action="${path}/approve"><p><button>审核通过</button></p></form>`}
${reasonForm(`${path}/reject`, 'reject', '退回，四地可见理由', '退回')}` : ''}`
}

function differences({ regions }: DraftState): Html {
  const found = REGIONS.filter((region) => regions[region].dissent !== null)
  if (found.length === 0) return html`<p class="ok">尚无地区提出不同结果。</p>`
  return html`<h3>不一致之处</h3>
${found.map((region) => {
    const { why, records, disagreements } = regions[region].dissent!
    const changes = (disagreements as readonly { readonly changes?: readonly Change[] }[]).flatMap((one) => one.changes ?? [])
    const texts = (disagreements as readonly { readonly text?: readonly string[] }[]).flatMap(({ text }) => text?.[0] ?? [])
    return html`<p><strong>${regionName(region)[0]}</strong>：${why}${texts.length === 0 ? '' : `；${texts.join('；')}`}</p>
${records.length === 0 ? '' : html`<p>涉及：<code>${records.slice(0, MOST_CHANGES).join(' ')}</code></p>`}
${changes.length === 0 ? '' : html`<div class="scroll"><table><caption>${regionName(region)[0]}与草案不同的数字</caption>
<thead><tr><th scope="col">指标</th><th scope="col">类别</th><th scope="col">地区</th><th scope="col" class="number">草案</th><th scope="col" class="number">${regionName(region)[0]}复算</th></tr></thead>
<tbody>${changes.slice(0, MOST_CHANGES).map((one) => html`<tr><th scope="row">${definitionOf(one.definition).name[0]}</th><td>${one.code ?? '全部'}</td><td>${one.region === null ? '合计' : regionName(one.region)[0]}</td><td class="number">${one.before ?? '无'}</td><td class="number">${one.after ?? '无'}</td></tr>`)}</tbody></table></div>`}`
  })}`
}

function tipsShown({ tips }: DraftState): Html {
  return html`<h2>消费提示</h2>${tips.length === 0 ? html`<p>没有提示。</p>` : html`<ol>${tips.map(({ zh, en }) => html`<li>${zh}${en === null ? '' : html` <span lang="en">${en}</span>`}</li>`)}</ol>`}`
}

function tipsForm(path: string, { tips }: DraftState, rises: readonly Rise[]): Html {
  const rows = Math.max(TIPS, tips.length)
  const given = tips.length > 0 ? tips : rises.map(({ draft: [zh, en] }) => ({ zh, en }))
  return html`<h2>消费提示</h2>
${rises.length === 0 ? html`<p>没有明显上升的类别（无可比数据，或增幅在偶然波动之内），可自行撰写。</p>` : html`<div class="scroll"><table><caption>明显上升的类别</caption>
<thead><tr><th scope="col">类别</th><th scope="col" class="number">上年同期</th><th scope="col" class="number">本期</th><th scope="col" class="number">可比天数</th></tr></thead>
<tbody>${rises.map(({ name, earlier, current, comparedDays }) => html`<tr><th scope="row">${name[0]}</th><td class="number">${earlier}</td><td class="number">${current}</td><td class="number">${comparedDays}</td></tr>`)}</tbody></table></div>
<p class="quiet">至少10件，且增幅超过偶然波动（两倍标准差）。系统只起草开头，须补充提示内容后才能保存。</p>`}
<form method="post" action="${path}/tips">
${Array.from({ length: Math.max(rows, given.length) }, (_one, at) => html`<p class="entry"><label for="zh${at}">提示${at + 1}</label><textarea id="zh${at}" name="zh" rows="2" cols="60" maxlength="300">${given[at]?.zh ?? ''}</textarea></p>
<p class="entry"><label for="en${at}">提示${at + 1}的英文（可不填）</label><textarea id="en${at}" name="en" rows="1" cols="60" maxlength="300" lang="en">${tips[at]?.en ?? ''}</textarea></p>`)}
<p><button>保存提示</button> <span class="quiet">留空的不保存。改动后各地须重新审核。</span></p>
</form>`
}

function runForm(path: string): Html {
  return html`<h2>立即开始</h2>
<form method="post" action="${path}/run">
<p><label><input type="checkbox" name="demo" value="yes"> 演示（所有版式标明演示数据）</label></p>
<p><button>开始截数</button> <span class="quiet">截数时间已过而未自动开始时使用。</span></p>
</form>`
}

function afterwards(path: string): Html {
  return html`<h2>更正</h2>
<p>只限本地区记录的经营者有误，或记录已撤销；正常办理进展不作更正。其余地区核对后签署更正版。</p>
<form method="post" action="${path}/correct">
<p class="entry"><label for="reason">原因</label><select id="reason" name="reason"><option value="wrong-trader">经营者有误</option><option value="voided">记录已撤销</option></select></p>
<p class="entry"><label for="recordId">记录编号</label><input id="recordId" name="recordId" required minlength="3" maxlength="128" size="40"></p>
<p class="entry"><label for="event">截数时的记录（JSON，撤销的必填）</label><textarea id="event" name="event" rows="4" cols="60" maxlength="20000"></textarea></p>
<p><button>提出更正</button></p>
</form>
<h2>撤回</h2>
${reasonForm(`${path}/retract`, 'retract', '撤回理由，四地可见；撤回须四地签署', '撤回公示')}`
}

function reasonForm(action: string, id: string, label: string, button: string): Html {
  return html`<form method="post" action="${action}"><p class="entry"><label for="${id}-reason">${label}</label><input id="${id}-reason" name="reason" required minlength="2" maxlength="300" size="50"></p><p><button>${button}</button></p></form>`
}
