import { defineConfig } from 'vitest/config'

// These start processes, most of them from dist, which is built first.
const e2e = ['test/e2e/**/*.test.ts', 'test/chaos/**/*.test.ts']

export default defineConfig({
  test: {
    reporters: ['default', './test/helpers/closing-line.ts'],
    pool: 'forks',
    maxWorkers: 6,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: [...e2e, '**/node_modules/**'],
          // Each file puts back what it changes. Loading the modules again for each would take half of the time.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: e2e,
          globalSetup: 'test/helpers/build.ts',
          // What these test runs in processes of its own, so that the test files can share theirs.
          isolate: false,
        },
      },
    ],
  },
})
