/** Large bodies that may be under way at once, in all and for one caller. */
export interface Slots {
  /** Takes one for a caller and returns what gives it back (once), or undefined when there is none. */
  take(caller: string): (() => void) | undefined
}

export function createSlots(total: number, perCaller: number): Slots {
  const taken = new Map<string, number>()
  let all = 0
  return {
    take(caller) {
      const own = taken.get(caller) ?? 0
      if (all >= total || own >= perCaller) return undefined
      all++
      taken.set(caller, own + 1)
      let held = true
      return () => {
        if (!held) return
        held = false
        all--
        const left = taken.get(caller)! - 1
        if (left === 0) taken.delete(caller)
        else taken.set(caller, left)
      }
    },
  }
}
