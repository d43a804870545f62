export type InspectionOutcome = 'none' | 'upheld' | 'overturned' | 'denied' | 'refused'

/** What a remark says of re-inspection or objection; the words themselves are not kept. */
export function outcomeOf(remark: string | undefined): InspectionOutcome {
  if (remark === undefined) return 'none'
  if (/变更为合格|复检合格|复检结论为合格|改变初检结论/.test(remark)) return 'overturned'
  if (/假冒|非其生产|不是其生产/.test(remark)) return 'denied'
  if (/维持初检|复检不合格|复检机构为/.test(remark)) return 'upheld'
  if (/异议[^。]*(?:不予|未予|不成立)|(?:不予|未予)(?:认可|受理|采纳)/.test(remark)) return 'refused'
  return 'none'
}
