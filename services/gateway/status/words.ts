import { html, type Html } from '@hub/runtime/page'
import { CODES } from '@hub/schemas/codes'
import type { DataStream } from '@hub/schemas/streams'

const STREAMS: Readonly<Record<DataStream, string>> = {
  complaint: '消费投诉', 'credit-blacklist': '信用名单与处罚', 'inspection-failure': '抽检不合格', recall: '召回', tally: '举报咨询统计',
}

export function streamName(stream: string): Html {
  return html`${STREAMS[stream as DataStream] ?? stream} <span lang="en" class="quiet">${stream}</span>`
}

export function regionName(region: string): Html {
  const [zh, en] = CODES['region']!.codes[region]!
  return html`${zh} <span lang="en" class="quiet">${en}</span>`
}

const CLOCK = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai', dateStyle: 'short', timeStyle: 'medium' })

/** In Asia/Shanghai. */
export function clock(at: Date): Html {
  return html`<time datetime="${at.toISOString()}">${CLOCK.format(at)}</time>`
}
