/** How far a complaint has come (design 12). */
export type StateClass = 'pending' | 'transferred' | 'refused' | 'accepted' | 'unknown'

export function stateClass(state: string | null): StateClass {
  switch (state) {
    case null:
      return 'unknown'
    case 'received':
      return 'pending'
    case 'transferred':
    case 'refused':
      return state
    default:
      return 'accepted'
  }
}
