import { html, type Html } from '@hub/runtime/page'
import type { SourceView } from '../sources/overview.ts'
import type { SourceState } from '../sources/standing.ts'
import { clock, regionName, streamName } from './words.ts'

/** What an officer acts on comes first. */
const ORDER: readonly SourceState[] = ['overdue', 'undeclared', 'arriving', 'never', 'fresh']

/** The sources of the four regions: who answers for each, and whether it still delivers. */
export function sourcesView(sources: readonly SourceView[]): Html {
  const rows = sources.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))
  return html`<h2>来源系统 <span lang="en">Sources</span></h2>
${rows.length === 0 ? html`<p>四地均未申报来源系统。 <span lang="en">No region has declared a source.</span></p>` : html`<div class="scroll"><table>
<thead><tr><th scope="col">来源系统 <span lang="en">Source</span></th><th scope="col">状态 <span lang="en">State</span></th><th scope="col">最近一次完整交付 <span lang="en">Last hand-over</span></th><th scope="col">责任单位与值班电话 <span lang="en">Whom to call</span></th></tr></thead>
<tbody>${rows.map((one) => html`<tr><th scope="row">${regionName(one.region)}<br><code>${one.source}</code></th><td>${stateText(one)}<br>${one.streams.map((stream, i) => html`${i === 0 ? '' : '、'}${streamName(stream)}`)}</td><td>${handOverText(one)}</td><td>${one.declaration === null ? '—' : html`${one.declaration.owner}<br>${one.declaration.contact}`}</td></tr>`)}</tbody>
</table></div>`}`
}

function stateText({ state, overdueSince, arrivingSince, declaration }: SourceView): Html {
  switch (state) {
    case 'fresh': return html`<span class="ok">正常</span>，下一次应在 ${clock(declaration!.dueAt)} 前 <span lang="en">fresh</span>`
    case 'arriving': return html`已交付，自 ${clock(arrivingSince!)} 起在途 <span lang="en">handed over, on its way</span>`
    case 'overdue': return html`<span class="bad">逾期</span>，自 ${clock(overdueSince!)} 起 <span lang="en">overdue since then</span>`
    case 'never': return html`<span class="quiet">尚未交付</span>，应在 ${clock(declaration!.dueAt)} 前 <span lang="en">nothing yet</span>`
    case 'undeclared': return html`<span class="bad">未申报</span>，无人负责 <span lang="en">records without a declaration</span>`
  }
}

function handOverText({ lastHandOver, baselineCompleteAt }: SourceView): Html {
  if (lastHandOver === null) return html`—`
  const { at, rows, way } = lastHandOver
  return html`${clock(at)}，${way === 'import' ? '文件' : '接口'}${rows === null ? '' : `，${rows.toLocaleString('en')} 行`}${baselineCompleteAt === null ? html`<br><span class="quiet">首次全量未完成 <span lang="en">first complete load outstanding</span></span>` : ''}`
}
