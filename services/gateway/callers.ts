/** Whether a caller's list of sources or authorities names a value. */
export function allows(list: readonly string[], value: string): boolean {
  return list.includes(value) || list.includes('*')
}
