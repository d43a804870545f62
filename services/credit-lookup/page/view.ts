import { html, type Html } from '@hub/runtime/page'
import type { Shown } from '../answer.ts'
import { setImmediate } from 'node:timers/promises'
import { AT_ONCE, clock, MOST_CODES, type Line, type Result } from './result.ts'
import { listingFacts, penaltyFacts, regionWords, VERDICTS, type Words } from './words.ts'

export const TITLE = '信用名单查询 · Credit list lookup'

/** What the page has for people beside its form. */
export interface View {
  readonly result?: Result
  /** Why nothing was asked. */
  readonly alert?: string
  /** `data:` of the workbook of `result`. */
  readonly workbook?: string
}

/** The page under its heading. Whatever was pasted and is no code is not in it. */
export function view({ result, alert, workbook }: View): Html {
  return html`<p class="lead">查询一个主体现在是否在上海、江苏、浙江、安徽公示的<strong>经营异常名录、严重违法失信名单</strong>或<strong>个体工商户经营异常状态</strong>中。 <span class="en" lang="en">Is a firm or sole trader on a credit list that one of the four regions has published?</span></p>
${alert === undefined ? '' : html`<p class="alert" role="alert">${alert}</p>`}
${form(result)}
${result === undefined ? '' : answers(result, workbook)}
${notes(result?.withoutCode)}`
}

function form(result: Result | undefined): Html {
  const asked = result?.lines.flatMap((line) => (line.wrong === undefined ? [line.asked] : [])) ?? []
  return html`<form class="ask" method="post" action="/credit#result" autocomplete="off">
<label for="codes">统一社会信用代码 <span class="en" lang="en">Unified social credit codes</span></label>
<p id="hint">一行一个，一次最多 ${MOST_CODES} 个；也可输入 15 位注册号。请勿输入公民身份号码。 <span class="en" lang="en">One a line, at most ${MOST_CODES}; 15-digit registration numbers too. Never a person's identity number.</span></p>
<textarea id="codes" name="codes" rows="${Math.min(8, Math.max(3, asked.length + 1))}" required spellcheck="false" aria-describedby="hint" placeholder="91310000132260250X">${asked.join('\n')}</textarea>
<p><button>查询 · Look up</button></p>
</form>`
}

function answers(result: Result, workbook: string | undefined): Html {
  const { number, region, moment, lines, proof } = result
  return html`<section id="result" tabindex="-1" aria-labelledby="result-heading">
<h2 id="result-heading">查询结果 ${english('Result')}</h2>
<dl class="facts">
${fact(['查询编号', 'Number'], html`<strong>${number}</strong>`)}
${fact(['查询时间', 'Asked at'], html`${clock(moment.at)} 北京时间 ${english('Beijing time')}`)}
${fact(['作答地区', 'Answered in'], both(regionWords(region)))}
${fact(['结果', 'Outcome'], outcome(lines))}
</dl>
<p class="tools">${workbook === undefined ? '' : html`<a download="credit-${number}.xlsx" href="${workbook}">下载本结果（XLSX） ${english('Download as XLSX')}</a>`}${proof === undefined ? '' : html`<a download="credit-${number}.jws" href="data:application/jose;base64,${Buffer.from(proof).toString('base64')}">下载技术凭证（JWS，非电子印章） ${english('Download the technical proof')}</a>`}<span class="quiet">打印：用浏览器的打印功能，A4 ${english("Print with the browser's own command, A4")}</span></p>
${cards(lines)}
${reach(result)}
${proof === undefined ? '' : html`<p class="quiet">离线核验技术凭证 ${english('verify the proof offline')}：<code>hub verify-answer credit-${number}.jws --keys &lt;folder&gt;</code></p>`}
</section>`
}

function outcome(lines: readonly Line[]): Html {
  const count = (verdict: string): number => lines.filter((line) => line.wrong === undefined && line.said.verdict === verdict).length
  const wrong = lines.filter((line) => line.wrong !== undefined).length
  const told = Object.entries(VERDICTS).map(([verdict, [zh]]) => `${zh} ${count(verdict)}`)
  return html`${[...told, ...(wrong === 0 ? [] : [`输入有误 ${wrong}`])].join('，')} ${english(`${lines.length} in all`)}`
}

/** In slices, for others are being answered meanwhile. */
async function cards(lines: readonly Line[]): Promise<Awaited<Html>> {
  const made: Awaited<Html>[] = []
  for (const line of lines) {
    made.push(await card(line))
    if (made.length % AT_ONCE === 0) await setImmediate()
  }
  return html`${made}`
}

function card(line: Line): Html {
  if (line.wrong !== undefined) {
    return html`<article class="card"><h3><span>第 ${line.at} 项 ${english(`entry ${line.at}`)}</span> <span class="verdict">输入有误 ${english('Not a code')}</span></h3><p>${line.wrong}</p></article>`
  }
  const { asked, said: { verdict, flags, listings, penalties, incomplete } } = line
  return html`<article class="card ${verdict}"><h3><code>${asked}</code> <span class="verdict">${both(VERDICTS[verdict])}</span></h3>
${flags.length === 0 ? '' : html`<p><strong>校验位不符，请核对是否抄写有误；仍按所输入的代码查询。</strong> ${english('A check character does not hold: look for a copying error. It was looked up as given.')}</p>`}
${verdict === 'not-listed' ? html`<p>四地数据在下列截至时间均完整，未查到现行公示的列入。这不是“合格”证明。 ${english('All four regions are complete as of the times below, and no published listing is in force. This is no certificate of good standing.')}</p>` : ''}
${verdict === 'unknown' ? html`<p>未查到，但以下情况使我们不能断定未被列入，请稍后再查。 ${english('Nothing found, but it cannot be said that nothing is listed. Try again later.')}</p>` : ''}
${verdict === 'listed' && incomplete.length > 0 ? html`<p>以下地区的数据不完整，可能另有列入。 ${english('These regions are not complete and may list more.')}</p>` : ''}
${verdict === 'not-listed' || incomplete.length === 0 ? '' : html`<ul>${incomplete.map(({ region, doubts }) => doubts.map(({ text }) => html`<li><strong>${regionWords(region)[0]}</strong>：${text}</li>`))}</ul>`}
${listings.map((one, n) => shown(listings.length === 1 ? ['列入', 'Listing'] : [`列入 ${n + 1}`, `Listing ${n + 1}`], one, listingFacts))}
${penalties.map((one) => shown(['行政处罚（仅供参考，不影响上述结论）', 'Penalty: a fact beside, never the verdict'], one, penaltyFacts))}
</article>`
}

function shown(heading: Words, one: Shown, facts: typeof listingFacts): Html {
  return html`<h4>${both(heading)}</h4><dl class="facts">${facts(one, clock).map(([name, value]) => fact(name, both(value)))}</dl>`
}

function reach({ moment: { at, asOf } }: Result): Html {
  return html`<h2 id="reach">数据截至 ${english('How far the data reaches')}</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="reach"><table>
<thead><tr><th scope="col">地区 ${english('Region')}</th><th scope="col">数据 ${english('Data')}</th><th scope="col">位置时间 ${english('Position of')}</th><th scope="col">名单来源：最近一次完整交付 ${english('Source of lists: last complete hand-over')}</th></tr></thead>
<tbody>${asOf.map(({ region, complete, transportAgeSeconds, sources }) => html`<tr><th scope="row">${both(regionWords(region))}</th><td class="${complete ? '' : 'bad'}">${complete ? '完整' : '不完整'} ${english(complete ? 'complete' : 'incomplete')}</td><td>${transportAgeSeconds === null ? html`尚无 ${english('none yet')}` : clock(new Date(Date.parse(at) - transportAgeSeconds * 1000).toISOString())}</td><td>${sources.length === 0 ? html`没有申报来源 ${english('no source declared')}` : sources.map(({ source, lastHandOver }) => html`<div>${source}：${lastHandOver === null ? '尚无 · none yet' : clock(lastHandOver)}</div>`)}</td></tr>`)}</tbody>
</table></div>`
}

function notes(withoutCode: number | undefined): Html {
  return html`<section aria-labelledby="notes"><h2 id="notes">使用须知 ${english('Please note')}</h2>
<ul class="notes">
<li>只含四地已公示、现行有效的列入。<strong>登记在其他地区、由其他地区列入的，不在其内。</strong> ${english('Published listings of the four regions alone. What other regions list, firms registered elsewhere among them, is not covered.')}</li>
<li>没有可用统一社会信用代码的记录无法按代码查到${withoutCode === undefined ? '' : html`，现有 <strong>${withoutCode}</strong> 条（含行政处罚）`}。 ${english(`Records without a usable code are not found by one${withoutCode === undefined ? '' : `; there are ${withoutCode} now, penalties included`}.`)}</li>
<li>结果与“信用中国”或国家企业信用信息公示系统不一致的，以其为准；二者不一致的，以“信用中国”为准。 ${english('Where Credit China or the National Enterprise Credit Information Publicity System says otherwise, they prevail; between the two, Credit China.')}</li>
<li>“未查到”不等于合格；结论只对查询时刻有效，已移出、修复的不再显示。 ${english('“Nothing found” is not good standing. It holds for the moment of asking; what was removed or repaired is no longer shown.')}</li>
<li>输入的内容不保存；形似公民身份号码的不查询、不显示、不记录。 ${english('What you enter is not kept; what looks like an identity number is not looked up, shown or logged.')}</li>
</ul></section>`
}

function fact(name: Words, value: Html): Html {
  return html`<dt>${both(name)}</dt><dd>${value}</dd>`
}

function both([zh, en]: Words): Html {
  return html`${zh}${en === '' || en === zh ? '' : html` ${english(en)}`}`
}

function english(text: string): Html {
  return html`<span class="en" lang="en">${text}</span>`
}
