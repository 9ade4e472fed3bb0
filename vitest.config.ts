import { defineConfig } from 'vitest/config'

export default defineConfig({
  // a worker for each of two cores: left alone, it takes one less than there are
  test: { include: ['test/**/*.test.ts'], globalSetup: 'test/build.ts', testTimeout: 60_000, maxWorkers: 2 },
})
