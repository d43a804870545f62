/** Whether a change of a feed takes its row away: `delete`, `D`. */
export function isDelete(operation: string | undefined): boolean {
  return operation !== undefined && /^d(?:elete)?$/i.test(operation)
}
