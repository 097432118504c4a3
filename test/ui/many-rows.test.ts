import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sqlStores } from '../../adapters/sql.js'
import type { CallRecord } from '../../src/ports/callback.js'
import type { LedgerEntry } from '../../src/ports/ledger.js'
import { refusedCall, sampleCall } from '../../src/testing/contracts/sample-call.js'
import { sampleEntry } from '../../src/testing/contracts/sample-entry.js'
import { type TestDatabase, openPostgres } from '../adapters/sql/databases.js'
import { type UiLab, buildPage, lacksBrowser, startUiLab } from './lab.js'

// A million: `UI_LOG_ROWS=1000000 npx vitest run --config test/vitest.config.ts test/ui/many-rows.test.ts`.
const rows = Number(process.env['UI_LOG_ROWS'] ?? 20_000)
const firstRows = 1_000
// Few of them are there to see that it works, not to be measured.
const turns = rows > 100_000 ? 3 : 1
const hourMs = 3_600_000
const patience = { timeout: 60_000 + rows / 2 }

const opened = lacksBrowser() ? undefined : await openPostgres()

describe.skipIf(!opened)(`a log of ${rows} calls in PostgreSQL`, () => {
  let lab: UiLab
  let database: TestDatabase
  let key: string
  beforeAll(async () => {
    if (!opened) return
    database = opened
    buildPage()
    const stores = sqlStores(database.database, { prefix: database.prefix })
    await stores.migrate()
    lab = await startUiLab({ stores })
    const made = await lab.admin('/key/generate', { key_alias: 'busy', max_budget: 1_000 })
    key = String(made['key'])
    const info = await fetch(`${lab.url}api/key/info?key=${key}`, { headers: { authorization: `Bearer ${key}` } })
    const { info: record } = (await info.json()) as { info: { key_id: string } }
    const keys = [record.key_id, ...Array.from({ length: 9 }, (_, n) => `k${n}`)]
    await stores.ledger.append(Array.from({ length: firstRows }, (_, n) => toEntry(n, keys)))
    await stores.calls.append(Array.from({ length: firstRows }, (_, n) => toCall(n, keys)))
  })
  afterAll(async () => {
    await lab?.close()
    await opened?.close()
  })

  it('shows every page, and measures how long each takes beside one of a thousand calls', patience, async () => {
    const few = await measureAll()
    await multiply(database, rows / firstRows - 1)
    const many = await measureAll()
    const lines = Object.entries(many).map(([name, took]) => `${name}: ${few[name]} ms, then ${took} ms`)
    console.log(`time to content with ${firstRows} calls, then with ${rows}:\n  ${lines.join('\n  ')}`)
    const { rows: counted } = await database.database.query({
      sql: `SELECT (SELECT COUNT(*) FROM ${database.prefix}calls) AS calls, (SELECT COUNT(*) FROM ${database.prefix}ledger) AS entries`,
      values: [],
    })
    expect([Number(counted[0]?.['calls']), Number(counted[0]?.['entries'])]).toEqual([rows, rows])
    expect(lab.problems).toEqual([])
  })

  /** The best time in milliseconds: other tests take their share of the machine. */
  async function measureAll(): Promise<Record<string, number>> {
    const page = await lab.open('#/none')
    const told: Record<string, number> = {}
    for (const [name, show] of Object.entries(views)) {
      const times: number[] = []
      for (let turn = 0; turn < turns; turn++) {
        await page.goto('about:blank')
        const began = performance.now()
        await show(page)
        times.push(performance.now() - began)
      }
      told[name] = Math.round(Math.min(...times))
    }
    await page.close()
    return told
  }

  const open = (page: Page, name: string): Promise<unknown> => page.goto(`${lab.url}#/${name}`)
  const firstRow = (page: Page): Promise<void> => page.getByRole('row').nth(1).waitFor()
  const searchLogs = async (page: Page, label: string, text: string): Promise<void> => {
    await open(page, 'logs')
    await firstRow(page)
    const field = page.getByLabel(label, { exact: true })
    await (label === 'Outcome' ? field.selectOption(text) : field.fill(text))
    await page.getByRole('button', { name: 'Search' }).click()
    // The rows of before give way to the skeleton first.
    await page.getByRole('status', { name: 'Loading' }).waitFor({ state: 'detached' })
    await firstRow(page)
  }
  const views: Readonly<Record<string, (page: Page) => Promise<void>>> = {
    Overview: async (page) => {
      await open(page, 'overview')
      await page.locator('.chart canvas').waitFor()
    },
    Keys: async (page) => {
      await open(page, 'keys')
      await firstRow(page)
    },
    Models: async (page) => {
      await open(page, 'models')
      await firstRow(page)
    },
    Logs: async (page) => {
      await open(page, 'logs')
      await firstRow(page)
    },
    'Logs, page 2': async (page) => {
      await open(page, 'logs')
      await page.getByRole('button', { name: 'Older' }).click()
      await page.getByText('Page 2').waitFor()
      await firstRow(page)
    },
    'Logs of a key': (page) => searchLogs(page, 'Key', 'busy'),
    'Logs of a model': (page) => searchLogs(page, 'Model', 'model 3'),
    'Logs of a tag': (page) => searchLogs(page, 'Tag', 'rare'),
    'Logs that failed': (page) => searchLogs(page, 'Outcome', 'status:failure'),
    'One call': async (page) => {
      await open(page, 'logs')
      await page.getByRole('row').nth(1).getByRole('button').click()
      await page.getByRole('dialog').getByText('1 attempt in').waitFor()
    },
  }
})

/** Entries over 30 days, models and keys, so that roll-ups are as many as those of a busy month. */
function toEntry(n: number, keys: readonly string[]): LedgerEntry {
  return sampleEntry({
    id: `e${n}`,
    callId: `call ${n}`,
    at: Date.now() - (n % 720) * hourMs,
    modelName: `model ${n % 20}`,
    scopes: [
      { kind: 'team', id: `team ${n % 5}` },
      { kind: 'key', id: keys[n % 10] ?? '' },
    ],
    ...(n % 50 === 7 && { failure: 'overloaded', status: 503 }),
  })
}

function toCall(n: number, keys: readonly string[]): CallRecord {
  const fields = {
    id: `c${n}`,
    callId: `call ${n}`,
    endedAt: Date.now() - (n % 720) * hourMs - (n === 0 ? 0 : 60_000),
    requestedModel: `model ${n % 20}`,
    scopes: [
      { kind: 'team', id: `team ${n % 5}` },
      { kind: 'key', id: keys[n % 10] ?? '' },
    ],
    tags: n % 500 === 11 ? ['rare'] : ['night'],
  } as const
  return n % 50 === 7 ? refusedCall(fields) : sampleCall({ ...fields, modelName: fields.requestedModel })
}

/** Each row so many times again, a little earlier each time. */
async function multiply(test: TestDatabase, times: number): Promise<void> {
  const { database, prefix } = test
  const again = (id: string): string => `${id} || '-' || n`
  const tables: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    ledger: { id: again('t.id'), at_ms: 't.at_ms - n * 2500' },
    ledger_scopes: { entry_id: again('t.entry_id'), at_ms: 't.at_ms - n * 2500' },
    calls: {
      id: again('t.id'),
      ended_ms: 't.ended_ms - n * 2500',
      record_json: `replace(t.record_json, '"id":"' || t.id || '"', '"id":"' || ${again('t.id')} || '"')`,
    },
    call_marks: { record_id: again('t.record_id'), ended_ms: 't.ended_ms - n * 2500' },
  }
  for (const [table, changed] of Object.entries(tables)) {
    const sql = 'SELECT column_name FROM information_schema.columns WHERE table_name = ?'
    const columns = (await database.query({ sql, values: [prefix + table] })).rows.map((row) =>
      String(row['column_name']),
    )
    const selected = columns.map((column) => changed[column] ?? `t.${column}`)
    await test.run(
      `INSERT INTO ${prefix}${table} (${columns.join(', ')}) SELECT ${selected.join(', ')} FROM ${prefix}${table} t, generate_series(1, ${times}) n`,
    )
    // As the database does by itself after a while.
    await test.run(`ANALYZE ${prefix}${table}`)
  }
}
