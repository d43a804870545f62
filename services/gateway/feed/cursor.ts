/** A place in the change feed of one replica: after the change of this number. */
export interface Cursor {
  readonly replica: string
  readonly change: number
}

const CURSOR = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(\d{1,15})$/

/** `<replica id>-<number>` */
export function cursorText({ replica, change }: Cursor): string {
  return `${replica}-${change}`
}

/** Undefined for what is no cursor. */
export function parseCursor(text: string): Cursor | undefined {
  const [, replica, change] = CURSOR.exec(text) ?? []
  return replica === undefined ? undefined : { replica, change: Number(change) }
}
