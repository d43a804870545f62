import { CODES } from '@hub/schemas/codes'
import type { Shown, Verdict } from '../answer.ts'

/** Chinese, then English. */
export type Words = readonly [zh: string, en: string]

export const VERDICTS: Readonly<Record<Verdict, Words>> = {
  listed: ['已列入', 'Listed'],
  'not-listed': ['未查到', 'Nothing found'],
  unknown: ['暂不能确认', 'Cannot be confirmed now'],
}

export function regionWords(region: unknown): Words {
  const [zh, en] = CODES['region']!.codes[String(region)] ?? [String(region), String(region)]
  return [zh, en]
}

/** No table of effects is verified, so none is told. */
const EFFECT: Words = ['按列入机关规定办理', 'as the listing authority rules']

type Values = Readonly<Record<string, unknown>>

/** What is told of a listing, in this order; what the record leaves out is left out. */
export function listingFacts({ region, list, reachedHubAt, evidence, record }: Shown, clock: (instant: string) => string): [Words, Words][] {
  const subject = record['subject'] as Values | undefined
  return facts([
    [['名单', 'List'], [list.zh, list.en]],
    [['当事人', 'Subject'], plain(subject?.['name'])],
    [['列入事由', 'Ground'], plain(record['groundText'] ?? record['ground'])],
    [['列入机关', 'Authority'], plain(authority(record['listedBy']) ?? authority(record['authority']))],
    [['决定文号', 'Decision no.'], plain(record['decisionNo'])],
    [['列入日期', 'Listed on'], plain(record['listedOn'])],
    [['期满日期', 'Until'], plain(record['until']) ?? ['未定期限，移出前有效', 'no term; in force until removed']],
    [['公示日期', 'Published on'], plain(record['publishedOn'])],
    [['后果', 'Effects'], EFFECT],
    ...origin(region, reachedHubAt, evidence, clock),
  ])
}

/** The same of a penalty. */
export function penaltyFacts({ region, reachedHubAt, evidence, record }: Shown, clock: (instant: string) => string): [Words, Words][] {
  const penalty = record['penalty'] as Values | undefined
  const measures = (penalty?.['measures'] as readonly string[] | undefined ?? []).map((code): Words => CODES['penalty-measure']!.codes[code] ?? [code, code])
  return facts([
    [['当事人', 'Subject'], plain((record['subject'] as Values | undefined)?.['name'])],
    [['违法行为', 'Violation'], plain(penalty?.['violationText'])],
    [['处罚种类', 'Measures'], measures.length === 0 ? undefined : [measures.map(([zh]) => zh).join('、'), measures.map(([, en]) => en).join(', ')]],
    [['罚款', 'Fine'], yuan(penalty?.['fineFen'])],
    [['没收违法所得', 'Confiscated'], yuan(penalty?.['confiscatedFen'])],
    [['决定机关', 'Authority'], plain(authority(record['authority']))],
    [['决定书文号', 'Decision no.'], plain(penalty?.['decisionNo'])],
    [['决定日期', 'Decided on'], plain(penalty?.['decidedOn'])],
    [['公示截止', 'Published until'], plain(penalty?.['publicUntil'])],
    ...origin(region, reachedHubAt, evidence, clock),
  ])
}

function origin(region: unknown, reachedHubAt: string | null, { topic, partition, offset }: Shown['evidence'], clock: (instant: string) => string): [Words, Words | undefined][] {
  return [
    [['来源地区', 'Source'], regionWords(region)],
    [['到达枢纽', 'Reached the hub'], plain(reachedHubAt === null ? undefined : clock(reachedHubAt))],
    [['日志位置', 'Place on the log'], plain(`${topic}/${partition} @ ${offset}`)],
  ]
}

function facts(all: readonly [Words, Words | undefined][]): [Words, Words][] {
  return all.filter((one): one is [Words, Words] => one[1] !== undefined)
}

function plain(value: unknown): Words | undefined {
  return typeof value === 'string' && value !== '' ? [value, ''] : undefined
}

function yuan(fen: unknown): Words | undefined {
  return typeof fen === 'number' ? [`${(fen / 100).toFixed(2)} 元`, 'yuan'] : undefined
}

function authority(value: unknown): string | undefined {
  const { name, rawName } = (value ?? {}) as Values
  return (name ?? rawName ?? undefined) as string | undefined
}
