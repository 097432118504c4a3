import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { type CompiledSources, compileSources } from '../support/compiled-sources.js'
import { runScript } from '../support/host-process.js'

const folder = fileURLToPath(new URL('.', import.meta.url))

describe.concurrent('a process that ends while its ledger is away', () => {
  let sources: CompiledSources
  beforeAll(() => {
    sources = compileSources()
  })
  afterAll(() => sources.remove())

  const end = async (awayMs: number): Promise<unknown> => {
    const env = { SOURCES: sources.folder, AWAY_MS: String(awayMs) }
    const { output } = await runScript(`${folder}closing-worker.mjs`, folder, env)
    return JSON.parse(output)
  }

  it('lives until the rows are written, where the ledger comes back soon', async ({ expect }) => {
    expect(await end(1_500)).toEqual({ written: 1, lost: 0, told: [] })
  })

  it('says what is lost, where it does not', async ({ expect }) => {
    expect(await end(3_600_000)).toEqual({ written: 0, lost: 1, told: ['ledger rows are lost'] })
  })
})
