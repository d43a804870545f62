import { defineConfig } from 'vitest/config'

const never = ['**/node_modules/**', '**/.hub/**']

// unit: needs nothing. stack: needs the real broker, registry and database, one set for the whole run.
export default defineConfig({
  test: {
    reporters: ['default', './test/setup/summary-reporter.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['**/*.test.ts'], exclude: [...never, '**/*.stack.test.ts'], testTimeout: 20_000 },
      },
      {
        extends: true,
        test: {
          name: 'stack',
          include: ['**/*.stack.test.ts'],
          exclude: never,
          globalSetup: './test/setup/stack.ts',
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
