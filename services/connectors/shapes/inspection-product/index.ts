import type { Shape } from '../../shape.ts'
import { INSPECTION_COLUMNS, INSPECTION_DROPPED, readInspection } from '../../streams/inspection.ts'

/** A product-quality spot check: failing items without results, and no sample numbers. */
export const inspectionProduct: Shape = {
  id: 'inspection-product',
  title: ['产品质量监督抽查不合格信息表（CSV、XLSX）', 'product spot-check failures, table'],
  stream: 'inspection-failure',
  format: 'table',
  columns: { ...INSPECTION_COLUMNS, seller: ['被抽检人', '被抽检单位', '受检单位'], product: ['商品名称', '产品名称'] },
  required: [['seller', 'product', 'producer', 'items']],
  dropped: INSPECTION_DROPPED,
  version: ['无版本号：内容不同即为新版本', 'none: other content is a new version'],
  passing: { sheets: /^合格|[^不]合格产品/, required: ['product'] },
  read: (row) => readInspection(row, 'product'),
}
