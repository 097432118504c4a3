import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { type CompiledSources, compileSources } from '../support/compiled-sources.js'
import { runScript } from '../support/host-process.js'
import { hasService } from '../support/services.js'

const folder = fileURLToPath(new URL('soak', import.meta.url))
const has = {
  postgres: await hasService('postgres'),
  mysql: await hasService('mysql'),
  redis: await hasService('redis'),
}

interface Run {
  readonly script: string
  readonly needs: readonly (keyof typeof has)[]
  readonly settings: Readonly<Record<string, string>>
}

const short = { PROCESSES: '2', RATE: '100', SECONDS: '4', OUTAGE: '2' }

/** Short versions of the runs that take minutes. */
const runs: Readonly<Record<string, Run>> = {
  'PostgreSQL goes away: no row of two processes is lost, and none of one that is killed': {
    script: 'ledger-soak.mjs',
    needs: ['postgres'],
    settings: { ...short, DIALECT: 'postgres' },
  },
  'the same with MariaDB': {
    script: 'ledger-soak.mjs',
    needs: ['mysql'],
    settings: { ...short, DIALECT: 'mysql' },
  },
  'a key that is revoked opens nothing at either process, and a limit is one for three': {
    script: 'revocation-soak.mjs',
    needs: ['postgres', 'redis'],
    settings: { ROUNDS: '1', RATE: '60', RACES: '20' },
  },
  'the usage queries count every row of a large ledger once': {
    script: 'five-million-rows.mjs',
    needs: ['postgres'],
    // How long they take is for a machine that does nothing else.
    settings: { ROWS: '1000', CALLS: '40', SLOWEST_MS: '60000' },
  },
}

describe.concurrent('in short', () => {
  let sources: CompiledSources
  beforeAll(() => {
    sources = compileSources()
  })
  afterAll(() => sources.remove())

  it.for(Object.entries(runs))(
    '%s',
    { timeout: 120_000 },
    async ([, { script, needs, settings }], { expect, skip }) => {
      if (!needs.every((service) => has[service])) return skip()
      const { code, output } = await runScript(`${folder}/${script}`, folder, { SOURCES: sources.folder, ...settings })
      console.log(output)
      expect(code, output).toBe(0)
    },
  )
})
