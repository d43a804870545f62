import { HubError } from '../errors.ts'

/** Kafka's name of what the broker said (`TOPIC_AUTHORIZATION_FAILED`), anywhere along the causes. */
export function brokerErrorType(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const type = (at as { type?: unknown }).type
    if (typeof type === 'string') return type
  }
  return undefined
}

/** What a failed connection means: a broker that refuses us will go on refusing, one that is silent may answer later. */
export function connectionFailure(error: unknown): HubError {
  const message = error instanceof Error ? error.message : String(error)
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at.name === 'KafkaJSSASLAuthenticationError') return new HubError('BROKER_LOGIN_REFUSED', `the broker refuses the user name or password: ${message}`, { cause: error })
  }
  if (brokerErrorType(error)?.endsWith('_AUTHORIZATION_FAILED') === true) return new HubError('BROKER_REFUSED', `the broker refuses: ${message}`, { cause: error })
  return new HubError('BROKER_UNREACHABLE', `the broker does not answer: ${message}`, { cause: error, retriable: true })
}
