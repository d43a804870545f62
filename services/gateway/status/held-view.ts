import { html, type Html } from '@hub/runtime/page'
import type { Held } from './held.ts'
import { clock } from './words.ts'

/** Imports that a person is asked about, and removals whose listing has not come. */
export function heldView({ imports, records }: Held): Html {
  if (imports.length + records.length === 0) return html``
  return html`<h2>等待处理 <span lang="en">Waiting</span></h2>
${imports.length === 0 ? '' : html`<div class="scroll"><table>
<thead><tr><th scope="col">导入 <span lang="en">Import</span></th><th scope="col">待确认 <span lang="en">What is asked</span></th></tr></thead>
<tbody>${imports.map(({ id, source, file, received, problem, absent }) => html`<tr><th scope="row"><a href="/import/${id}">${file}</a><br><code>${source}</code>，${clock(received)}</th><td>${problem === 'many-absent'
    ? html`名单未再列出 ${absent ?? 0} 条记录：是否已终结？在确认之前，此次交付不完整。 <span lang="en">${absent ?? 0} records are not named any more: have they ended? Until then it is no hand-over.</span>`
    : html`识别的形式是否正确？尚未发布。 <span lang="en">Is it what it was recognised as? Nothing is published yet.</span>`}</td></tr>`)}</tbody>
</table></div>`}
${records.map(({ source, count, some }) => html`<p><code>${source}</code>：${count} 条记录有移出而无列入，列入到达后自动生效。 <span lang="en">${count} records were removed and never listed; they apply when the listing comes.</span><br>
<span class="quiet">${some.map((id, i) => html`${i === 0 ? '' : '、'}<code>${id}</code>`)}${count > some.length ? ' …' : ''}</span></p>`)}`
}
