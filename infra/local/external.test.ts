import { expect, test } from 'vitest'
import { readExternal } from './external.ts'

test('nothing named, nothing taken', () => expect(readExternal(['sh'], {})).toEqual({}))

test('a region without its own Kafka user works as the common one', () => {
  const { kafka } = readExternal(['sh', 'zj'], {
    HUB_KAFKA_BROKERS: 'a:9092,b:9092', HUB_KAFKA_USERNAME: 'admin', HUB_KAFKA_PASSWORD: 'p', HUB_KAFKA_USERNAME_ZJ: 'zhejiang', HUB_KAFKA_PASSWORD_ZJ: 'q',
  })
  expect(kafka).toEqual({
    brokers: 'a:9092,b:9092',
    admin: { username: 'admin', password: 'p' },
    regions: { sh: { username: 'admin', password: 'p' }, zj: { username: 'zhejiang', password: 'q' } },
  })
})
