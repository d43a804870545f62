import type { Shape } from '../shape.ts'
import { complaintCases } from './complaint-cases/index.ts'
import { complaintChanges } from './complaint-changes/index.ts'
import { complaintTable } from './complaint-table/index.ts'

/** Every shape the hub reads. A new source is a folder here and a line in this list. */
export const SHAPES: readonly Shape[] = [complaintTable, complaintCases, complaintChanges]
