import { join } from 'node:path'
import type { Region } from '@hub/schemas/streams'
import { day, divisionOf, fen, given, instant, party, present, readCsv, readText, spread, type Event, type Row, type SampleLine } from './read.ts'

/** A version of a complaint as its system exports it, named alike; the complainant is left behind here. */
interface Version {
  readonly recordNo: string | undefined
  readonly version?: number
  readonly type: string
  readonly deleted?: boolean
  readonly registered: string | undefined
  readonly updated: string | undefined
  readonly state: string
  readonly channel: string
  readonly object: string
  readonly issue: string
  readonly authority: string | undefined
  readonly division: string | undefined
  readonly reported: readonly [name: string | undefined, uscc: string | undefined]
  readonly verified: readonly [name: string | undefined, uscc: string | undefined]
  readonly online: boolean
  readonly platform: string | undefined
  readonly disputed: string | number | undefined
  readonly accepted: string | undefined
  readonly refusal: string | undefined
  readonly transferred: string | undefined
  readonly outcome: string | undefined
  readonly ended: string | undefined
  readonly recovered: string | number | null | undefined
}

/** Local code to national code, by domain and local code. */
type Codes = ReadonlyMap<string, string>

const OUTCOMES: Readonly<Record<string, string>> = {
  调解成功: 'settled', 自行和解: 'self_settled', 消费者撤诉: 'withdrawn', 终止调解: 'terminated', 诉转案: 'converted_to_case',
}
const BUREAUS: Readonly<Record<string, string>> = {
  上海市市场监督管理局: '310000', 江苏省市场监督管理局: '320000', 浙江省市场监督管理局: '330000', 安徽省市场监督管理局: '340000',
}

/** About `records` complaints of a region with all their versions, each once, by the time of the source. */
export function complaints(folder: string, region: Region, records: number): SampleLine[] {
  const codes = readCodes(folder, region)
  const usable = READERS[region](folder).filter(({ recordNo, type, registered, updated, state, issue }) =>
    type === '投诉' && given(recordNo) !== undefined && day(registered) !== undefined && instant(updated) !== undefined
    && codes.has(`state ${state}`) && codes.has(`issue ${issue}`))
  const byRecord = Map.groupBy(usable, ({ recordNo }) => recordNo!)
  const deleted = [...byRecord].filter(([, versions]) => versions.some((one) => one.deleted)).map(([recordNo]) => recordNo)
  const chosen = new Set([...spread([...byRecord.keys()].sort(), records - deleted.length), ...deleted])
  return [...byRecord].filter(([recordNo]) => chosen.has(recordNo)).flatMap(([, versions]) => toLines(versions, region, codes))
}

function toLines(versions: readonly Version[], region: Region, codes: Codes): SampleLine[] {
  const once = new Map(versions.toReversed().map((one) => [one.version ?? instant(one.updated)!, one]))
  const ordered = [...once.values()].sort((a, b) => (a.version ?? 0) - (b.version ?? 0) || instant(a.updated)!.localeCompare(instant(b.updated)!))
  return ordered.map((one, i) => ({ stream: 'complaint', event: toEvent(one, ordered[i - 1], region, codes) }))
}

function toEvent(one: Version, before: Version | undefined, region: Region, codes: Codes): Event {
  const national = (domain: string, local: string): string | undefined => codes.get(`${domain} ${local}`) || undefined
  const state = national('state', one.state)!
  const envelope = {
    recordId: `12315-${region}/${one.recordNo}`,
    version: one.version,
    kind: one.deleted ? 'void' : before === undefined ? 'original' : before.state === one.state ? 'correction' : 'follow-up',
    authority: present({ rawName: given(one.authority) }),
    occurredOn: day(one.updated)!,
    recordedAt: instant(one.updated)!,
  }
  if (one.deleted) return present(envelope)
  const object = national('object', one.object)
  return present({
    ...envelope,
    state,
    registeredOn: day(one.registered),
    registeredAt: instant(one.registered),
    acceptedOn: day(one.accepted),
    refusalGround: /\d/.exec(given(one.refusal) ?? '')?.[0],
    handlingDivision: divisionOf(one.division),
    verified: party(...one.verified, one.division),
    respondent: party(...one.reported, one.division),
    platform: one.online ? party(one.platform, undefined, undefined) : undefined,
    object: present({ kind: object?.startsWith('G') ? 'goods' : object?.startsWith('S') ? 'services' : 'other', code: object, local: one.object }),
    issue: present({ code: national('issue', one.issue), local: one.issue }),
    channel: present({ code: national('channel', one.channel), local: one.channel }),
    disputedFen: fen(one.disputed),
    recoveredFen: fen(one.recovered),
    mediationOutcome: OUTCOMES[given(one.outcome) ?? ''],
    mediationEndedOn: day(one.ended),
    online: one.online,
    closedOn: state === 'closed' ? day(one.updated) : undefined,
    transferredTo: divisionOf(one.transferred) ?? BUREAUS[given(one.transferred) ?? ''],
  })
}

function readCodes(folder: string, region: Region): Codes {
  return new Map(readCsv(join(folder, region, 'codes.csv')).map((row) => [`${row['domain']} ${row['local_code']}`, row['national_code']!]))
}

const READERS: Readonly<Record<Region, (folder: string) => Version[]>> = { sh: readShanghai, js: readJiangsu, zj: readZhejiang, ah: readAnhui }

interface Nested { registration: Row & { isweb: number }, preliminaryFeedback: Row & { acceptance: number } | null, complainFinishingFeedback: Row | null }

function readShanghai(folder: string): Version[] {
  return readText(join(folder, 'sh/complaints.ndjson')).split('\n').filter(Boolean).map((line) => {
    const { registration: r, preliminaryFeedback: first, complainFinishingFeedback: last } = JSON.parse(line) as Nested
    return {
      recordNo: r['regId'], type: r['formtype']!, registered: r['recorddate'], updated: r['updatedate'], state: r['state']!, channel: r['appealsource']!,
      object: r['objclassifycodeid']!, issue: r['complaintstypecodeid']!, authority: last?.['handleDepart'], division: r['jyareacode'],
      reported: [r['subjectname'], r['registerno']], verified: [r['cksubjectname'], r['ckregisterno']], online: r.isweb === 1, platform: r['shoppingplatform'],
      disputed: r['objmoney'], accepted: first?.acceptance === 1 ? first['blqx'] : undefined, refusal: first?.['situation'], transferred: undefined,
      outcome: last?.['mediateResult'], ended: last?.['mediationEndDate'], recovered: last?.['retrieveAmount'],
    }
  })
}

function readJiangsu(folder: string): Version[] {
  return readCsv(join(folder, 'js/complaints.csv')).map((r) => ({
    recordNo: r['登记编号'], version: Number(r['版本号']), type: r['工单类型']!, registered: r['登记时间'], updated: r['更新时间'], state: r['办理状态']!, channel: r['来源渠道']!,
    object: r['客体类别']!, issue: r['问题类别']!, authority: r['承办单位'], division: r['所在区划'], reported: [r['被投诉方名称'], r['统一社会信用代码']],
    verified: [r['核查后名称'], r['核查后信用代码']], online: r['是否网购'] === '是', platform: r['购物平台'], disputed: r['涉及金额（元）'], accepted: r['受理时间'],
    refusal: r['不予受理理由'], transferred: r['转办去向'], outcome: r['调解结果'], ended: r['办结时间'], recovered: r['挽回金额（元）'],
  }))
}

interface Change { dsc_biz_operation: string, dsc_biz_timestamp: string, version: number, data: Row & { isweb: number, objmoney: number, retrieveamount: string | null } }

function readZhejiang(folder: string): Version[] {
  return readText(join(folder, 'zj/complaints-changes.ndjson')).split('\n').filter(Boolean).map((line) => {
    const { dsc_biz_operation, dsc_biz_timestamp, version, data: r } = JSON.parse(line) as Change
    return {
      recordNo: r['regId'], version, type: r['formtype']!, deleted: dsc_biz_operation === 'delete', registered: r['recorddate'], updated: dsc_biz_timestamp, state: r['state']!,
      channel: r['appealsource']!, object: r['objclassifycodeid']!, issue: r['complaintstypecodeid']!, authority: r['handledepart'], division: r['jyareacode'],
      reported: [r['subjectname'], r['registerno']], verified: [r['cksubjectname'], r['ckregisterno']], online: r.isweb === 1, platform: r['shoppingplatform'],
      disputed: r.objmoney, accepted: r['acceptdate'], refusal: r['refuseground'], transferred: r['transferto'], outcome: r['mediateresult'], ended: r['mediationenddate'],
      recovered: r.retrieveamount,
    }
  })
}

function readAnhui(folder: string): Version[] {
  return readCsv(join(folder, 'ah/complaints.csv'), 'gb18030').map((r) => ({
    recordNo: r['工单编号'], type: r['类型']!, registered: r['登记日期'], updated: r['更新日期'], state: r['状态']!, channel: r['渠道']!, object: r['消费客体']!, issue: r['诉求问题']!,
    authority: r['处理单位'], division: r['行政区划'], reported: [r['经营者名称（反映）'], r['信用代码（反映）']], verified: [r['经营者名称（核实）'], r['信用代码（核实）']],
    online: false, platform: undefined, disputed: r['争议金额'], accepted: r['受理日期'], refusal: r['不受理原因'], transferred: undefined, outcome: r['处理结果'],
    ended: r['办结日期'], recovered: r['挽回损失'],
  }))
}
