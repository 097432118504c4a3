import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type UiLab, buildPage, lacksBrowser, screenshots, startUiLab } from './lab.js'

const patience = { timeout: 90_000 }
const audit = readFileSync(new URL('audit-page.js', import.meta.url), 'utf8')
const pages = [
  'overview',
  'keys',
  'teams',
  'organizations',
  'users',
  'customers',
  'tiers',
  'models',
  'logs',
  'changes',
  'playground',
  'settings',
] as const

/** What would run, break out of its place, or push the page apart, if it were taken for more than text. */
const hostile = [
  '<img src=x onerror="window.pwned=1">',
  '"><script>window.pwned=1</script>',
  '</title><svg onload=window.pwned=1>',
  'javascript:window.pwned=1//\'"`${window.pwned=1}{{7*7}}',
  '\u202e\u0338' + 'W'.repeat(150),
]

describe.skipIf(lacksBrowser())('the admin page for everybody', () => {
  let lab: UiLab

  beforeAll(async () => {
    buildPage()
    lab = await startUiLab()
    for (const [at, text] of hostile.entries()) {
      await lab.admin('/team/new', {
        team_id: `${at}${text}`,
        team_alias: text,
        models: ['fast', text],
        metadata: { [text]: text },
        max_budget: 3,
      })
      await lab.admin('/user/new', {
        user_id: `${at}${text}`,
        user_email: text,
        user_alias: text,
        auto_create_key: false,
      })
      await lab.admin('/customer/new', { user_id: `${at}${text}`, alias: text })
      await lab.admin('/budget/new', { budget_id: `${at}${text}`, max_budget: 1 })
      const made = await lab.admin('/key/generate', {
        key_alias: text,
        team_id: `${at}${text}`,
        user_id: `${at}${text}`,
        tags: [text],
        models: ['fast', text],
        metadata: { [text]: text },
      })
      const params = {
        model: 'openai/gpt-5-mini',
        api_base: `${lab.upstream.url}/v1`,
        api_key: 'sk-provider-1234567',
        tags: [text],
      }
      await lab.admin('/model/new', { model_name: text, litellm_params: params })
      for (const model of ['fast', text]) {
        const response = await fetch(`${lab.url}api/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${String(made['key'])}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            model,
            user: text,
            max_tokens: 200,
            metadata: { note: text },
            messages: [{ role: 'user', content: text }],
          }),
        })
        await response.text()
      }
    }
  })
  afterAll(() => lab?.close())

  /** Nothing that was typed in became an element, or ran. */
  async function expectTextOnly(page: Page): Promise<void> {
    expect(await page.evaluate('window.pwned')).toBeUndefined()
    expect(await page.locator('img[src="x"], svg[onload], body script, [onerror]').count()).toBe(0)
    expect(lab.problems).toEqual([])
  }

  it.each([
    { theme: 'light', width: 1280 },
    { theme: 'dark', width: 1280 },
    { theme: 'light', width: 360 },
    { theme: 'dark', width: 360 },
  ] as const)(
    'can be read, and named, in $theme at $width px, whatever is in the records',
    patience,
    async ({ theme, width }) => {
      const page = await lab.open('', { colorScheme: theme, viewport: { width, height: 800 } })
      for (const name of pages) {
        await lab.show(page, name)
        expect(await page.evaluate(audit), name).toEqual([])
        await expectTextOnly(page)
        await page.screenshot({ path: join(screenshots, `${name}-${theme}-${width}.png`) })
      }
      await page.close()
    },
  )

  it('keeps hostile texts texts in every dialog', patience, async () => {
    const page = await lab.open()
    const dialog = page.getByRole('dialog')
    const openings: readonly (readonly [string, string])[] = [
      ['keys', 'Edit'],
      ['keys', 'Rotate'],
      ['keys', 'Delete'],
      ['teams', 'Edit'],
      ['teams', 'Delete'],
      ['users', 'Edit'],
      ['customers', 'Edit'],
      ['tiers', 'Edit'],
      ['models', 'Edit'],
      ['models', 'Delete'],
    ]
    for (const [name, verb] of openings) {
      await lab.show(page, name)
      for (const at of [0, 1]) {
        await page
          .getByRole('button', { name: new RegExp(`^${verb} `) })
          .nth(at)
          .click()
        await dialog.waitFor()
        expect(await page.evaluate(audit), `${name} ${verb}`).toEqual([])
        await expectTextOnly(page)
        await page.keyboard.press('Escape')
        await dialog.waitFor({ state: 'detached' })
      }
    }
    for (const name of ['keys', 'teams', 'users', 'customers', 'logs', 'changes']) {
      await lab.show(page, name)
      for (const at of [0, 2, 4]) {
        await page.locator('td button.link').nth(at).click()
        await dialog.locator('dl, pre').first().waitFor()
        expect(await page.evaluate(audit), name).toEqual([])
        await expectTextOnly(page)
        await page.keyboard.press('Escape')
        await dialog.waitFor({ state: 'detached' })
      }
    }
    await page.close()
  })

  it('keeps what models and providers say text', patience, async () => {
    const page = await lab.open('#/playground')
    for (const text of hostile) {
      lab.upstream.script(
        { content: { text } },
        { status: 400, body: { error: { message: text, type: 'invalid_request_error' } } },
      )
      await page.getByLabel('Message').fill(text)
      await page.keyboard.press('Enter')
      await page.getByText('Finish').waitFor()
      await expectTextOnly(page)
      await page.getByLabel('Message').fill('again')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').waitFor()
      await expectTextOnly(page)
      await page.getByRole('button', { name: 'Clear' }).click()
    }
    await page.close()
  })

  it('can be used with the keyboard alone', patience, async () => {
    const page = await lab.open('#/teams')
    await page.getByRole('button', { name: 'Create team' }).waitFor()
    const focused = 'document.activeElement.textContent.trim() || document.activeElement.getAttribute("aria-label")'
    const order: unknown[] = []
    for (let at = 0; at < 19; at++) {
      await page.keyboard.press('Tab')
      order.push(await page.evaluate(focused))
      expect(
        await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'),
        String(order.at(-1)),
      ).not.toBe('none')
    }
    expect(order.slice(0, 17)).toEqual([
      'Skip to content',
      'Overview',
      'Keys',
      'Teams',
      'Organizations',
      'Users',
      'Customers',
      'Tiers',
      'Models',
      'Logs',
      'Changes',
      'Playground',
      'Settings',
      'API docs',
      'Dark theme',
      'Sign out',
      'Create team',
    ])
    // A dialog takes the focus, keeps it, and gives it back.
    await page.getByRole('button', { name: 'Create team' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    for (let at = 0; at < 40; at++) {
      await page.keyboard.press('Tab')
      expect(
        await page.evaluate(
          'document.activeElement === document.body || document.querySelector("dialog").contains(document.activeElement)',
        ),
      ).toBe(true)
    }
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await page.evaluate(focused)).toBe('Create team')
    await page.close()
  })

  it('remembers the theme that was chosen', patience, async () => {
    const page = await lab.open('', { colorScheme: 'light' })
    await page.getByRole('button', { name: 'Dark theme' }).click()
    await page.reload()
    await page.getByRole('button', { name: 'Light theme' }).waitFor()
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
    await page.close()
  })

  it.each(['light', 'dark'] as const)('documents the API readably in %s', patience, async (colorScheme) => {
    for (const width of [1280, 360]) {
      const page = await lab.open('docs/', { colorScheme, viewport: { width, height: 800 } })
      await page.getByLabel('Find').fill('/v1/chat/completions')
      await page.getByText('/v1/chat/completions', { exact: true }).click()
      await page.getByRole('form').waitFor()
      expect(await page.evaluate(audit)).toEqual([])
      await page.screenshot({ path: join(screenshots, `docs-${colorScheme}-${width}.png`) })
      await page.close()
    }
    expect(lab.problems).toEqual([])
  })
})
