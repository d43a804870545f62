import type { Caller, Role } from '@hub/runtime/http'
import { expect, test } from 'vitest'
import { viewerOf } from './viewer.ts'

test.each<[Role[], unknown]>([
  [['reader'], { kind: 'bureau', region: 'zj', operator: false }],
  [['officer'], { kind: 'bureau', region: 'zj', operator: false }],
  [['approver'], { kind: 'bureau', region: 'zj', operator: false }],
  [['operator'], { kind: 'operator' }],
  [['operator', 'publisher'], { kind: 'operator' }],
  [['operator', 'reader'], { kind: 'bureau', region: 'zj', operator: true }],
])('%j looks as %j', (roles, viewer) => {
  expect(viewerOf({ roles } as Partial<Caller> as Caller, 'zj')).toEqual(viewer)
})
