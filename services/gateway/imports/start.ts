import { createImports, type ImportOptions, type Imports } from './imports.ts'
import { watchInboxes } from './inbox.ts'

/** Imports of this gateway and, where there are any, the folders that files come in by. */
export async function startImports({ inboxDir, ...options }: ImportOptions & { readonly inboxDir: string | null }): Promise<Imports> {
  const imports = await createImports(options)
  if (inboxDir === null) return imports
  const inboxes = watchInboxes(inboxDir, { db: options.db, imports, log: options.log })
  return {
    ...imports,
    async [Symbol.asyncDispose]() {
      await inboxes[Symbol.asyncDispose]()
      await imports[Symbol.asyncDispose]()
    },
  }
}
