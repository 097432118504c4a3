import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliOutcome, runCli } from '../../adapters/cli/run.js'
import { buildPage, findBrowser, lacksBrowser, screenshots } from './lab.js'

describe.skipIf(lacksBrowser())('a newcomer', () => {
  let printed = ''
  let server: CliOutcome
  let browser: Browser
  beforeAll(async () => {
    buildPage()
    const print = (text: string): void => void (printed += text)
    // What `npm start` runs once it has built.
    server = await runCli(['--port', '0'], { env: {}, out: print, error: print })
    browser = await chromium.launch({ executablePath: findBrowser() ?? '', args: ['--no-sandbox', '--disable-gpu'] })
  })
  afterAll(async () => {
    await browser?.close()
    if ('stop' in server) await server.stop()
  })

  /** The request that a printed curl line makes. */
  function requestOf(line: string): Request {
    const [, url = '', key = '', body = ''] = /^curl (\S+) -H 'authorization: (.+?)' .*? -d '(.*)'$/.exec(line) ?? []
    return new Request(url, {
      method: 'POST',
      headers: { authorization: key, 'content-type': 'application/json' },
      body,
    })
  }

  it('opens the one link that the demo prints, makes a printed call, and sees a chart of it', async () => {
    const lines = printed.split('\n')
    const links = lines.filter((line) => line.startsWith('http'))
    expect(links).toHaveLength(1)
    const page = await browser.newPage({ viewport: { width: 1280, height: 860 } })
    await page.goto(links[0] ?? '')
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    await page.getByText('no calls').waitFor()
    // The key does not stay in the address.
    expect(page.url()).toMatch(/#\/overview$/)
    const answer = await fetch(requestOf(lines[lines.indexOf('# chat') + 1] ?? ''))
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('chat.completion')])
    await page.reload()
    await page.locator('.chart canvas').waitFor()
    const table = page.getByRole('table', { name: 'Spend by day' })
    expect((await table.innerText()).trim().split('\n').at(-1)).toMatch(/^\d{4}-\d\d-\d\d\s+\$0\.0+\d+$/)
    await page.getByRole('button', { name: 'Requests' }).click()
    const requests = page.getByRole('table', { name: 'Requests by day' })
    expect((await requests.innerText()).trim().split('\n').at(-1)).toMatch(/\s1$/)
    await page.screenshot({ path: join(screenshots, 'first-chart.png') })
    await page.close()
  })
})
