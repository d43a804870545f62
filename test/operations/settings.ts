import { serviceSources } from '../docs/errors.ts'

/** Every setting that a service reads. */
export function settingNames(): Set<string> {
  return new Set(serviceSources().filter(({ path }) => path.endsWith('config.ts')).flatMap(({ text }) => [...text.matchAll(/env: '(HUB_[A-Z_]+)'/g)].map(([, name]) => name!)))
}
