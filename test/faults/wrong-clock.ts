// Loaded before everything else (`--import`) into a process whose clock is to be wrong: by HUB_TEST_CLOCK_HOURS, as after a bad time server. Its monotonic clock is right.
const offset = Number(process.env['HUB_TEST_CLOCK_HOURS'] ?? 0) * 3_600_000
const RightDate = Date

class WrongDate extends RightDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(RightDate.now() + offset)
    else super(...(given as [string]))
  }

  static override now(): number {
    return RightDate.now() + offset
  }
}

globalThis.Date = WrongDate as DateConstructor
