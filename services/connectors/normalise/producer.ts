/** Who stands in a producer cell: the nominal producer, and who had it made. */
export interface Producer {
  readonly producer?: string
  readonly consignor?: string
}

const LABELLED = /^委托(?:方|商|单位|企业)[:：]\s*(.+?)[\s;；，,/／]*(?:受托|被委托)(?:方|商|单位|企业)[:：]\s*(.+)$/
const BRACKETED = /^(.+?)[（(]委托(?:方|商|单位)?[）)][\s;；，,/／]*(.+?)[（(](?:受托|被委托)(?:方|商|单位)?[）)]$/
const SENTENCE = /^(.{4,}(?:公司|厂|店|坊|社|中心|部))委托(.{4,})$/
const CONSIGNOR_ONLY = /^委托(?:方|商|单位)[:：]?\s*(.+)$/

/** Takes apart a producer cell that may name a consignor (委托方) beside the firm that produced (受托方). */
export function producerOf(text: string): Producer {
  const two = LABELLED.exec(text) ?? BRACKETED.exec(text) ?? SENTENCE.exec(text)
  if (two !== null) return { consignor: two[1]!.trim(), producer: two[2]!.trim() }
  const one = CONSIGNOR_ONLY.exec(text)
  return one === null ? { producer: text } : { consignor: one[1]!.trim() }
}
