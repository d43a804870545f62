import { html, type Html } from '@hub/runtime/page'
import { CODES } from '@hub/schemas/codes'
import { instantText } from '@hub/schemas/record-json'
import { DATA_STREAMS, REGIONS, STREAM_TITLES, type Region } from '@hub/schemas/streams'
import type { Sameness, Standing, Summary, TopicStanding } from './convergence.ts'

/** Older than this, an answer says how old it is. */
const RECENT_MS = 5 * 60_000

/** The body of the page that answers an officer: are we the same, up to when, since when. */
export function convergenceBody(summary: Summary, here: Region, now: number): Html {
  const { scrub } = summary
  return html`<p class="${tone(summary)}">${sentence(summary, now)}</p>
<p>${advice(summary)}</p>
${summary.reason === null ? '' : html`<p class="quiet">${summary.reason}</p>\n`}<div class="scroll"><table>
<caption>按数据流和发布地区 <span lang="en" class="quiet">by stream and by the region that publishes</span></caption>
<thead><tr><th scope="col">数据流 <span lang="en">stream</span></th>${REGIONS.map((region) => html`<th scope="col">${nameOf(region)}</th>`)}</tr></thead>
<tbody>${DATA_STREAMS.map((stream) => html`<tr><th scope="row">${STREAM_TITLES[stream].zh} <span lang="en" class="quiet">${STREAM_TITLES[stream].en}</span></th>${REGIONS.map((origin) => html`<td>${cell(summary.topics.find((topic) => topic.stream === stream && topic.origin === origin), summary, now)}</td>`)}</tr>`)}</tbody>
</table></div>
<h2>各地最近一次校验点 <span lang="en">Newest checkpoint of each region</span></h2>
<table>
<thead><tr><th scope="col">地区 <span lang="en">region</span></th><th scope="col">时间 <span lang="en">time</span></th></tr></thead>
<tbody>${summary.regions.map(({ region, at, silent }) => html`<tr><th scope="row">${nameOf(region)}${region === here ? '（本地）' : ''}</th><td>${at === null ? '尚无 · none yet' : time(at)}${silent && at !== null ? html` <span class="bad">此后没有消息 · silent since</span>` : ''}</td></tr>`)}</tbody>
</table>
<h2>${nameOf(here)}副本逐行核对 <span lang="en">Every row of this replica</span></h2>
<p>${scrub.different > 0 ? html`<span class="bad">${scrub.different} 个分区与日志不符且未能修复 · ${scrub.different} partitions are not what the log makes of them</span>`
  : scrub.oldest === null ? `第一遍尚未完成：${scrub.looked} / ${scrub.partitions} 个分区 · the first pass is under way`
  : html`<span class="ok">全部 ${scrub.rows} 行与日志一致，最早一次核对于 ${time(scrub.oldest)}</span> <span lang="en">every row was looked at since then</span>`}</p>`
}

/** What is as the whole is says so in one word; anything else says since when, and why. */
function cell(topic: TopicStanding | undefined, whole: Standing, now: number): Html {
  if (topic === undefined) return html`<span class="quiet">–</span>`
  const asWhole = topic.verdict === 'unknown' || (topic.verdict === 'equal' && topic.asOf !== null && whole.asOf !== null && topic.asOf >= whole.asOf)
  return html`<span class="${tone(topic)}">${asWhole ? NAMES[topic.verdict] : sentence(topic, now)}</span>${topic.reason === null || topic.reason === whole.reason ? '' : html`<br><span class="quiet">${topic.reason}</span>`}`
}

const NAMES: Readonly<Record<Sameness, string>> = { equal: '一致', behind: '落后', unknown: '尚无法比较', 'parked sets differ': '搁置的事件不同', different: '不一致' }

/** One standing in words. */
function sentence({ verdict, asOf, since }: Standing, now: number): string {
  const upTo = asOf === null ? '' : `截至 ${time(asOf)}${now - asOf.getTime() > RECENT_MS ? `（${Math.round((now - asOf.getTime()) / 60_000)} 分钟前）` : ''}`
  const from = since === null ? '' : `自 ${time(since)}`
  switch (verdict) {
    case 'equal': return parts(NAMES[verdict], upTo, from && `${from}起未见差异`)
    case 'behind': return parts(NAMES[verdict], upTo && `${upTo}一致`)
    default: return parts(NAMES[verdict], from)
  }
}

function advice({ verdict }: Standing): string {
  switch (verdict) {
    case 'equal': return '四地的副本经逐分区摘要比对完全相同。 · The four replicas are the same, proven partition by partition.'
    case 'behind': return '已比对的部分完全相同，有地区尚未追上；通常会自行恢复。 · What was compared is the same; a region has yet to catch up.'
    case 'unknown': return '还没有可比的共同位置。各地每分钟记一次校验点，启动后通常在两分钟内可比。 · There is nothing to compare yet: every region writes a checkpoint each minute, so after a start it takes about two.'
    case 'parked sets differ': return '各地搁置的坏事件不同，请联系运维。 · The regions set aside different events: call the operator.'
    case 'different': return '请联系运维按 docs/runbooks/not-equal.md 处理；联合公告请暂缓使用下列标为“不一致”的数据。 · Call the operator; hold back joint figures from the data marked below.'
  }
}

function tone({ verdict }: Standing): string {
  return verdict === 'equal' ? 'ok' : verdict === 'behind' || verdict === 'unknown' ? 'quiet' : 'bad'
}

function parts(...texts: readonly string[]): string {
  return texts.filter(Boolean).join('，')
}

function nameOf(region: Region): string {
  return CODES['region']!.codes[region]![0]
}

/** `2026-03-15 09:30` in Asia/Shanghai. */
function time(at: Date): string {
  return instantText(at.getTime()).slice(0, 16).replace('T', ' ')
}
