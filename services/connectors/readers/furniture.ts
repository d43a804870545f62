const TOTAL = /^(?:合计|总计|小计|共计)/
const REMARK = /^[（(]?(?:备注|注|说明|声明|以下空白|以上)(?:[:：）)]|$)/

/** A line that adds up the ones above it: its first cell says so. */
export function isTotal(cells: readonly string[]): boolean {
  return TOTAL.test((cells.find((cell) => cell.trim() !== '') ?? '').trim())
}

/** A line that says something about the table: a word for it, and no more than a running number beside. */
export function isRemark(cells: readonly string[]): boolean {
  const filled = cells.map((cell) => cell.trim()).filter((cell) => cell !== '')
  return filled.length > 0 && filled.length <= 2 && filled.some((cell) => REMARK.test(cell))
}
