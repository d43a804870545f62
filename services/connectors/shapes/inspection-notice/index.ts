import type { Shape } from '../../shape.ts'
import { INSPECTION_COLUMNS, readInspection } from '../../streams/inspection.ts'

/** The text of a food-sampling notice: one numbered sentence per sample. */
export const inspectionNotice: Shape = {
  id: 'inspection-notice',
  title: ['食品安全抽检通告正文（文本，逐条编号）', 'food-sampling notice, numbered sentences'],
  stream: 'inspection-failure',
  format: 'sentences',
  columns: INSPECTION_COLUMNS,
  required: [['product']],
  dropped: [],
  version: ['无版本号：内容不同即为新版本', 'none: other content is a new version'],
  read: (row) => readInspection(row, 'food'),
}
