import type { Shape } from '../../shape.ts'
import { readComplaint, COMPLAINT_REQUIRED, type ComplaintColumns } from '../../streams/complaint.ts'

const columns: ComplaintColumns & { acceptance: readonly string[] } = {
  recordNo: ['registration.regId'],
  version: ['registration.version'],
  type: ['registration.formtype'],
  registered: ['registration.recorddate'],
  updated: ['registration.updatedate'],
  state: ['registration.state'],
  channel: ['registration.appealsource'],
  reportedName: ['registration.subjectname'],
  reportedCode: ['registration.registerno'],
  verifiedName: ['registration.cksubjectname'],
  verifiedCode: ['registration.ckregisterno'],
  division: ['registration.jyareacode'],
  object: ['registration.objclassifycodeid'],
  issue: ['registration.complaintstypecodeid'],
  online: ['registration.isweb'],
  platform: ['registration.shoppingplatform'],
  orderNo: ['registration.ordernumber'],
  disputed: ['registration.objmoney'],
  acceptance: ['preliminaryFeedback.acceptance'],
  accepted: ['preliminaryFeedback.blqx'],
  refusal: ['preliminaryFeedback.situation'],
  transferredTo: ['registration.transferto'],
  outcome: ['complainFinishingFeedback.mediateResult'],
  ended: ['complainFinishingFeedback.mediationEndDate'],
  recovered: ['complainFinishingFeedback.retrieveAmount'],
  authority: ['complainFinishingFeedback.handleDepart'],
}

/** A 12315 case system's export: registration, first and final feedback nested in one record; times in UTC. */
export const complaintCases: Shape = {
  id: 'complaint-cases',
  title: ['12315 案件系统导出（NDJSON，嵌套）', '12315 case system, nested NDJSON'],
  stream: 'complaint',
  format: 'lines',
  columns,
  required: COMPLAINT_REQUIRED,
  dropped: [],
  version: ['更新时间', 'the time of update'],
  read: (row) => readComplaint(row, { refused: row.text('acceptance') === '0' }),
}
