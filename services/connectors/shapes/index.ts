import type { Shape } from '../shape.ts'
import { complaintCases } from './complaint-cases/index.ts'
import { complaintChanges } from './complaint-changes/index.ts'
import { complaintTable } from './complaint-table/index.ts'
import { creditFeed } from './credit-feed/index.ts'
import { creditLog } from './credit-log/index.ts'
import { creditNamelist } from './credit-namelist/index.ts'
import { creditPages } from './credit-pages/index.ts'
import { creditPenalties } from './credit-penalties/index.ts'
import { inspectionFood } from './inspection-food/index.ts'
import { inspectionNotice } from './inspection-notice/index.ts'
import { inspectionProduct } from './inspection-product/index.ts'

/** Every shape the hub reads. A new source is a folder here and a line in this list. */
export const SHAPES: readonly Shape[] = [
  complaintTable, complaintCases, complaintChanges,
  creditFeed, creditPages, creditNamelist, creditLog, creditPenalties,
  inspectionFood, inspectionProduct, inspectionNotice,
]
