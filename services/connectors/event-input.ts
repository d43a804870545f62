/** An event as the gateway takes it. */
export interface EventInput extends Readonly<Record<string, unknown>> {
  readonly recordId: string
  readonly kind: string
}
