import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    // Real browsers, databases and processes on shared machines: once more before a run is lost. What fails twice fails.
    retry: process.env['CI'] ? 1 : 0,
    hookTimeout: 60_000,
    // Loading the sources anew for each file takes longer than the tests; no test keeps anything in a module.
    isolate: false,
    // One more than the cores of a small machine, as many tests wait for clocks and processes.
    maxWorkers: 3,
  },
})
