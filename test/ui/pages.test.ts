import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type UiLab, buildPage, lacksBrowser, masterKey, screenshots, startUiLab } from './lab.js'

const patience = { timeout: 60_000 }
const names = 'overview keys teams organizations users customers tiers models logs changes playground settings'.split(
  ' ',
)

describe.skipIf(lacksBrowser())('the admin page', () => {
  let lab: UiLab

  beforeAll(async () => {
    buildPage()
    lab = await startUiLab({ callbacks: { sinks: [], bodies: true } }, '/a/b')
    await lab.admin('/team/new', { team_id: 'search', team_alias: 'Search', max_budget: 2, budget_duration: '1d' })
    const made = await lab.admin('/key/generate', { key_alias: 'web shop', team_id: 'search', max_budget: 50 })
    for (const model of ['fast', 'fast', 'wise']) await callAs(String(made['key']), model)
  })
  afterAll(() => lab?.close())

  async function callAs(key: string, model: string): Promise<number> {
    const response = await fetch(`${lab.url}api/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model,
        max_tokens: 50,
        messages: [{ role: 'user', content: 'How deep is the river at the sluice?' }],
      }),
    })
    await response.text()
    return response.status
  }

  /** Waits for what a page asks for, keeps its picture, and lets go of it. */
  async function leave(page: Page, picture: string): Promise<void> {
    await page.screenshot({ path: join(screenshots, `${picture}.png`), fullPage: true })
    await page.close()
    expect(lab.problems).toEqual([])
  }

  const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name })
  const dialog = (page: Page) => page.getByRole('dialog')

  it('asks for a key where no login of the host counts, and forgets it on request', patience, async () => {
    const page = await lab.open('', { key: null })
    await page.getByLabel('Admin key').fill('sk-wrong-0000000000000')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()
    await page.screenshot({ path: join(screenshots, 'sign-in.png') })
    await page.getByLabel('Admin key').fill(masterKey)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    expect(await page.evaluate('JSON.stringify([localStorage, document.cookie])')).not.toContain(masterKey)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Admin key').waitFor()
    expect(await page.evaluate('sessionStorage.length')).toBe(0)
    await page.close()
  })

  it('shows what was spent, by whom, and how a budget stands', patience, async () => {
    const page = await lab.open()
    const tiles = page.locator('.tiles')
    await tiles.getByText('Requests', { exact: true }).waitFor()
    expect(await tiles.innerText()).toMatch(/Requests\s+3/)
    const top = (name: string) => page.getByRole('region', { name })
    expect(await top('Top models').innerText()).toMatch(/wise[\s\S]*fast/)
    expect(await top('Top keys').innerText()).toContain('web shop')
    expect(await top('Top teams').innerText()).toContain('Search')
    const gauges = top('Budgets nearest their limit')
    expect(await gauges.getByRole('meter', { name: 'Budget of team Search' }).getAttribute('aria-valuenow')).toBe('0')
    expect(await gauges.innerText()).toMatch(/team Search[\s\S]*of \$2\.00[\s\S]*key web shop[\s\S]*of \$50\.00/)
    await page.getByRole('button', { name: 'Requests' }).click()
    await page.getByRole('heading', { name: 'Requests over time' }).waitFor()
    const table = await page.getByRole('table', { name: 'Requests by day' }).innerText()
    expect(table.trim().split('\n').at(-1)).toMatch(/^\d{4}-\d\d-\d\d\s+3$/)
    await leave(page, 'overview')
  })

  it('makes a key that works, shows it once, changes, blocks, rotates and deletes it', patience, async () => {
    const page = await lab.open('#/keys')
    await page.getByRole('button', { name: 'Create key' }).click()
    await dialog(page).getByLabel('Name').fill('mobile app')
    await dialog(page).getByLabel('Models').fill('fast')
    await dialog(page).getByLabel('Budget in dollars').fill('12.5')
    await dialog(page).getByLabel('Requests a minute').fill('100')
    await page.screenshot({ path: join(screenshots, 'key-form.png') })
    await dialog(page).getByRole('button', { name: 'Create' }).click()
    const shown = dialog(page).getByLabel('The new key')
    const key = await shown.innerText()
    expect(await callAs(key, 'fast')).toBe(200)
    expect(await callAs(key, 'wise')).toBe(403)
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    await row(page, 'mobile app').waitFor()
    expect(await row(page, 'mobile app').innerText()).toMatch(/fast[\s\S]*\$12\.50[\s\S]*100 rpm/)
    expect(await page.content()).not.toContain(key)

    await page.getByRole('button', { name: 'Edit mobile app' }).click()
    await dialog(page).getByLabel('Models').fill('')
    await dialog(page).getByRole('button', { name: 'Save' }).click()
    await row(page, 'mobile app').getByText('all', { exact: true }).waitFor()
    expect(await callAs(key, 'wise')).toBe(200)
    // What was not touched stays.
    expect(await row(page, 'mobile app').innerText()).toContain('$12.50')

    await page.getByRole('button', { name: 'Block mobile app' }).click()
    await row(page, 'mobile app').getByText('blocked').waitFor()
    expect(await callAs(key, 'fast')).toBeGreaterThanOrEqual(401)
    await page.getByRole('button', { name: 'Unblock mobile app' }).click()
    await row(page, 'mobile app').getByText('active').waitFor()

    await page.getByRole('button', { name: 'Rotate mobile app' }).click()
    await dialog(page).getByRole('button', { name: 'Rotate' }).click()
    const next = await shown.innerText()
    expect([await callAs(key, 'fast'), await callAs(next, 'fast')]).toEqual([401, 200])
    await dialog(page).getByRole('button', { name: 'Done' }).click()

    await page.getByRole('button', { name: 'mobile app', exact: true }).click()
    await dialog(page)
      .getByText(/of \$12\.50 spent/)
      .waitFor()
    await page.screenshot({ path: join(screenshots, 'key-details.png') })
    await page.keyboard.press('Escape')
    await page.screenshot({ path: join(screenshots, 'keys.png') })
    await page.getByRole('button', { name: 'Delete mobile app' }).click()
    await dialog(page).getByRole('button', { name: 'Delete' }).click()
    await row(page, 'mobile app').waitFor({ state: 'detached' })
    expect(await callAs(next, 'fast')).toBe(401)
    await leave(page, 'keys-after')
  })

  it('says what is wrong with a form, at the field', patience, async () => {
    const page = await lab.open('#/keys')
    await page.getByRole('button', { name: 'Create key' }).click()
    await dialog(page).getByLabel('Valid for').fill('soon')
    await dialog(page).getByRole('button', { name: 'Create' }).click()
    await dialog(page).getByRole('alert').waitFor()
    expect(await dialog(page).getByLabel('Valid for').getAttribute('aria-invalid')).toBe('true')
    await leave(page, 'form-problem')
  })

  const kinds = [
    { title: 'Teams', noun: 'team', field: 'Name', value: 'Research' },
    { title: 'Organizations', noun: 'organization', field: 'Name', value: 'House' },
    { title: 'Users', noun: 'user', field: 'E-mail', value: 'ada@example.com' },
    { title: 'Customers', noun: 'customer', field: 'Name', value: 'Acme' },
    { title: 'Tiers', noun: 'tier', field: 'Budget in dollars', value: '7' },
  ]
  it.each(kinds)('makes, changes and deletes a $noun', patience, async ({ title, noun, field, value }) => {
    const page = await lab.open(`#/${title.toLowerCase()}`)
    await page.getByRole('button', { name: `Create ${noun}` }).click()
    await dialog(page).getByLabel('Id', { exact: true }).fill('made-here')
    await dialog(page).getByLabel(field).fill(value)
    await dialog(page).getByRole('button', { name: 'Create' }).click()
    await row(page, 'made-here').waitFor()
    await page.getByRole('button', { name: 'Edit made-here' }).click()
    expect(await dialog(page).getByLabel(field).inputValue()).toBe(value)
    await dialog(page).getByLabel('Requests a minute').fill('60')
    await dialog(page).getByRole('button', { name: 'Save' }).click()
    await row(page, 'made-here').getByText('60 rpm').waitFor()
    if (title !== 'Tiers') {
      await page.getByRole('button', { name: 'made-here', exact: true }).click()
      await dialog(page).getByText('without a budget of its own').waitFor()
      await page.keyboard.press('Escape')
    }
    await page.screenshot({ path: join(screenshots, `${title.toLowerCase()}.png`) })
    await page.getByRole('button', { name: 'Delete made-here' }).click()
    await dialog(page).getByRole('button', { name: 'Delete' }).click()
    await row(page, 'made-here').waitFor({ state: 'detached' })
    await leave(page, `${title.toLowerCase()}-after`)
  })

  it('gives a user a place in a team, takes it away, and tells who did it', patience, async () => {
    await lab.admin('/user/new', { user_id: 'grace', auto_create_key: false })
    const page = await lab.open('#/teams')
    await page.getByRole('button', { name: 'Members of search' }).click()
    const add = async (): Promise<void> => {
      await dialog(page).getByLabel('User').fill('grace')
      await dialog(page).getByLabel('Role').selectOption('admin')
      await dialog(page).getByRole('button', { name: 'Add member' }).click()
    }
    await add()
    await dialog(page).getByRole('row').filter({ hasText: 'grace' }).waitFor()
    await add()
    // Nobody has two places in one team.
    await dialog(page).getByRole('alert').waitFor()
    await page.screenshot({ path: join(screenshots, 'members.png') })
    await dialog(page).getByRole('button', { name: 'Remove grace' }).click()
    await dialog(page).getByText('No members yet').waitFor()
    expect(await dialog(page).getByRole('alert').count()).toBe(0)
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Changes' }).click()
    await page.getByRole('table').waitFor()
    const [removed, added] = [page.getByRole('row').nth(1), page.getByRole('row').nth(2)]
    expect(await removed.innerText()).toMatch(/deleted[\s\S]*member/)
    expect(await added.innerText()).toMatch(/created[\s\S]*member/)
    await added.getByRole('button').click()
    await dialog(page).getByText('"role": "admin"').waitFor()
    await leave(page, 'changes')
  })

  it('adds a deployment that takes calls, tests it, changes it, and takes it away', patience, async () => {
    const page = await lab.open('#/models')
    await page.getByRole('button', { name: 'Add deployment' }).click()
    await dialog(page).getByLabel('Model name').fill('added')
    await dialog(page).getByLabel('Provider and model').fill('openai/gpt-5-mini')
    await dialog(page).getByLabel('API key').fill('sk-of-the-provider-1234567')
    await dialog(page).getByLabel('Address').fill(`${lab.upstream.url}/v1`)
    await dialog(page).getByRole('button', { name: 'Add' }).click()
    await row(page, 'added').waitFor()
    await page.getByRole('button', { name: /^Test added/ }).click()
    await row(page, 'added')
      .getByText(/answered in/)
      .waitFor()
    expect(lab.upstream.requests.at(-1)?.headers['authorization']).toBe('Bearer sk-of-the-provider-1234567')
    expect(await page.content()).not.toContain('sk-of-the-provider')
    await page.getByRole('button', { name: /^Edit added/ }).click()
    await dialog(page).getByLabel('Requests a minute').fill('9')
    await dialog(page).getByRole('button', { name: 'Save' }).click()
    await dialog(page).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: /^Test broken/ }).click()
    await page.getByRole('alert').waitFor()
    await page.screenshot({ path: join(screenshots, 'models.png') })
    await page.getByRole('button', { name: /^Delete added/ }).click()
    await dialog(page).getByRole('button', { name: 'Delete' }).click()
    await row(page, 'added').waitFor({ state: 'detached' })
    await leave(page, 'models-after')
  })

  it('reads a long list of deployments page by page, and those of one model', patience, async () => {
    const params = { model: 'openai/gpt-5-mini', api_base: `${lab.upstream.url}/v1`, api_key: 'sk-provider-1234567' }
    for (let at = 0; at < 26; at++) {
      await lab.admin('/model/new', { model_name: `many-${at}`, litellm_params: params, model_info: { id: `m${at}` } })
    }
    const page = await lab.open('#/models')
    await page.getByRole('button', { name: 'Older' }).click()
    await page.getByText('Page 2').waitFor()
    await expect.poll(() => page.getByRole('row').count()).toBe(1 + 29 - 25)
    await page.getByLabel('Of model').fill('many-7')
    await page.keyboard.press('Tab')
    await row(page, 'many-7').waitFor()
    await expect.poll(() => page.getByRole('row').count()).toBe(2)
    for (let at = 0; at < 26; at++) await lab.admin('/model/delete', { id: `m${at}` })
    await leave(page, 'models-of-one')
  })

  it('finds calls by filters, page by page, and shows one whole', patience, async () => {
    const made = await lab.admin('/key/generate', { key_alias: 'busy', tags: ['nightly'] })
    for (let at = 0; at < 27; at++) await callAs(String(made['key']), 'fast')
    const page = await lab.open('#/logs')
    await page.getByLabel('Key', { exact: true }).fill('busy')
    await page.getByLabel('Tag', { exact: true }).fill('nightly')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('button', { name: 'Older' }).click()
    await page.getByText('Page 2').waitFor()
    // 27 calls: 25 on the first page.
    await expect.poll(() => page.getByRole('row').count()).toBe(3)
    await page.getByRole('row').nth(1).getByRole('button').click()
    await dialog(page).getByText('1 attempt in').waitFor()
    const text = await dialog(page).innerText()
    expect(text).toMatch(/outputText\s+\d+\s+\$4 per million/)
    expect(text).toContain('nightly')
    expect(await dialog(page).getByLabel('Request', { exact: true }).innerText()).toContain('How deep is the river')
    expect(await dialog(page).getByLabel('Answer', { exact: true }).innerText()).toContain('"assistant"')
    await page.screenshot({ path: join(screenshots, 'call.png') })
    await page.keyboard.press('Escape')
    await page.getByLabel('Model', { exact: true }).fill('nothing-like-this')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('No calls found').waitFor()
    await page.getByLabel('Model', { exact: true }).fill('fast')
    await page.getByLabel('Until').fill('2020-01-01T00:00')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('No calls found').waitFor()
    await page.getByLabel('Until').fill('')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('Page 1').waitFor()
    await leave(page, 'logs')
  })

  it('shows calls that were refused or failed, and their attempts in time', patience, async () => {
    const made = await lab.admin('/key/generate', {
      key_alias: 'tight',
      models: ['fast', 'broken'],
      max_budget: 0.000001,
    })
    const key = String(made['key'])
    const endings: readonly (readonly [string, number, string, string])[] = [
      ['sk-nobody-knows-this-key', 401, 'outcome:unauthenticated', 'not signed in 401'],
      [key, 403, 'outcome:not_allowed', 'not allowed 403'],
      [key, 429, 'outcome:budget_exceeded', 'budget spent 429'],
      [masterKey, 502, 'outcome:upstream_error', 'provider error 502'],
    ]
    const models = ['fast', 'wise', 'fast', 'broken']
    for (const [at, [credential, status]] of endings.entries()) {
      expect(await callAs(credential, models[at] ?? '')).toBe(status)
    }
    const page = await lab.open('#/logs')
    for (const [, , ending, told] of endings) {
      await page.getByLabel('Outcome').selectOption(ending)
      await page.getByRole('button', { name: 'Search' }).click()
      await page.getByText(told).first().waitFor()
    }
    await page.getByRole('row').nth(1).getByRole('button').click()
    await dialog(page).getByText('3 attempts in').waitFor()
    expect(await dialog(page).getByLabel('Attempts').innerText()).toMatch(/first[\s\S]*retry[\s\S]*retry/)
    expect(await dialog(page).locator('.waterfall').count()).toBe(3)
    await page.screenshot({ path: join(screenshots, 'failed-call.png') })
    await page.keyboard.press('Escape')
    await page.getByLabel('Outcome').selectOption('status:failure')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('budget spent 429').waitFor()
    await leave(page, 'logs-failed')
  })

  it('follows calls as they end', patience, async () => {
    const made = await lab.admin('/key/generate', { key_alias: 'followed' })
    const page = await lab.open('#/logs')
    await page.getByLabel('Key', { exact: true }).fill('followed')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('No calls found').waitFor()
    await page.getByRole('button', { name: 'Follow' }).click()
    await callAs(String(made['key']), 'fast')
    await page.getByRole('row').nth(1).waitFor()
    await page.getByRole('button', { name: 'Stop following' }).click()
    await leave(page, 'logs-followed')
  })

  it('streams the answers of two models side by side, with cost and code', patience, async () => {
    const page = await lab.open('#/playground')
    await page.getByRole('button', { name: 'Compare two models' }).click()
    await page.getByLabel('Message').fill('Which way does the water run?')
    await page.keyboard.press('Enter')
    for (const name of ['Model 1', 'Model 2']) {
      const lane = page.getByRole('region', { name })
      await lane
        .getByText(/Which way does the water run\?/)
        .nth(1)
        .waitFor()
      await lane.getByText(/^\$0\.0+\d+$/).waitFor()
      expect(await lane.innerText()).toMatch(/Finish\s+stop/)
    }
    expect(await page.getByLabel('The call in curl').innerText()).toContain('Which way does the water run?')
    await page.getByRole('button', { name: 'Python' }).click()
    expect(await page.getByLabel('The call in Python').innerText()).toContain('from openai import OpenAI')
    await page.getByLabel('Message').fill('And back?')
    await page.keyboard.press('Enter')
    await expect
      .poll(() => lab.upstream.requests.at(-1)?.body)
      .toMatchObject({ messages: [{ role: 'user' }, { role: 'assistant' }, { role: 'user' }] })
    await page.getByRole('region', { name: 'Model 1' }).getByText('Finish').waitFor()
    await leave(page, 'playground')
  })

  it('sends tools and images, and shows the tools that a model wants called', patience, async () => {
    const page = await lab.open('#/playground')
    await page.getByText('Instructions, sampling and tools').click()
    const tools = [{ type: 'function', function: { name: 'tide', parameters: { type: 'object' } } }]
    await page.getByLabel('Tools').fill(JSON.stringify(tools))
    const picture = await page.screenshot({ clip: { x: 0, y: 0, width: 40, height: 40 } })
    await page.getByLabel('Image (optional)').setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: picture })
    await page.getByAltText('What will be sent').waitFor()
    lab.upstream.script({ content: { toolCalls: [{ name: 'tide', arguments: { at: 'noon' } }] } })
    await page.getByLabel('Message').fill('What is on it?')
    await page.keyboard.press('Enter')
    await page.getByText('Finish').waitFor()
    const lane = page.getByRole('region', { name: 'Model' })
    expect(await lane.innerText()).toMatch(/tide[\s\S]*noon/)
    const sent = lab.upstream.requests.at(-1)?.body
    expect(sent).toMatchObject({
      stream: true,
      tools,
      messages: [
        { content: [{ type: 'text' }, { image_url: { url: `data:image/png;base64,${picture.toString('base64')}` } }] },
      ],
    })
    expect(await page.getByLabel('The call in curl').innerText()).toContain('"tide"')
    await leave(page, 'playground-tools')
  })

  it('tells of a stream that broke off, and of an answer that was stopped', patience, async () => {
    const page = await lab.open('#/playground')
    await page.getByLabel('Message').waitFor()
    lab.upstream.script('cut-3')
    await page.getByRole('region', { name: 'Model' }).getByRole('combobox').fill('broken')
    await page.getByLabel('Message').fill('Hello')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByRole('alert').waitFor()
    lab.upstream.script('hang')
    await page.getByRole('region', { name: 'Model' }).getByRole('combobox').fill('fast')
    await page.getByLabel('Message').fill('Hello again')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('Stopped.').waitFor()
    await leave(page, 'playground-stopped')
  })

  it('shows the settings in force, to be searched and copied, without a secret', patience, async () => {
    const page = await lab.open('#/settings', { permissions: ['clipboard-read', 'clipboard-write'] })
    await page.getByRole('region', { name: 'routing' }).waitFor()
    expect(await page.getByRole('region', { name: 'access' }).innerText()).toMatch(/masterKey\s+\*\*\*/)
    await page.screenshot({ path: join(screenshots, 'settings.png') })
    await page.getByLabel('Find').fill('consecutiveFailures')
    await page.getByRole('region', { name: 'access' }).waitFor({ state: 'detached' })
    expect(await page.getByRole('region', { name: 'routing' }).innerText()).toMatch(/cooldown\.consecutiveFailures\s+3/)
    await page.getByLabel('Find').fill('nothing like this')
    await page.getByText('Nothing found').waitFor()
    await page.getByRole('button', { name: 'Copy as JSON' }).click()
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    const copied = String(await page.evaluate('navigator.clipboard.readText()'))
    expect(JSON.parse(copied)).toMatchObject({ routing: { cooldown: { consecutiveFailures: 3 } } })
    expect(copied).not.toContain(masterKey)
    await leave(page, 'settings-searched')
  })

  it('asks the gateway at most five times for a page', patience, async () => {
    const page = await lab.open('#/none')
    const asked: string[] = []
    page.on('request', (request) => {
      if (request.url().includes('/api/')) asked.push(request.url())
    })
    const told: Record<string, number> = {}
    for (const name of names) {
      await page.goto('about:blank')
      asked.length = 0
      await lab.show(page, name)
      told[name] = asked.length
      expect(asked.length, `${name}:\n${asked.join('\n')}`).toBeLessThanOrEqual(5)
    }
    expect(Math.min(...Object.values(told)), JSON.stringify(told)).toBeGreaterThan(0)
    await page.close()
  })

  it('says so where the gateway cannot be reached, and tries again', patience, async () => {
    const page = await lab.open('#/keys')
    await page.getByRole('table').waitFor()
    await page.route('**/api/**', (route) => route.abort())
    await page.getByRole('link', { name: 'Teams' }).click()
    await page.getByText('The gateway cannot be reached').waitFor()
    await page.unroute('**/api/**')
    await page.getByRole('button', { name: 'Try again' }).click()
    await row(page, 'Search').waitFor()
    await page.close()
    lab.problems.length = 0
  })

  it('documents both APIs and lets one try them', patience, async () => {
    const page = await lab.open('docs/')
    await page.getByLabel('Find').fill('key generate')
    await page.getByText('Nothing found').waitFor()
    await page.getByLabel('Find').fill('/key/generate')
    await page.getByText('/key/generate').click()
    await page.getByText('max_budget').first().waitFor()
    const form = page.getByRole('form', { name: 'Try POST /key/generate' })
    await form.getByLabel('Body').fill('{ "key_alias": "from the docs" }')
    await form.getByRole('button', { name: 'Send' }).click()
    await form.getByText('200').waitFor()
    expect(await form.getByLabel('Answer').innerText()).toContain('from the docs')
    await page.screenshot({ path: join(screenshots, 'docs-try.png') })
    await page.getByLabel('Find').fill('/v1/chat/completions')
    await page.getByText('/v1/chat/completions', { exact: true }).click()
    const chat = page.getByRole('form', { name: 'Try POST /v1/chat/completions' })
    await chat
      .getByLabel('Body')
      .fill('{ "model": "fast", "stream": true, "messages": [{ "role": "user", "content": "Hello" }] }')
    await chat.getByRole('button', { name: 'Send' }).click()
    await chat.getByText('[DONE]').waitFor()
    await leave(page, 'docs')
  })
})
