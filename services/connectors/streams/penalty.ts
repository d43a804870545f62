import { fenOf } from '../normalise/money.ts'
import { present } from '../present.ts'
import type { Authority } from '../reference/authorities.ts'
import type { EventInput } from '../event-input.ts'

const MEASURES: readonly (readonly [words: RegExp, measure: string])[] = [
  [/警告/, 'warning'], [/通报批评/, 'criticism'], [/罚款/, 'fine'], [/没收/, 'confiscation'], [/停产停业/, 'suspension'], [/吊销/, 'licence-revoked'], [/限制.*从业/, 'trade-ban'],
]

/** The contract's fields of a decision; of its text only kinds and sums of the penalty are kept. Dates `YYYY-MM-DD`. */
export function penalty(decisionNo: string, decidedOn: string, violationText: string | undefined, content = ''): Readonly<Record<string, unknown>> {
  const measures = MEASURES.filter(([words]) => words.test(content)).map(([, measure]) => measure)
  return present({
    decisionNo, decidedOn, violationText, measures: measures.length === 0 && content !== '' ? ['other'] : measures,
    fineFen: sumOf(content, /罚款([\d,.]+万?元)/), confiscatedFen: sumOf(content, /没收违法所得([\d,.]+万?元)/),
  })
}

export interface PenaltyFacts {
  readonly subject: Readonly<Record<string, unknown>>
  readonly authority: Authority | undefined
  readonly penalty: Readonly<Record<string, unknown>>
  readonly publishedOn?: string | undefined
  readonly repaired: boolean
}

/** A decision as an event; a repaired one ends at once, and nothing of it is told. */
export function penaltyEvent(recordId: string, { subject, authority, penalty: content, publishedOn, repaired }: PenaltyFacts): EventInput {
  const occurredOn = content['decidedOn']
  if (repaired) return present({ recordId, kind: 'repair', authority, occurredOn })
  return present({ recordId, kind: 'original', authority, occurredOn, recordType: 'penalty', listType: 'penalty', subject, penalty: content, publication: 'published', publishedOn })
}

function sumOf(content: string, pattern: RegExp): number | undefined {
  const text = pattern.exec(content)?.[1]
  return text === undefined ? undefined : fenOf(text)
}
