import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryCalls } from '../../src/stores/memory-calls.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { sampleCall } from '../../src/testing/contracts/sample-call.js'
import { sampleEntry } from '../../src/testing/contracts/sample-entry.js'
import { seededRandom } from '../support/seeded-random.js'
import { type UiLab, buildPage, lacksBrowser, screenshots, startUiLab } from './lab.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const kept = join(root, '.github/screenshots')
// `README_PICTURES=1 npx vitest run --config test/vitest.config.ts test/ui/pictures.test.ts` draws those of the README anew.
const folder = process.env['README_PICTURES'] === '1' ? kept : screenshots
const names = ['overview', 'logs', 'call', 'playground'] as const
const dollar = 1_000_000_000_000
const dayMs = 86_400_000

describe('the pictures of the README', () => {
  it('are there, and small', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    for (const name of names) expect(readme).toContain(`(.github/screenshots/${name}.png)`)
    expect(readdirSync(kept).toSorted()).toEqual(names.map((name) => `${name}.png`).toSorted())
    const sizes = names.map((name) => statSync(join(kept, `${name}.png`)).size)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(600_000)
  })
})

describe.skipIf(lacksBrowser())('a page with a month of calls', () => {
  let lab: UiLab
  beforeAll(async () => {
    buildPage()
    mkdirSync(folder, { recursive: true })
    const [ledger, calls] = [createMemoryLedger(), createMemoryCalls()]
    lab = await startUiLab({ stores: { ledger, calls } })
    await fill(lab, ledger, calls)
  })
  afterAll(() => lab?.close())

  async function take(page: Page, name: (typeof names)[number]): Promise<void> {
    await page.evaluate('document.fonts.ready')
    await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' })
    expect(lab.problems).toEqual([])
    await page.close()
  }

  const open = (path: string, height = 800): Promise<Page> =>
    lab.open(path, { colorScheme: 'light', viewport: { width: 1200, height } })

  it('shows the whole in charts', async () => {
    const page = await open('', 1_260)
    await page.locator('.chart canvas').waitFor()
    await page.getByRole('meter').first().waitFor()
    await take(page, 'overview')
  })

  it('shows calls of every outcome, and one of them whole', async () => {
    const page = await open('#/logs')
    await page.getByText('budget spent 429').first().waitFor()
    await take(page, 'logs')
    const one = await open('#/logs')
    await one.getByRole('row').filter({ hasText: 'req_fallback' }).getByRole('button').click()
    await one.getByText('3 attempts in').waitFor()
    await take(one, 'call')
  })

  it('shows two models side by side', async () => {
    const page = await open('#/playground')
    await page.getByRole('button', { name: 'Compare two models' }).click()
    await page.getByLabel('Message').fill('Which way does the water run?')
    await page.keyboard.press('Enter')
    for (const name of ['Model 1', 'Model 2']) {
      await page
        .getByRole('region', { name })
        .getByText(/^\$0\.0+\d+$/)
        .waitFor()
    }
    await take(page, 'playground')
  })
})

const teams = ['Search', 'Support', 'Research'] as const
const people = ['ada@example.com', 'grace@example.com', 'alan@example.com', 'edsger@example.com'] as const

/** A month in which three teams use two models. */
async function fill(
  lab: UiLab,
  ledger: ReturnType<typeof createMemoryLedger>,
  calls: ReturnType<typeof createMemoryCalls>,
): Promise<void> {
  const keys: string[] = []
  for (const [at, team] of teams.entries()) {
    const id = team.toLowerCase()
    await lab.admin('/team/new', {
      team_id: id,
      team_alias: team,
      max_budget: [60, 45, 30][at],
      budget_duration: '30d',
    })
    const made = await lab.admin('/key/generate', { key_alias: `${id} app`, team_id: id, max_budget: [80, 40, 90][at] })
    keys.push(String(made['key_id'] ?? made['token']))
  }
  const random = seededRandom(7)
  const now = Date.now()
  const entries = Array.from({ length: 900 }, (_, n) => {
    const at = now - Math.floor(n / 30) * dayMs
    const team = Math.floor(random() * 3)
    const isWise = random() < 0.4
    const money = BigInt(Math.round((isWise ? 0.12 : 0.03) * (0.4 + random()) * dollar))
    const failed = random() < 0.03
    return sampleEntry({
      id: `e${n}`,
      at,
      modelName: isWise ? 'wise' : 'fast',
      scopes: [
        { kind: 'team', id: (teams[team] ?? 'Search').toLowerCase() },
        { kind: 'key', id: keys[team] ?? '' },
      ],
      cost: money,
      charged: money,
      usage: { inputUncached: 900 + Math.floor(random() * 900), cacheRead: 300, outputText: 200 },
      ...(failed && { failure: 'overloaded', status: 503 }),
    })
  })
  await ledger.append(entries)
  await calls.append(sampleCalls(now))
}

type Sample = Parameters<typeof sampleCall>[0]

function sampleCalls(now: number): readonly ReturnType<typeof sampleCall>[] {
  const refused = (kind: string, status: number, message: string): Partial<Sample> => ({
    status: 'failure',
    error: { kind, status, code: kind, message } as NonNullable<Sample['error']>,
    attempts: [],
    inputTokens: 0,
    outputTokens: 0,
    cost: '0',
    charged: '0',
    priceLines: [],
    provider: undefined,
    deployment: undefined,
    model: undefined,
    modelName: undefined,
    requestedModel: 'wise',
  })
  const endings: readonly Partial<Sample>[] = [
    {},
    {},
    { ...refused('budget_exceeded', 429, 'The budget is spent.'), outcome: 'budget_exceeded' },
    { outcome: 'cached', cached: true, attempts: [], cost: '0', charged: '0' },
    {},
    { ...refused('invalid_request', 400, 'A guardrail refused it.'), outcome: 'guardrail_blocked' },
    { callId: 'req_fallback', ...withFallback(now - 11_000 * 6) },
    { ...refused('authentication', 401, 'No valid credential.'), outcome: 'unauthenticated', caller: '', scopes: [] },
    {},
    { ...refused('permission', 403, 'Not this model.'), outcome: 'not_allowed' },
    {},
    {},
  ]
  return endings.map((fields, n) => {
    const endedAt = now - n * 11_000
    const team = (teams[n % 3] ?? 'Search').toLowerCase()
    const base = sampleCall({
      id: `c${n}`,
      callId: `req_${(0xa1b2c3 + n * 7_919).toString(16)}`,
      modelName: n % 2 ? 'wise' : 'fast',
      requestedModel: n % 2 ? 'wise' : 'fast',
      caller: people[n % 4] ?? '',
      scopes: [
        { kind: 'team', id: team },
        { kind: 'user', id: people[n % 4] ?? '' },
      ],
      startedAt: endedAt - 640 - n * 90,
      firstTokenAt: endedAt - 300,
      endedAt,
      inputTokens: 800 + n * 137,
      outputTokens: 90 + n * 21,
      charged: `0.00${20 + n * 3}`,
    })
    return { ...base, ...fields }
  })
}

function withFallback(endedAt: number): Partial<Sample> {
  const attempt = (reason: string, from: number, to: number): NonNullable<Sample['attempts']>[number] => ({
    deployment: 'wise-1',
    provider: 'anthropic',
    model: 'claude-sonnet-4-5',
    modelName: 'wise',
    reason,
    outcome: 'failed',
    sent: true,
    startedAt: endedAt - from,
    firstTokenAt: undefined,
    endedAt: endedAt - to,
    error: { kind: 'overloaded', status: 529, code: 'overloaded_error', message: 'Overloaded' },
    cost: undefined,
  })
  return {
    attempts: [
      attempt('first', 2_900, 2_300),
      attempt('retry', 2_050, 1_400),
      {
        ...attempt('fallback', 1_380, 0),
        deployment: 'fast-1',
        provider: 'openai',
        model: 'gpt-5-mini',
        outcome: 'answered',
        error: undefined,
        firstTokenAt: endedAt - 940,
        cost: '0.0041',
      },
    ],
    startedAt: endedAt - 2_910,
    firstTokenAt: endedAt - 940,
    endedAt,
    cost: '0.0041',
    charged: '0.0041',
    priceLines: [
      { bucket: 'inputUncached', quantity: 1_240, rate: '0.00000125', per: 1, cost: '0.00155' },
      { bucket: 'outputText', quantity: 255, rate: '0.00001', per: 1, cost: '0.00255' },
    ],
    usage: { inputUncached: 1_240, outputText: 255 },
    inputTokens: 1_240,
    outputTokens: 255,
  }
}
