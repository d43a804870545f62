import { join } from 'node:path'
import type { Region } from '@hub/schemas/streams'
import { day, divisionOf, given, instant, party, present, readCsv, readText, spread, uscc, type Event, type Row, type SampleLine } from './read.ts'

/** An act on a listing as its source publishes it: listed, removed, repaired, restored or annulled. */
interface Act {
  /** Of the listing: all acts on it share it. */
  readonly recordNo: string
  readonly at: string
  readonly kind: 'original' | 'removal' | 'repair' | 'restored' | 'void'
  readonly authority: string | undefined
  readonly listing: Listing
}

interface Listing {
  readonly list: 'abnormal' | 'serious' | 'sole-trader-mark'
  readonly name: string | undefined
  readonly code: string | undefined
  readonly regNo?: string | undefined
  readonly pripid?: string | undefined
  readonly division?: string | undefined
  readonly listedOn: string | undefined
  readonly listedBy: string | undefined
  readonly ground?: string | undefined
  readonly decisionNo?: string | undefined
}

/** About `records` listings (in Shanghai penalties too) with all acts on them. Jiangsu's list is a workbook and left to its connector. */
export function credit(folder: string, region: Region, records: number): SampleLine[] {
  const acts = (READERS[region]?.(folder) ?? []).filter(({ at, listing }) => instant(at) !== undefined && day(listing.listedOn) !== undefined && uscc(listing.code) !== undefined)
  const byRecord = Map.groupBy(acts, ({ recordNo }) => recordNo)
  const eventful = [...byRecord].filter(([, own]) => own.some(({ kind }) => kind === 'void' || kind === 'restored')).map(([recordNo]) => recordNo)
  const chosen = new Set([...spread([...byRecord.keys()].sort(), records - eventful.length), ...eventful])
  const listings = [...byRecord].filter(([recordNo]) => chosen.has(recordNo)).flatMap(([recordNo, own]) => inOrder(own).map((act) => toEvent(region, recordNo, act)))
  return [...listings, ...(region === 'sh' ? penalties(folder) : [])].map((event) => ({ stream: 'credit-blacklist', event }))
}

/** By time, each once; what comes before the listing itself is left to the connector, which lets it wait. */
function inOrder(acts: readonly Act[]): Act[] {
  const once = [...new Map(acts.map((act) => [instant(act.at)!, act])).values()].sort((a, b) => instant(a.at)!.localeCompare(instant(b.at)!))
  return once[0]?.kind === 'original' ? once : []
}

function toEvent(region: Region, recordNo: string, { at, kind, authority, listing }: Act): Event {
  const envelope = {
    recordId: `credit-${region}/${recordNo}`,
    kind,
    authority: present({ rawName: given(authority) ?? given(listing.listedBy) }),
    occurredOn: day(at)!,
    recordedAt: instant(at)!,
  }
  if (kind !== 'original' && kind !== 'restored') return envelope
  const listedOn = day(listing.listedOn)!
  return present({
    ...envelope,
    recordType: 'listing',
    listType: listing.list,
    regime: listing.list === 'serious' ? (listedOn < '2021-09-01' ? 'before-2021-09' : 'since-2021-09') : undefined,
    subject: present({ ...party(listing.name, listing.code, listing.division), regNo: given(listing.regNo), pripid: given(listing.pripid) }),
    groundText: given(listing.ground),
    decisionNo: given(listing.decisionNo),
    listedOn,
    listedBy: present({ rawName: given(listing.listedBy) }),
    publishedOn: day(at),
  })
}

const READERS: Partial<Record<Region, (folder: string) => Act[]>> = { sh: readShanghai, zj: readZhejiang, ah: readAnhui }

const REPAIR = /信用修复/

interface Page { subject: { entName: string, uniscid: string, regno: string, pripid: string }, list: string, response: { data: Record<string, string | number | null>[] } }

function readPages(folder: string): { page: Page, record: Record<string, string | number | null> }[] {
  const pages = JSON.parse(readText(join(folder, 'sh/credit-gsxt-pages.json'))) as Page[]
  return pages.flatMap((page) => page.response.data.map((record) => ({ page, record })))
}

/** A page tells the state of a listing: its removal, where there is one, is told as an act of its own. A listing told twice was restored: left out. */
function readShanghai(folder: string): Act[] {
  const told = readPages(folder).filter(({ page, record }) => page.list !== 'penalty' && typeof record['abntime'] === 'number')
  const byRecord = Map.groupBy(told, ({ page, record }) => `${page.subject.pripid}.${page.list}.${day(record['abntime'] as number)!.replaceAll('-', '')}`)
  return [...byRecord].filter(([, rows]) => rows.length === 1).flatMap(([recordNo, [row]]) => {
    const { page: { list, subject }, record } = row!
    const text = (name: string): string | undefined => given(record[name])
    const listing: Listing = {
      list: list as 'abnormal' | 'serious', name: subject.entName, code: subject.uniscid, regNo: subject.regno, pripid: subject.pripid,
      listedOn: day(record['abntime'] as number), listedBy: text('decOrg_CN'), ground: text(list === 'serious' ? 'serILLRea_CN' : 'speCause_CN'),
    }
    const removed = typeof record['remDate'] === 'number' ? instant(record['remDate']) : undefined
    const act = (at: string, kind: Act['kind'], authority: string | undefined): Act => ({ recordNo, at: at.slice(0, 19).replace('T', ' '), kind, authority, listing })
    const removal = removed === undefined || removed > '9999' ? [] : [act(removed, REPAIR.test(text('remExcpRes_CN') ?? '') ? 'repair' : 'removal', text('reDecOrg_CN'))]
    return [act(instant(record['abntime'] as number)!, 'original', listing.listedBy), ...removal]
  })
}

function penalties(folder: string): Event[] {
  return readPages(folder).filter(({ page }) => page.list === 'penalty').map(({ page: { subject }, record }) => {
    const text = String(record['penContent'])
    const fine = /罚款(\d+)元/.exec(text)?.[1]
    return present({
      recordId: `penalty-sh/${record['penDecNo']}`,
      kind: 'original',
      authority: present({ rawName: given(record['penAuth_CN']) }),
      occurredOn: day(record['penDecIssDate'] as number)!,
      recordedAt: instant(record['publicDate'] as number)!,
      recordType: 'penalty',
      listType: 'penalty',
      subject: present({ ...party(subject.entName, subject.uniscid, undefined), regNo: subject.regno, pripid: subject.pripid }),
      penalty: present({
        decisionNo: String(record['penDecNo']), violationText: given(record['illegActType']), measures: fine === undefined ? ['other'] : ['fine'],
        fineFen: fine === undefined ? undefined : Number(fine) * 100, decidedOn: day(record['penDecIssDate'] as number)!,
      }),
      publishedOn: day(record['publicDate'] as number),
    })
  })
}

function readZhejiang(folder: string): Act[] {
  const feed = (name: string): Row[] => readCsv(join(folder, 'zj', `credit-${name}-feed.csv`))
  return [
    ...changes(feed('abnormal'), (r) => ({ recordNo: r['busexclist']!, removedOn: r['remdate'], why: r['remexcpres_cn'], by: r['redecorg_cn'] }), (r) => ({
      list: 'abnormal', name: r['entname'], code: r['uniscid'], regNo: r['regno'], pripid: r['pripid'], division: r['dsc_adm_region'], listedOn: r['abntime'],
      listedBy: r['decorg_cn'], ground: r['specause_cn'],
    })),
    ...changes(feed('serious'), (r) => ({ recordNo: r['illid']!, removedOn: r['remdate'], why: r['remexcpres_cn'], by: r['recorg_cn'] }), (r) => ({
      list: 'serious', name: r['entname'], code: r['uniscid'], regNo: r['regno'], pripid: r['pripid'], division: r['dsc_adm_region'], listedOn: r['abntime'],
      listedBy: r['decorg_cn'], ground: r['serillrea_cn'], decisionNo: r['dedocnum'],
    })),
    ...changes(feed('soletrader-mark'), (r) => ({ recordNo: r['BUSEXCLIST']!, removedOn: r['NORDATE'], why: undefined, by: r['redecorg_cn'] }), (r) => ({
      list: 'sole-trader-mark', name: r['entname'], code: r['uniscid'], listedOn: r['COGDATE'], listedBy: r['decorg_cn'],
    })),
  ]
}

type Change = { recordNo: string, removedOn: string | undefined, why: string | undefined, by: string | undefined }

function changes(rows: readonly Row[], read: (row: Row) => Change, listing: (row: Row) => Listing): Act[] {
  const removed = new Set<string>()
  return rows.toSorted((a, b) => a['dsc_biz_timestamp']!.localeCompare(b['dsc_biz_timestamp']!)).map((row) => {
    const { recordNo, removedOn, why, by } = read(row)
    const ended = day(removedOn) !== undefined
    const kind = /^d/i.test(row['dsc_biz_operation']!) ? 'void' : ended ? (REPAIR.test(why ?? '') ? 'repair' : 'removal') : removed.has(recordNo) ? 'restored' : 'original'
    if (ended) removed.add(recordNo)
    return { recordNo, at: row['dsc_biz_timestamp']!, kind, authority: by, listing: listing(row) }
  })
}

const LISTS: Readonly<Record<string, Listing['list']>> = { 经营异常名录: 'abnormal', 严重违法失信名单: 'serious' }
const ACTS: Readonly<Record<string, Act['kind']>> = { 列入: 'original', 移出: 'removal', 恢复列入: 'restored' }

function readAnhui(folder: string): Act[] {
  const rows = readCsv(join(folder, 'ah/credit-list-log.csv'), 'gb18030')
  const listings = new Map(rows.filter((r) => r['业务类型'] === '列入').map((r) => [r['决定文号']!, {
    list: LISTS[r['名单类别']!]!, name: r['企业名称'], code: r['统一社会信用代码/注册号'], listedOn: r['决定日期'], listedBy: r['作出决定机关'], ground: r['事由'], decisionNo: r['决定文号'],
  } satisfies Listing]))
  return rows.flatMap((r) => {
    const recordNo = given(r['对应列入文号']) ?? r['决定文号']!
    const listing = listings.get(recordNo)
    const kind = ACTS[r['业务类型']!]
    if (listing === undefined || kind === undefined || divisionOf(r['统一社会信用代码/注册号']) !== undefined) return []
    return [{ recordNo, at: r['公告日期']!, kind: kind === 'removal' && REPAIR.test(r['事由']!) ? 'repair' as const : kind, authority: r['作出决定机关'], listing }]
  })
}
