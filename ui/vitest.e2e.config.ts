import { defineConfig } from 'vitest/config'

/** The whole interface in a real browser, over the loopback host. `cargo xtask e2e --browser` builds both and runs this. */
export default defineConfig({
  test: {
    environment: 'node',
    include: ['tests/e2e/**/*.e2e.ts'],
    // One browser for all files: starting it costs more than the tests.
    fileParallelism: false,
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
})
