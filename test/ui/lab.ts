import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { type Browser, type BrowserContext, type BrowserContextOptions, type Page, chromium } from 'playwright-core'
import { expressGateway } from '../../adapters/express.js'
import { uiGateway } from '../../adapters/ui.js'
import { type Gateway, type GatewayOptions, createGateway } from '../../src/index.js'
import { type FakeUpstream, fakeProvider, startFakeUpstream } from '../../src/testing/index.js'

/** The admin's credential. */
export const masterKey = 'sk-master-of-the-lab-0000'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The browser's program on PATH; undefined without one. */
export function findBrowser(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const programs = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) =>
    folders.map((folder) => join(folder, name)),
  )
  return programs.find((program) => existsSync(program))
}

/** True where the suite is to be skipped, which it says; with REQUIRE_SERVICES=1 a missing browser fails instead. */
export function lacksBrowser(): boolean {
  if (findBrowser() !== undefined) return false
  if (process.env['REQUIRE_SERVICES'] === '1') throw new Error('There is no chromium on PATH.')
  console.log('skipped: the page is tested in a real browser, and there is no chromium on PATH')
  return true
}

/** Builds the page from its sources, as `npm run build` does, unless what is built is as new as they are. */
export function buildPage(): void {
  const built = join(root, 'dist/ui/assets.cjs')
  const sources = readdirSync(join(root, 'src/ui/app'), { recursive: true, encoding: 'utf8' })
  const changed = [join(root, '.build/vite-ui.mjs'), ...sources.map((file) => join(root, 'src/ui/app', file))]
  if (existsSync(built) && changed.every((file) => statSync(file).mtimeMs < statSync(built).mtimeMs)) return
  execFileSync(process.execPath, [join(root, '.build/vite-ui.mjs')], { cwd: root, stdio: 'pipe' })
}

/** A gateway behind its page, and a browser. */
export interface UiLab {
  readonly gateway: Gateway<never>
  readonly upstream: FakeUpstream
  /** Where the page is, with the last slash. */
  readonly url: string
  /**
   * Opens a page, signed in unless `key` is null; problems that it reports end up in `problems`. Pages without options
   * share what the browser has loaded.
   */
  open(path?: string, options?: BrowserContextOptions & { readonly key?: string | null }): Promise<Page>
  /** Shows one of the admin's pages by its name, once everything that it asks for is there. */
  show(page: Page, name: string): Promise<void>
  /** Errors that a page threw or logged, refused requests apart. */
  readonly problems: string[]
  /** Requests to the gateway since the last call. */
  requests(): readonly string[]
  /** Asks the management API as the admin. */
  admin(path: string, body: object): Promise<Record<string, unknown>>
  close(): Promise<void>
}

/** Where screenshots are kept. */
export const screenshots = process.env['UI_SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'sluice-ui-'))

/** Starts all of it, the page below `mount`. */
export async function startUiLab(options: Partial<GatewayOptions<never>> = {}, mount = '/'): Promise<UiLab> {
  const upstream = await startFakeUpstream()
  const gateway = createGateway<never>({
    models: [
      { modelName: 'fast', model: 'fake/fast', prices: { input: 1, output: 4 } },
      { modelName: 'wise', model: 'fake/wise', prices: { input: 10, output: 40 } },
      { modelName: 'broken', model: 'fake/status-500' },
    ],
    providers: [fakeProvider(upstream.url)],
    masterKey,
    keys: true,
    ...options,
  })
  const app = express()
  const requests: string[] = []
  const problems: string[] = []
  app.use((request, _, next) => (requests.push(`${request.method} ${request.originalUrl}`), next()))
  app.use(mount, expressGateway(uiGateway(gateway)))
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const url = `http://127.0.0.1:${port}${mount.replace(/\/?$/, '/')}`
  let browser: Browser | undefined
  let shared: BrowserContext | undefined
  const openContext = async (key: string | null, options: BrowserContextOptions): Promise<BrowserContext> => {
    browser ??= await chromium.launch({ executablePath: findBrowser() ?? '', args: ['--no-sandbox', '--disable-gpu'] })
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options })
    if (key !== null) {
      const signIn = `sessionStorage.setItem('sluice.credential', ${JSON.stringify(key)})`
      await context.addInitScript(`if (location.protocol === 'http:') ${signIn}`)
    }
    return context
  }
  return {
    gateway,
    upstream,
    url,
    problems,
    requests: () => requests.splice(0),
    async open(path = '', own) {
      const { key = masterKey, ...options } = own ?? {}
      const context = (own ? undefined : shared) ?? (await openContext(key, options))
      if (!own && context !== shared) {
        shared = context
        context.once('close', () => (shared = undefined))
      }
      const page = await context.newPage()
      page.on('pageerror', (error) => problems.push(String(error)))
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().includes('Failed to load resource'))
          problems.push(message.text())
      })
      await page.goto(url + path)
      return page
    },
    async show(page, name) {
      await page.goto(`${url}#/${name}`)
      const isThere = 'main:has(h1):not(:has(.skeleton))'
      await page.locator(`.shell:has([aria-current=page][href="#/${name}"]) ${isThere}`).waitFor()
    },
    async admin(path, body) {
      const response = await fetch(`${url}api${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
      return (await response.json()) as Record<string, unknown>
    },
    async close() {
      await browser?.close()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await gateway.close({ drainMs: 0 })
      await upstream.close()
    },
  }
}
