import type { Shape } from '../../shape.ts'
import { COMPLAINT_DROPPED, COMPLAINT_REQUIRED, readComplaint, type ComplaintColumns } from '../../streams/complaint.ts'

const columns: ComplaintColumns = {
  recordNo: ['登记编号', '工单编号', '投诉编号'],
  version: ['版本号'],
  type: ['工单类型', '类型'],
  registered: ['登记时间', '登记日期'],
  updated: ['更新时间', '更新日期'],
  state: ['办理状态', '状态'],
  channel: ['来源渠道', '渠道'],
  reportedName: ['被投诉方名称', '经营者名称（反映）', '经营者名称'],
  reportedCode: ['统一社会信用代码', '信用代码（反映）', '信用代码'],
  verifiedName: ['核查后名称', '经营者名称（核实）'],
  verifiedCode: ['核查后信用代码', '信用代码（核实）'],
  division: ['所在区划', '行政区划'],
  object: ['客体类别', '消费客体'],
  issue: ['问题类别', '诉求问题'],
  online: ['是否网购'],
  platform: ['购物平台'],
  orderNo: ['订单号'],
  disputed: ['涉及金额（元）', '争议金额'],
  accepted: ['受理时间', '受理日期'],
  refusal: ['不予受理理由', '不受理原因'],
  transferredTo: ['转办去向'],
  outcome: ['调解结果', '处理结果'],
  ended: ['办结时间', '办结日期'],
  recovered: ['挽回金额（元）', '挽回损失'],
  authority: ['承办单位', '处理单位'],
}

/** The table that provincial 12315 systems export: one line per version of a record. */
export const complaintTable: Shape = {
  id: 'complaint-table',
  title: ['12315 投诉导出表（CSV、XLSX）', '12315 complaints, table export'],
  stream: 'complaint',
  format: 'table',
  columns,
  required: COMPLAINT_REQUIRED,
  dropped: COMPLAINT_DROPPED,
  version: ['版本号；没有时按更新时间', 'the version number, else the time of update'],
  read: (row) => readComplaint(row),
}
