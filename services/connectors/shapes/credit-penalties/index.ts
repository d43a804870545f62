import { dayOf } from '../../normalise/date.ts'
import { entityTypeOf, readCode } from '../../normalise/code.ts'
import { present } from '../../present.ts'
import { authorityOf } from '../../reference/authorities.ts'
import { decisionKey } from '../../streams/credit.ts'
import { penalty, penaltyEvent } from '../../streams/penalty.ts'
import type { Row } from '../../row.ts'
import type { Outcome, Shape } from '../../shape.ts'

/** The penalty disclosure table of a county bureau: authority and date share a cell, facts name people and are left out. */
export const creditPenalties: Shape = {
  id: 'credit-penalties',
  title: ['行政处罚信息公示表（CSV、XLSX）', 'penalty disclosure table'],
  stream: 'credit-blacklist',
  format: 'table',
  columns: {
    decisionNo: ['行政处罚决定书文号', '处罚决定书文号'],
    caseName: ['案件名称'],
    name: ['违法企业名称或违法自然人姓名', '当事人名称'],
    code: ['违法企业组织机构代码', '统一社会信用代码'],
    content: ['行政处罚内容', '行政处罚的种类和内容'],
    decided: ['作出处罚的机关名称和日期', '作出处罚决定的机关名称和日期'],
    remark: ['备注'],
  },
  required: [['decisionNo', 'name', 'code', 'content', 'decided']],
  dropped: ['序号', '法定代表人或负责人姓名', '主要违法事实', '行政处罚依据', '行政处罚的履行方式和期限'],
  version: ['无：内容不同即为新版本', 'none: other content is a new version'],
  read,
}

const DECIDED = /^(.+?)[，,、\s]+(\d{4}年\d{1,2}月\d{1,2}日|\d{4}[-/.]\d{1,2}[-/.]\d{1,2})$/
/** 「马云帆（某经营部经营者）」 */
const PERSON = /经营者[）)]$/

function read(row: Row): Outcome | undefined {
  const decisionNo = row.needWords('decisionNo')
  const [, rawName, date] = DECIDED.exec(row.need('decided') ?? '') ?? []
  const decidedOn = dayOf(date ?? '') ?? (row.text('decided') === undefined ? undefined : row.refuse('date', 'decided', '机关名称，YYYY年MM月DD日'))
  const name = row.needWords('name')
  const violation = violationOf(row.words('caseName'), name)
  const content = row.words('content')
  const subject = partyOf(row, name)
  if (row.problems.length > 0) return undefined
  const authority = authorityOf(rawName!)
  if (authority.code === undefined) row.flag('unknown-authority')
  return {
    event: penaltyEvent(`${row.context.source}/${decisionKey(decisionNo!)}`, {
      subject, authority, penalty: penalty(decisionNo!, decidedOn!, violation, content), repaired: /信用修复|停止公示/.test(row.text('remark') ?? ''),
    }),
  }
}

/** A natural person leaves neither name nor number; a firm whose code is masked or missing keeps its name. */
function partyOf(row: Row, name: string | undefined): Readonly<Record<string, unknown>> {
  const text = row.text('code')
  const reading = text === undefined ? undefined : readCode(text, row.today)
  if (reading?.kind === 'identity' || PERSON.test(name ?? '')) {
    row.flag('natural-person')
    return { entityType: 'individual' }
  }
  if (reading?.kind === 'uscc') {
    if (!reading.valid) row.flag('uscc-check-failed')
    if (!reading.code.startsWith('9')) row.flag('other-register')
    return present({ name, uscc: reading.code, entityType: entityTypeOf(reading.code) })
  }
  row.flag('uscc-left-out')
  return present({ name, regNo: reading?.kind === 'regno' ? reading.code : undefined })
}

/** The violation in a case's name `<party><violation>案`; nothing where the party cannot be told from it. */
function violationOf(caseName: string | undefined, party: string | undefined): string | undefined {
  if (caseName === undefined || party === undefined || !caseName.startsWith(party)) return undefined
  const violation = caseName.slice(party.length).replace(/案$/, '')
  return violation === '' ? undefined : violation
}
