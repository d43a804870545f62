import { REGIONS, type Region } from '@hub/schemas/streams'
import type { Annex, Approved, Change, Digests, Recomputed, Statement, Tip } from '../edition/model.ts'
import { DEFINITIONS } from '../figures/definitions.ts'
import type { ClassTable, DefinitionRef, Figures, PerRegion } from '../figures/model.ts'
import { regionName } from '../region-name.ts'
import { ABSENT, ABSENT_NOTES, absent, count, date, growth, inWan, inYuan, percent, text, time, type Shown } from './shown.ts'

/** What is rendered: an edition, or a draft with the signatures that it has. */
export interface Content {
  readonly statement: Statement
  readonly annex: Annex
  readonly tips: readonly Tip[]
  readonly digests: Digests
  readonly recomputed: readonly Recomputed[]
  readonly approved: readonly Approved[]
}

/** A table of the document, on the page and as a sheet of the workbook. */
export interface Table {
  readonly id: string
  readonly caption: string
  /** Of its numbers. */
  readonly unit: string
  readonly columns: readonly { readonly name: string, readonly number: boolean }[]
  /** The first cell of a row is its heading. */
  readonly rows: readonly (readonly Shown[])[]
  /** Last row is a total. */
  readonly totalled: boolean
  readonly notes: readonly string[]
}

type Place = Region | 'total'

const PLACES: readonly Place[] = [...REGIONS, 'total']
const REASONS = { 'wrong-trader': '经营者有误', voided: '记录已撤销', 'wrong-definition': '口径有误', 'region-returned': '地区恢复' } as const

/** Every table of an edition, in the order of the document. */
export function tablesOf(content: Content): Table[] {
  const { statement } = content
  return [...(statement.figures === null ? [] : figureTables(statement.figures)), ...erratumTables(statement), sources(statement), traders(content.annex), signatures(content), basis(statement)]
}

export function placeName(place: Place, statement?: Statement): string {
  if (place !== 'total') return regionName(place)[0]
  const missing = statement === undefined ? [] : REGIONS.filter((region) => statement.regions[region].standing === 'missing')
  return missing.length === 0 ? '合计' : `${['四', '三', '两'][missing.length] ?? ''}地合计`
}

function figureTables({ counts, online, goods, services, issues, mediation, yearOnYear }: Figures): Table[] {
  return [
    table({
      id: 'counts', caption: '投诉、举报、咨询', unit: '件', columns: ['指标', ...PLACES.map((place) => placeName(place))], numbersFrom: 1,
      rows: counts.map((row) => [text(nameOf(row.definition)), ...PLACES.map((place) => counted(row.counts, place))]),
      notes: ['接收投诉＝受理＋不予受理＋待受理＋已移送；计入投诉＝受理＋不予受理。'],
    }),
    table({
      id: 'online', caption: '网购投诉占比', unit: '件，占比为百分比', columns: ['地区', '网络购买', '标明是否网购', '未标明', '网购占比'], numbersFrom: 1, totalled: true,
      rows: perPlace(online.shares, 4, (share) => [count(share.online), count(share.stated), count(share.unstated), share.stated === 0 ? absent('unstated') : text(percent({ numerator: share.online, denominator: share.stated }))]),
    }),
    table({
      id: 'mediation', caption: '调解与挽回经济损失', unit: '件、百分比、万元、元', columns: ['地区', '受理量', '在办', '在办占比', '调解成功', '调解成功与终止', '调解成功率', '挽回损失（万元）', '挽回损失（元）'], numbersFrom: 1, totalled: true,
      rows: perPlace(mediation.values, 8, ({ accepted, open, withheld, success, recoveredFen }) => {
        const why = absent(withheld ? 'withheld' : 'none')
        return [
          count(accepted), count(open), accepted === 0 ? absent('none') : text(percent({ numerator: open, denominator: accepted })),
          ...(success === null ? [why, why, why] : [count(success.numerator), count(success.denominator), text(percent(success))]),
          ...(recoveredFen === null ? [why, why] : [text(inWan(recoveredFen)), text(inYuan(recoveredFen))]),
        ]
      }),
      notes: [dueNote(mediation.due)],
    }),
    ...([['goods', '商品类投诉', goods], ['services', '服务类投诉', services], ['issues', '投诉问题', issues]] as const).map(([id, caption, of]) => classes(id, caption, of)),
    yearOnYearTable(yearOnYear),
  ]
}

function classes(id: string, caption: string, { of, rows }: ClassTable): Table {
  return table({
    id, caption: `${caption}（按全国分类）`, unit: '件', columns: ['类别', '代码', ...PLACES.map((place) => placeName(place))], numbersFrom: 2, totalled: true,
    rows: [
      ...rows.map(({ code, name, counts }) => [text(name[0]), text(code ?? '未分类'), ...PLACES.map((place) => counted(counts, place))]),
      [text('合计'), text('全部'), ...PLACES.map((place) => counted(of, place))],
    ],
    notes: rows.length === 0 ? ['窗口内没有此类投诉。'] : [],
  })
}

function yearOnYearTable({ alignment, current, earlier, comparedDays, rows }: Figures['yearOnYear']): Table {
  const how = alignment === 'lunar' ? '按距正月初一的天数对应' : '按月日对应'
  const lengths = earlier === null
    ? `本期${date(current.from)}至${date(current.to)}，共${current.days}天；上年没有可以对应的统计窗口。`
    : `本期${date(current.from)}至${date(current.to)}，共${current.days}天；上年同期${date(earlier.from)}至${date(earlier.to)}，共${earlier.days}天；${how}，只比较两年都有的${comparedDays}天。`
  return table({
    id: 'year-on-year', caption: '同比', unit: '件，增减为百分比', columns: ['指标', '地区', `本期（${comparedDays}天）`, '上年同期', '增减'], numbersFrom: 2,
    rows: rows.flatMap(({ definition, values }) => PLACES.map((place) => {
      const value = values[place]
      const head = [text(nameOf(definition)), text(placeName(place))]
      if (value === null) return [...head, absent('missing'), absent('missing'), absent('missing')]
      if (value.earlier === null) return [...head, count(value.current), absent('incomparable'), absent('incomparable')]
      return [...head, count(value.current), count(value.earlier), value.earlier === 0 ? absent('wasZero') : text(growth(value.current, value.earlier))]
    })),
    notes: [lengths, ...(rows.length === 0 ? [ABSENT_NOTES.incomparable] : [])],
  })
}

function erratumTables({ erratum }: Statement): Table[] {
  if (erratum === null) return []
  return [
    table({
      id: 'corrections', caption: `更正事项（更正第${erratum.corrects.edition}版）`, unit: '件', columns: ['地区', '原因', '涉及记录', '摘要（SHA-256）'], numbersFrom: 2, numbersTo: 3,
      rows: erratum.corrections.map(({ region, reason, records, digest }) => [text(placeName(region)), text(REASONS[reason]), count(records), text(digest)]),
      notes: [`所更正版本的数字摘要：${erratum.corrects.aggregates}。记录和明细在四地之间通报，以摘要约束。`],
    }),
    table({
      id: 'changes', caption: '因更正变动的数字', unit: '按各指标的单位', columns: ['指标', '类别', '地区', '更正前', '更正后'], numbersFrom: 3,
      rows: erratum.changes.map((change) => [text(nameOf(change.definition)), text(change.code === null ? '全部' : codeOf(change)), text(placeName(change.region ?? 'total')), changed(change, change.before), changed(change, change.after)]),
      notes: erratum.changes.length === 0 ? ['没有统计数字变动。'] : [],
    }),
  ]
}

function codeOf({ code, definition }: Change): string {
  if (code === null || code === 'unclassified') return '未分类'
  return definition.startsWith('year-on-year@') ? `${nameOf(code as DefinitionRef)}：本期／上年` : code
}

function changed({ definition }: Change, value: string | null): Shown {
  if (value === null) return absent('notThere')
  if (definition.startsWith('recovered@')) return text(`${inWan(value)}万元（${inYuan(value)}元）`)
  return /^\d+$/.test(value) ? count(Number(value)) : text(value)
}

function sources({ regions }: Statement): Table {
  return table({
    id: 'sources', caption: '数据来源与完整性', unit: '不适用', columns: ['地区', '完整性', '来源', '负责部门', '来源状态', '最近完整报送'], numbersFrom: 6,
    rows: REGIONS.flatMap((region) => {
      const { standing, sources: own } = regions[region]
      const word = text({ complete: '完整', incomplete: '不完整', missing: '缺失' }[standing])
      if (own.length === 0) return [[text(placeName(region)), word, ...(standing === 'missing' ? [1, 2, 3, 4].map(() => absent('missing')) : ['未申报', '未申报', '不能确认', '未申报'].map(text))]]
      return own.map(({ source, owner, complete, lastHandOver }) => [text(placeName(region)), word, text(source), text(owner), text(complete ? '完整' : '不完整'), text(lastHandOver === null ? '尚无完整报送' : time(lastHandOver))])
    }),
    notes: ['来源在统计窗口结束后完整报送过，才算完整。'],
  })
}

function traders({ rows, window, minimum, namesUntil }: Annex): Table {
  return table({
    id: 'traders', caption: '附件：被投诉经营者', unit: '件', columns: ['序号', '名称', '统一社会信用代码', '受理地区', '投诉量', '受理量', '调解成功', '终止调解', '调解成功率', '承诺值（SHA-256）'], numbersFrom: 4, numbersTo: 9,
    rows: rows.map(({ commitment, trader }, at) => [
      text(String(at + 1)),
      ...(trader === null ? Array.from({ length: 8 }, () => absent('struck')) : [
        text(trader.name), text(trader.uscc), text(trader.regions.map((region) => placeName(region)).join('、')), count(trader.counted), count(trader.accepted), count(trader.settled), count(trader.terminated),
        trader.settled + trader.terminated === 0 ? absent('none') : text(percent({ numerator: trader.settled, denominator: trader.settled + trader.terminated })),
      ]),
      text(commitment),
    ]),
    notes: [
      `${date(window.from)}至${date(window.to)}受理投诉达到${minimum}件的企业；不足${minimum}件的不列名，只计入合计。自然人、个体工商户不列名。`,
      namesUntil === null ? '公示期限尚无经核实的规定，不列名。' : `名称公示至${date(namesUntil)}。`,
      ...(rows.length === 0 && namesUntil !== null ? ['没有达到列示下限的企业。'] : []),
    ],
  })
}

function signatures({ recomputed, approved }: Content): Table {
  return table({
    id: 'signatures', caption: '签名', unit: '不适用', columns: ['地区', '签署事项', '时间', '审核编号', '密钥标识', '签名（Ed25519，Base64）'], numbersFrom: 6,
    rows: [
      ...recomputed.map(({ region, at, kid, signature }) => [text(placeName(region)), text('本地复算一致'), text(time(at)), text('不适用'), text(kid), text(signature)]),
      ...approved.map(({ region, at, approval, kid, signature }) => [text(placeName(region)), text('双人审核通过'), text(time(at)), text(approval), text(kid), text(signature)]),
    ],
    notes: recomputed.length + approved.length === 0 ? ['尚无签名。'] : [],
  })
}

function basis({ basis: rows }: Statement): Table {
  return table({
    id: 'basis', caption: '截数位置', unit: '位点为序号，停放为件', columns: ['地区', '主题', '分区', '代次', '位点', '停放', '停放摘要'], numbersFrom: 2, numbersTo: 6,
    rows: rows.map(({ region, topic, partition, generation, offset, parked, parkedDigest }) => [text(placeName(region)), text(topic), count(partition), text(generation), count(offset), count(parked), text(parkedDigest)]),
    notes: ['停放：截数位置之前不能应用、等待处理的事件，不在任何数字中。'],
  })
}

function dueNote(due: Figures['mediation']['due']): string {
  if (due.day === null) return `应办结日期：${due.why[0]}（未核实的规定：${due.unverified.join('、')}）`
  return `窗口内最后一件投诉按规定应于${date(due.day)}前办结${due.provisional ? '（暂定，该年度放假安排尚未公布）' : ''}；依据规则${due.rules.join('、')}，日历版本${due.calendar.join('、')}。`
}

function nameOf(ref: DefinitionRef): string {
  const id = ref.slice(0, ref.lastIndexOf('@')) as keyof typeof DEFINITIONS
  return DEFINITIONS[id]?.name[0] ?? ref
}

function counted(counts: PerRegion<number>, place: Place): Shown {
  const value = counts[place]
  return value === null ? absent('missing') : count(value)
}

function perPlace<T>(values: PerRegion<T>, width: number, cells: (value: T) => readonly Shown[]): Shown[][] {
  return PLACES.map((place) => {
    const value = values[place]
    return [text(placeName(place)), ...(value === null ? Array.from({ length: width }, () => absent('missing')) : cells(value))]
  })
}

interface Given {
  readonly id: string
  readonly caption: string
  readonly unit: string
  readonly columns: readonly string[]
  /** Columns of numbers are right-aligned: from this one, before that one. */
  readonly numbersFrom: number
  readonly numbersTo?: number
  readonly rows: readonly (readonly Shown[])[]
  readonly totalled?: boolean
  readonly notes?: readonly string[]
}

/** Adds to the notes what the words in its cells mean. */
function table({ columns, numbersFrom, numbersTo = columns.length, totalled = false, notes = [], ...rest }: Given): Table {
  const used = (Object.keys(ABSENT) as (keyof typeof ABSENT)[]).filter((why) => rest.rows.some((row) => row.some((cell) => cell.absent && cell.text === ABSENT[why])))
  return { ...rest, columns: columns.map((name, at) => ({ name, number: at >= numbersFrom && at < numbersTo })), totalled, notes: [...notes, ...used.map((why) => ABSENT_NOTES[why])] }
}
