import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type UiLab, buildPage, lacksBrowser, screenshots, startUiLab } from './lab.js'

const patience = { timeout: 60_000 }

let lab: UiLab

describe.skipIf(lacksBrowser())('the API docs, deep below a host’s paths', () => {
  beforeAll(async () => {
    buildPage()
    const names = ['demo', 'demo-embeddings', 'demo-images']
    lab = await startUiLab(
      { models: names.map((name) => ({ modelName: name, model: `fake/${name}`, prices: { input: 1, output: 4 } })) },
      '/a/b/c',
    )
  }, 120_000)
  afterAll(() => lab.close())

  const openForm = async (page: Page, path: string, method = 'POST') => {
    await page.getByLabel('Find').fill(path)
    await page.getByText(path, { exact: true }).first().click()
    return page.getByRole('form', { name: `Try ${method} ${path}`, exact: true })
  }

  /** Presses Tab until what has the focus begins with a text. */
  const tabTo = async (page: Page, text: string): Promise<void> => {
    for (let at = 0; at < 80; at++) {
      await page.keyboard.press('Tab')
      if (String(await page.evaluate('document.activeElement.textContent')).startsWith(text)) return
    }
    throw new Error(`Tab does not lead to ${text}`)
  }

  it('send a documented example as it is, and show what comes', patience, async () => {
    const page = await lab.open('docs/')
    for (const path of ['/v1/chat/completions', '/v1/embeddings', '/key/generate', '/user/new']) {
      const form = await openForm(page, path)
      await form.getByRole('button', { name: 'Send' }).click()
      await form.getByText('200', { exact: true }).waitFor()
    }
    const chat = await openForm(page, '/v1/chat/completions')
    await chat.getByLabel('Example').selectOption({ label: 'A streamed answer, with its usage at the end' })
    await chat.getByRole('button', { name: 'Send' }).click()
    await chat.getByText('[DONE]').waitFor()
    // What the example made a moment ago; the query is filled in.
    const info = await openForm(page, '/user/info', 'GET')
    await info.getByRole('button', { name: 'Send' }).click()
    await info.getByText('ann@example.com').waitFor()
    await page.screenshot({ path: join(screenshots, 'docs-example.png') })
    await page.close()
    expect(lab.problems).toEqual([])
    expect(lab.requests().filter((request) => !request.includes(' /a/b/c/'))).toEqual([])
  })

  it('send the headers that are given', patience, async () => {
    const page = await lab.open('docs/')
    const form = await openForm(page, '/v1/chat/completions')
    await form.getByText('Headers').click()
    await form.getByLabel('x-request-id').fill('from-the-docs')
    const answered = page.waitForResponse((response) => response.url().endsWith('/v1/chat/completions'))
    await form.getByRole('button', { name: 'Send' }).click()
    expect((await answered).headers()['x-request-id']).toBe('from-the-docs')
    await page.close()
  })

  it('show an answer’s example', patience, async () => {
    const page = await lab.open('docs/')
    await openForm(page, '/v1/embeddings')
    await page.getByText('What was asked for.').click()
    await page.getByText('Example: One text as a short vector').click()
    await page.getByText('"demo-embeddings"').first().waitFor()
    await page.close()
  })

  it('are used with the keyboard alone, on a phone', patience, async () => {
    const page = await lab.open('docs/', { viewport: { width: 360, height: 740 } })
    await page.getByLabel('Find').focus()
    await page.keyboard.type('/v1/embeddings')
    await tabTo(page, 'POST /v1/embeddings')
    await page.keyboard.press('Enter')
    const form = page.getByRole('form', { name: 'Try POST /v1/embeddings', exact: true })
    await form.waitFor()
    await tabTo(page, 'Send')
    await page.keyboard.press('Enter')
    await form.getByText('200', { exact: true }).waitFor()
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
    expect(await page.evaluate(overflow)).toBe(0)
    await page.screenshot({ path: join(screenshots, 'docs-phone.png') })
    await page.close()
    expect(lab.problems).toEqual([])
  })

  it('run no script but their own, and load nothing from elsewhere', patience, async () => {
    const answer = await fetch(`${lab.url}docs/`)
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'self'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
  })
})
