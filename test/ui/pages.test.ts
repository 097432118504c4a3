import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type UiLab, buildPage, lacksBrowser, masterKey, screenshots, startUiLab } from './lab.js'

describe.skipIf(lacksBrowser())('the admin page', () => {
  let lab: UiLab

  beforeAll(async () => {
    buildPage()
    lab = await startUiLab({}, '/admin')
    await seed()
  })
  afterAll(() => lab?.close())

  async function seed(): Promise<void> {
    await lab.admin('/team/new', { team_id: 'search', team_alias: 'Search', max_budget: 0.01, budget_duration: '1d' })
    await lab.admin('/user/new', { user_id: 'ada', user_email: 'ada@example.com', auto_create_key: false })
    await lab.admin('/customer/new', { user_id: 'acme', alias: 'Acme', max_budget: 5 })
    const made = await lab.admin('/key/generate', { key_alias: 'web shop', team_id: 'search', models: ['fast', 'wise', 'broken'], max_budget: 1 })
    const call = (model: string) =>
      fetch(`${lab.url}api/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${String(made['key'])}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages: [{ role: 'user', content: 'How deep is the river at the sluice?' }] }),
      })
    for (const model of ['fast', 'fast', 'wise', 'broken']) await (await call(model)).text()
  }

  it('shows every page', { timeout: 120_000 }, async () => {
    const page = await lab.open()
    for (const name of ['Overview', 'Keys', 'Teams', 'Users', 'Customers', 'Tiers', 'Models', 'Logs', 'Playground']) {
      lab.requests()
      await page.getByRole('link', { name, exact: true }).click()
      await page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
      await page.waitForLoadState('networkidle')
      await page.screenshot({ path: join(screenshots, `${name}.png`) })
      console.log(name, lab.requests())
    }
    expect(lab.problems).toEqual([])
    expect(masterKey).not.toBe('')
  })
})
