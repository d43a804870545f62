import type { Shape } from '../../shape.ts'
import { readComplaint, COMPLAINT_REQUIRED, type ComplaintColumns } from '../../streams/complaint.ts'
import { isDelete } from '../../normalise/operation.ts'

const columns: ComplaintColumns & { operation: readonly string[] } = {
  operation: ['dsc_biz_operation'],
  recordNo: ['data.regId'],
  version: ['version'],
  type: ['data.formtype'],
  registered: ['data.recorddate'],
  updated: ['dsc_biz_timestamp'],
  state: ['data.state'],
  channel: ['data.appealsource'],
  reportedName: ['data.subjectname'],
  reportedCode: ['data.registerno'],
  verifiedName: ['data.cksubjectname'],
  verifiedCode: ['data.ckregisterno'],
  division: ['data.jyareacode'],
  object: ['data.objclassifycodeid'],
  issue: ['data.complaintstypecodeid'],
  online: ['data.isweb'],
  platform: ['data.shoppingplatform'],
  orderNo: ['data.ordernumber'],
  disputed: ['data.objmoney'],
  accepted: ['data.acceptdate'],
  refusal: ['data.refuseground'],
  transferredTo: ['data.transferto'],
  outcome: ['data.mediateresult'],
  ended: ['data.mediationenddate'],
  recovered: ['data.retrieveamount'],
  authority: ['data.handledepart'],
}

/** The change feed of a complaint table: whole rows with insert, update and delete. A deleted record never was. */
export const complaintChanges: Shape = {
  id: 'complaint-changes',
  title: ['12315 投诉变更流（NDJSON）', '12315 complaints, change feed'],
  stream: 'complaint',
  format: 'lines',
  columns,
  required: COMPLAINT_REQUIRED,
  dropped: [],
  version: ['变更流的版本号', 'the version number of the feed'],
  read: (row) => readComplaint(row, { deleted: isDelete(row.text('operation')) }),
}
