import { failpoint } from '@hub/runtime/failpoint'
import type { Signer } from '@hub/runtime/sign'
import { hash } from 'node:crypto'
import { shanghaiTime } from './completeness.ts'
import { approvedBytes } from './edition/assemble.ts'
import { contentOf, type Slot } from './slot.ts'
import { say, type Speaker } from './store/acts.ts'
import type { Run } from './store/announcements.ts'
import { readApproval } from './store/approvals.ts'

/** Says that two people of this region approved, where they have and it was not said yet: whatever was cut off after the second of them is made up for. */
export async function sayApproved(options: Speaker & { readonly signer: Signer }, { campaign, year }: Pick<Run, 'campaign' | 'year'>, { edition, draft, approved }: Slot): Promise<boolean> {
  const { db, region, signer } = options
  if (draft === undefined || approved.some((one) => one.region === region)) return false
  const { digests } = draft.body
  const approval = await readApproval(db, { campaign, year, edition, content: contentOf(digests) })
  if (approval === undefined || approval.secondBy === null) return false
  const at = shanghaiTime(approval.secondAt!.getTime())
  const number = `${region}-${campaign}-${year}-${edition}-${hash('sha256', contentOf(digests), 'hex').slice(0, 8)}`
  const { kid, signature } = signer.sign(approvedBytes({ campaign, year, edition }, digests, { region, at, approval: number }))
  const said = await say(options, { campaign, year, edition }, 'approved', contentOf(digests), { digests, approval: number, at, kid, signature: signature.toString('base64') })
  if (said) failpoint('announce.said', `${campaign}/${year} approved`)
  return said
}
