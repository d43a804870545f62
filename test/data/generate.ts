import { GB_CODES, type Region } from '@hub/schemas/streams'
import { innerCheckHolds, outerCheckHolds } from '@hub/schemas/uscc'
import { between, seeded, weighted, type Weights } from './random.ts'

/** An event in the form a publisher sends it; about 600 bytes of JSON. */
export interface ComplaintEvent {
  readonly recordId: string
  readonly version: number
  readonly kind: 'original' | 'follow-up'
  readonly state: string
  readonly [field: string]: unknown
}

// Shares of the consumer associations, first half of 2023 (domain reference 6), and of the sample's channels.
const ISSUES: Weights<string> = [['01', 36.77], ['02', 23.68], ['03', 19.04], ['04', 4.74], ['05', 4.21], ['06', 2.81], ['07', 1.35], ['08', 1.2], ['09', 0.7], ['10', 5.5]]
const OBJECTS: Weights<readonly [kind: string, codes: readonly string[]]> = [
  [['goods', ['G01', 'G02', 'G03', 'G04', 'G05', 'G06', 'G07', 'G99']], 53.3],
  [['services', ['S01', 'S02', 'S03', 'S04', 'S05', 'S06', 'S07', 'S08', 'S09', 'S10']], 44.58],
  [['other', ['X01']], 2.12],
]
const CHANNELS: Weights<string> = [['12', 26], ['20', 20], ['15', 14], ['30', 10], ['60', 10], ['11', 9], ['14', 4], ['13', 2], ['40', 2], ['50', 2], ['16', 1]]
/** What may follow a state, and how often; a complaint without followers is over. */
const NEXT: Readonly<Record<string, Weights<string>>> = {
  received: [['accepted', 88], ['refused', 8], ['transferred', 4]],
  accepted: [['mediating', 60], ['settled', 24], ['terminated', 16]],
  mediating: [['settled', 48], ['terminated', 32], ['self_settled', 9], ['withdrawn', 9], ['converted_to_case', 2]],
  settled: [['closed', 1]], terminated: [['closed', 1]], self_settled: [['closed', 1]], withdrawn: [['closed', 1]], converted_to_case: [['closed', 1]],
}
/** At most so many complaints are under way at once, others come to rest: versions of a record come some hundred events apart, as they do in life. */
const OPEN = 150
/** Share of events that begin a record: 2.7 versions each, as the source files have it. */
const NEW_SHARE = 0.37

/** `n` valid events of one region's complaints, new ones and later versions mixed; the same seed gives the same events. Seeds share no records. */
export function* complaints(n: number, seed: number, region: Region): Generator<ComplaintEvent> {
  const random = seeded(seed * 7919 + Number(GB_CODES[region]))
  const open: ComplaintEvent[] = []
  let number = 0
  for (let i = 0; i < n; i++) {
    // One event a minute from 2026-01-01 00:00 in Shanghai, wrapping after half a year: times order nothing in the hub.
    const at = Date.UTC(2025, 11, 31, 16) + (i % 250_000) * 60_000
    if (open.length === 0 || random() < NEW_SHARE) {
      const event = register(random, region, `${seed}-${++number}`, at)
      if (open.length < OPEN) open.push(event)
      else open[between(random, 0, OPEN - 1)] = event
      yield event
    } else {
      const chosen = between(random, 0, open.length - 1)
      const event = advance(random, open[chosen]!, at)
      open[chosen] = event
      if (NEXT[event.state] === undefined) open.splice(chosen, 1)
      yield event
    }
  }
}

function register(random: () => number, region: Region, number: string, at: number): ComplaintEvent {
  const division = `${GB_CODES[region]}${region === 'sh' ? '01' : `0${between(random, 1, 9)}`}${String(between(random, 1, 20)).padStart(2, '0')}`
  const [kind, codes] = weighted(random, OBJECTS)
  const firm = between(random, 1, 20_000)
  const online = random() < 0.65
  return {
    recordId: `12315-${region}/L${number}`,
    version: 1,
    kind: 'original',
    authority: { rawName: `${division.slice(2)}号区市场监督管理局` },
    occurredOn: dayOf(at),
    recordedAt: instantOf(at),
    state: 'received',
    registeredOn: dayOf(at),
    registeredAt: instantOf(at),
    handlingDivision: division,
    respondent: { name: `${'云栖江畔太湖皖南浦东之江'.slice((firm % 6) * 2, (firm % 6) * 2 + 2)}${firm}商贸有限公司`, uscc: codeOf(division, firm), division, region, entityType: 'enterprise' },
    ...(online && { platform: { name: ['喵舍商城', '橙隅外卖', '闪橘到家', '集巷网购'][firm % 4] } }),
    object: { kind, code: codes[between(random, 0, codes.length - 1)] },
    issue: { code: weighted(random, ISSUES) },
    channel: { code: weighted(random, CHANNELS) },
    disputedFen: Math.round(10 ** (3 + random() * 3.5)),
    online,
  }
}

function advance(random: () => number, before: ComplaintEvent, at: number): ComplaintEvent {
  const state = weighted(random, NEXT[before.state]!)
  const outcome = before.state === 'accepted' || before.state === 'mediating'
  return {
    ...before,
    version: before.version + 1,
    kind: 'follow-up',
    occurredOn: dayOf(at),
    recordedAt: instantOf(at),
    state,
    ...(state === 'accepted' && { acceptedOn: dayOf(at), verified: before['respondent'] }),
    ...(state === 'refused' && { refusalGround: String(between(random, 1, 6)) }),
    ...(outcome && state !== 'mediating' && { mediationOutcome: state, mediationEndedOn: dayOf(at), recoveredFen: state === 'settled' ? Math.round((before['disputedFen'] as number) * random()) : 0 }),
    ...(state === 'closed' && { closedOn: dayOf(at), publication: 'published', publishedOn: dayOf(at) }),
  }
}

/** A credit code of the unissued series 99 with both its check characters. */
function codeOf(division: string, firm: number): string {
  const body = `91${division}99${String(firm).padStart(6, '0')}`
  const inner = [...'0123456789X'].find((check) => innerCheckHolds(`${body}${check}0`))!
  return `${body}${inner}${[...'0123456789ABCDEFGHJKLMNPQRTUWXY'].find((check) => outerCheckHolds(`${body}${inner}${check}`))!}`
}

function instantOf(at: number): string {
  return `${new Date(at + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`
}

function dayOf(at: number): string {
  return instantOf(at).slice(0, 10)
}
