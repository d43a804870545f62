import type { Text } from '@hub/schemas/codes'
import { canonicalJson } from '../canonical.ts'
import { annexDigest } from './annex.ts'
import { changesBetween } from './changes.ts'
import type { Annex, Change, Digests, Statement } from './model.ts'

/** Why a region does not sign a draft: what its own replica says otherwise. `before` is the draft's number, `after` its own. */
export interface Disagreement {
  readonly part: 'figures' | 'traders' | 'cut' | 'statement'
  readonly text: Text
  readonly changes: readonly Change[]
}

/** What a draft says otherwise than this region computes from its own copies; nothing = it signs. */
export function disagreements(draft: { readonly statement: Statement, readonly digests: Pick<Digests, 'annex'> }, own: { readonly statement: Statement, readonly annex: Annex }): Disagreement[] {
  const found: Disagreement[] = []
  const changes = draft.statement.figures === null || own.statement.figures === null ? [] : changesBetween(draft.statement.figures, own.statement.figures)
  if (changes.length > 0) found.push({ part: 'figures', text: [`${changes.length}个数字与草案不同`, `${changes.length} numbers differ from the draft's`], changes })
  if (canonicalJson(draft.statement.basis) !== canonicalJson(own.statement.basis)) found.push({ part: 'cut', text: ['截数位置或停放事件与草案不同', 'the cut, or what was parked below it, differs from the draft'], changes: [] })
  if (draft.digests.annex !== annexDigest(own.annex)) found.push({ part: 'traders', text: ['经营者名单与草案不同', 'the list of traders differs from the draft'], changes: [] })
  if (found.length === 0 && canonicalJson(draft.statement) !== canonicalJson(own.statement)) found.push({ part: 'statement', text: ['草案的其他内容不同（口径、完整性说明或标题）', 'the draft differs otherwise: definitions, completeness or title'], changes: [] })
  return found
}
