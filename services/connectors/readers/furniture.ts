const TOTAL = /^(?:合计|总计|小计|共计)/
const REMARK = /^[（(]?(?:备注|注|说明|声明|以下空白|以上)(?:[:：）)]|$)/

/** A line that adds up the ones above it: its first cell says so. */
export function isTotal(cells: readonly string[]): boolean {
  return TOTAL.test((cells.find((cell) => cell.trim() !== '') ?? '').trim())
}

/** A line that says something about the table: a word for it, and no more than a running number beside. */
export function isRemark(cells: readonly string[]): boolean {
  let filled = 0
  let remark = false
  for (const cell of cells) {
    const text = cell.trim()
    if (text === '') continue
    if (++filled > 2) return false
    remark ||= REMARK.test(text)
  }
  return remark
}
