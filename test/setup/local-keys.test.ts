import { expect, it } from 'vitest'
import { publicKeysYaml } from '@hub/local/local-files'
import { generateSigningKey, parsePublicKeys, sign } from '@hub/runtime/sign'

it('the launcher declares a key as the services read it', () => {
  const key = generateSigningKey()
  const bytes = Buffer.from('长三角')
  const keys = parsePublicKeys(publicKeysYaml(key.privateKey, new Date('2026-07-01T12:00:00Z')), 'keys.yaml')
  expect(keys.check({ kid: key.kid, signature: sign(key, bytes) }, bytes, Date.parse('2026-07-01T12:00:00Z'))).toBeUndefined()
})
