import type { Access } from '@hub/runtime/http'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'

export interface Route {
  readonly method: string
  /** The template, as it was declared. */
  readonly url: string
  readonly access: Access | undefined
  /** Whether it answers with pages. */
  readonly page: boolean
}

interface Declared { method: string | string[]; url: string; config?: { access?: Access; page?: object } }
interface App { addHook(name: 'onRoute', hook: (route: Declared) => void): void }

/** Every route that the HTTP servers begun by `start` declare, whether or not a document lists it: Fastify itself tells them. */
export async function routesOf<T>(start: () => Promise<T>): Promise<{ started: T; routes: Route[] }> {
  const routes: Route[] = []
  const listen = (message: unknown): void => {
    (message as { fastify: App }).fastify.addHook('onRoute', ({ method, url, config }) => {
      for (const one of [method].flat()) if (one !== 'HEAD') routes.push({ method: one, url, access: config?.access, page: config?.page !== undefined })
    })
  }
  subscribe('fastify.initialization', listen)
  try {
    return { started: await start(), routes }
  } finally {
    unsubscribe('fastify.initialization', listen)
  }
}
