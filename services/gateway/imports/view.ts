import { SHAPES } from '@hub/connectors/shapes/index'
import { html, type Html } from '@hub/runtime/page'
import type { Live } from './live.ts'
import type { PreviewRow } from './tools.ts'
import { flagText, problemsOf, rowReport, ruleText, VERDICT_NAMES } from './report.ts'
import type { ImportRow, State, ToldRow } from './store.ts'

const STATE_TEXTS: Readonly<Record<State, readonly [zh: string, en: string]>> = {
  received: ['已接收，等待处理', 'taken in, waits for its turn'],
  running: ['正在处理', 'under way'],
  'waiting-confirmation': ['待确认：尚未发布任何内容', 'waits for your confirmation: nothing is published yet'],
  reverting: ['正在撤销', 'being taken back'],
  done: ['已完成', 'done'],
  failed: ['未完成', 'not completed'],
  reverted: ['已撤销', 'taken back'],
}

/** Of a complete list that would end many records. */
const ABSENCE_TEXT: readonly [zh: string, en: string] = ['待确认：新的行已导入', 'waits for your confirmation: its rows are in']

/** Texts of a row that are shown: how many, and how long each. */
const PREVIEW_TEXTS = 12
const PREVIEW_LENGTH = 40

export function importForm(sources: readonly string[]): Html {
  const known = sources.filter((source) => source !== '*')
  const source = sources.includes('*') || known.length === 0
    ? html`<input id="source" name="source" required maxlength="40" pattern="[a-z0-9][a-z0-9._\\-]*" autocomplete="off">`
    : html`<select id="source" name="source">${known.map((one) => html`<option>${one}</option>`)}</select>`
  return html`<p>选择文件后先识别并试运行，经您确认才会发布。文件在导入结束后删除。<br><span lang="en" class="quiet">A file is recognised and rehearsed first, and published only after you have confirmed it. It is deleted when the import has ended.</span></p>
<form method="post" action="/import" enctype="multipart/form-data">
<div class="entry"><label for="source">来源系统 · Source system</label>${source}</div>
<div class="entry"><label for="encoding">编码 · Encoding</label><select id="encoding" name="encoding"><option value="">自动判断 · told by the file</option><option>utf-8</option><option>gb18030</option></select></div>
<div class="entry"><label for="delimiter">CSV 分隔符 · Separator of a CSV</label><select id="delimiter" name="delimiter"><option value="">自动判断 · told by the file</option><option value="comma">,</option><option value="semicolon">;</option><option value="tab">Tab</option></select></div>
<div class="entry"><label for="file">文件（CSV、XLSX、NDJSON、JSON、通告正文） · File</label><input id="file" name="file" type="file" required></div>
<p><button>上传并识别 · Upload and recognise</button></p>
<p><button formaction="/import/marked" class="second">下载标出问题的工作簿 · Workbook with the problems marked</button></p>
<p class="quiet">工作簿只作试运行：每行的结果和处理办法在旁，有问题的单元格标色；不发布，也不保留。<br><span lang="en">The workbook is a rehearsal: verdict and remedy beside each row, offending cells coloured. Nothing is published or kept.</span></p>
</form>`
}

export function importList(rows: readonly ImportRow[]): Html {
  if (rows.length === 0) return html`<p class="quiet">还没有导入。· No imports yet.</p>`
  return html`<h2>最近的导入 · Latest imports</h2><div class="scroll"><table><thead><tr><th scope="col">时间 · Time</th><th scope="col">来源 · Source</th><th scope="col">文件 · File</th><th scope="col">状态 · State</th><th scope="col" class="number">行 · Rows</th><th scope="col" class="number">拒绝 · Refused</th></tr></thead><tbody>
${rows.map((row) => html`<tr><td>${timeOf(row.received)}</td><td>${row.source}</td><td><a href="/import/${row.id}">${row.file}</a></td><td class="${classOf(row.state)}">${both(STATE_TEXTS[row.state])}</td><td class="number">${row.figures.rows}</td><td class="number">${row.figures.verdicts.refused ?? 0}</td></tr>`)}
</tbody></table></div>`
}

/** One import: what it was recognised as, what its rows came to, and what can be done. `preview` is of the one who imports, and of this answer alone. */
export function importView(row: ImportRow, live: Live, told: readonly ToldRow[], preview: readonly PreviewRow[]): Html {
  const absence = row.state === 'waiting-confirmation' && row.problem === 'many-absent'
  const shape = SHAPES.find(({ id }) => id === row.shape)
  const reason = row.recognised?.reason ?? live.told?.reason
  const figures = row.state === 'running' ? live.figures ?? row.figures : row.figures
  const unmapped = live.told?.unmapped ?? []
  return html`<p class="${classOf(row.state)}" role="status">${both(absence ? ABSENCE_TEXT : STATE_TEXTS[row.state])}${row.problem === null ? '' : html` – ${both(ruleText(row.problem))}`}</p>
<table><tbody>
<tr><th scope="row">文件 · File</th><td>${row.file}（${Number(row.bytes)} B）</td></tr>
<tr><th scope="row">来源 · Source</th><td>${row.source}</td></tr>
<tr><th scope="row">形式 · Shape</th><td>${shape === undefined ? '–' : both(shape.title)}</td></tr>
${shape === undefined ? '' : html`<tr><th scope="row">版本 · Version</th><td>${both(shape.version)}</td></tr>`}
${reason === undefined ? '' : html`<tr><th scope="row">识别依据 · Why</th><td>${both(reason)}</td></tr>`}
${row.repeats === null ? '' : html`<tr><th scope="row">内容 · Content</th><td>与此前的导入相同，未发布任何内容 · the same as <a href="/import/${row.repeats}">an import before</a>: nothing was published</td></tr>`}
</tbody></table>
${row.recognised === null || row.recognised.columns.length === 0 ? '' : html`<h2>列的对应 · Columns</h2><div class="scroll"><table><thead><tr><th scope="col">文件中的列 · Column of the file</th><th scope="col">字段 · Field</th></tr></thead><tbody>
${row.recognised.columns.map(({ field, column }) => html`<tr><td>${column}</td><td><code>${field}</code></td></tr>`)}
${unmapped.map((column) => html`<tr><td>${column}</td><td class="quiet">不读取 · not read</td></tr>`)}
</tbody></table></div>`}
<h2>${(row.state === 'waiting-confirmation' && !absence) || row.dryRun ? '试运行结果 · Rehearsal' : '结果 · Results'}</h2>
<table><thead><tr><th scope="col">结果 · Verdict</th><th scope="col" class="number">行 · Rows</th></tr></thead><tbody>
${Object.entries(figures.verdicts).map(([verdict, rows]) => html`<tr><td>${both(VERDICT_NAMES[verdict] ?? [verdict, verdict])}</td><td class="number">${rows}</td></tr>`)}
<tr><th scope="row">合计 · Total</th><td class="number">${figures.rows}</td></tr>
</tbody></table>
${Object.keys(figures.flags).length === 0 ? '' : html`<h2>存疑 · Doubtful</h2><table><tbody>${Object.entries(figures.flags).map(([flag, rows]) => html`<tr><td>${both(flagText(flag))}</td><td class="number">${rows}</td></tr>`)}</tbody></table>`}
${preview.length === 0 ? '' : html`<h2>前 ${preview.length} 行 · The first rows</h2><p class="quiet">仅在此次回答中显示，不保留。· Shown in this answer alone, and not kept.</p><div class="scroll"><table><thead><tr><th scope="col" class="number">行 · Row</th><th scope="col">结果 · Verdict</th><th scope="col">内容 · Content</th></tr></thead><tbody>
${preview.map(({ place, verdict, event, problems }) => html`<tr><td class="number">${place.sheet === undefined ? '' : `${place.sheet}!`}${place.row}</td><td>${both(VERDICT_NAMES[verdict] ?? [verdict, verdict])}</td><td>${problems === null ? event === undefined ? '–' : contentOf(event) : problemTexts(problems)}</td></tr>`)}
</tbody></table></div>`}
${told.length === 0 ? '' : html`<h2>有问题的行 · Rows to look at</h2><div class="scroll"><table><thead><tr><th scope="col">表 · Sheet</th><th scope="col" class="number">行 · Row</th><th scope="col">结果 · Verdict</th><th scope="col">列 · Column</th><th scope="col">说明 · What</th></tr></thead><tbody>
${told.map(rowReport).map(({ sheet, row: at, verdict, flags, problems }) => html`<tr><td>${sheet ?? '–'}</td><td class="number">${at}</td><td>${both(VERDICT_NAMES[verdict] ?? [verdict, verdict])}</td><td>${problems.map(({ column }) => column).filter(Boolean).join('、') || '–'}</td><td>${[...problems.map(({ zh, en, expected }) => `${zh} · ${en}${expected === '' ? '' : `（${expected}）`}`), ...flags.map(({ zh, en }) => `${zh} · ${en}`)].map((text) => html`${text}<br>`)}</td></tr>`)}
</tbody></table></div>`}
${absence ? html`<p>名单未再列出 ${row.absent ?? 0} 条记录。 <span lang="en" class="quiet">${row.absent ?? 0} records are not named any more.</span></p><form method="post" action="/import/${row.id}/confirm"><p><button>确认这些记录已终结 · They have ended</button></p></form><form method="post" action="/import/${row.id}/cancel"><p><button class="second">都不终结 · Leave them</button></p></form>` : row.state === 'waiting-confirmation' ? html`<form method="post" action="/import/${row.id}/confirm"><p><button>确认并发布 · Confirm and publish</button></p></form><form method="post" action="/import/${row.id}/cancel"><p><button class="second">放弃 · Give up</button></p></form>` : ''}
${row.state === 'done' && !row.dryRun && figures.events > 0 ? html`<form method="post" action="/import/${row.id}/revert"><p>撤销此次导入新建且此后未变的记录 · Void the records that this import created and that nothing has changed since</p><p><button class="second">撤销 · Take back</button></p></form>` : ''}
<p><a href="/import">返回 · Back</a></p>`
}

function problemTexts(problems: string): Html {
  return html`${problemsOf(problems).map(({ column, zh, en }) => html`${column === '' ? '' : `${column}：`}${zh} <span lang="en" class="quiet">${en}</span><br>`)}`
}

/** What an event says, in short. */
function contentOf(event: Readonly<Record<string, unknown>>): string {
  const texts: string[] = []
  const walk = (value: unknown): void => {
    if (texts.length >= PREVIEW_TEXTS || value === null || value === undefined) return
    if (typeof value === 'object') for (const inner of Object.values(value)) walk(inner)
    else texts.push(String(value).slice(0, PREVIEW_LENGTH))
  }
  walk(event)
  return texts.join(' · ')
}

function both([zh, en]: readonly [zh: string, en: string, ...more: string[]]): Html {
  return html`${zh} <span lang="en" class="quiet">${en}</span>`
}

function classOf(state: State): string {
  return state === 'done' || state === 'reverted' ? 'ok' : state === 'failed' ? 'bad' : 'quiet'
}

function timeOf(at: Date): string {
  return new Intl.DateTimeFormat('zh-CN', { dateStyle: 'short', timeStyle: 'medium', timeZone: 'Asia/Shanghai' }).format(at)
}
