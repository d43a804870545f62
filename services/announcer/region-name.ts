import { CODES, type Text } from '@hub/schemas/codes'
import type { Region } from '@hub/schemas/streams'

/** 上海, Shanghai. */
export function regionName(region: Region): Text {
  return CODES['region']!.codes[region]!
}
