import type { Shape } from '../../shape.ts'
import { INSPECTION_COLUMNS, INSPECTION_DROPPED, readInspection } from '../../streams/inspection.ts'

/** The attachment of a food-sampling notice: a table with or without title rows, in a sheet of its own or beside one of samples that passed. */
export const inspectionFood: Shape = {
  id: 'inspection-food',
  title: ['食品安全抽检不合格信息表（CSV、XLSX）', 'food-sampling failures, table'],
  stream: 'inspection-failure',
  format: 'table',
  columns: INSPECTION_COLUMNS,
  required: [['sampleNo', 'seller', 'product', 'items']],
  dropped: INSPECTION_DROPPED,
  version: ['无版本号：同一抽样单编号的后一行更正前一行', 'none: a later row of a sample number corrects the earlier'],
  passing: { sheets: /^合格|[^不]合格产品/, required: ['product'] },
  read: (row) => readInspection(row, 'food'),
}
