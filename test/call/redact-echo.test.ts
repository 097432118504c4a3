import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Gateway, type ModelOptions, createGateway, defineProvider } from '../../src/index.js'
import { type FakeUpstream, type ScriptedAnswer, startFakeUpstream } from '../../src/testing/index.js'
import { anyCaller } from '../support/deployment.js'
import { requestOf } from '../support/http-request.js'

const key = 'zz9+planted/key=0123'
const addedHeader = 'zz9 planted header'
const fetchedToken = 'zz9.fetched.token'

let upstream: FakeUpstream
let gateway: Gateway
const log: unknown[] = []

beforeAll(async () => {
  upstream = await startFakeUpstream()
  const note = (...line: unknown[]): void => void log.push(line)
  const house = defineProvider({
    name: 'house',
    authorize: async (request, { apiKey }, { tokens }) => {
      const later = Date.now() + 3_600_000
      const token = await tokens.get('house', () => Promise.resolve({ token: fetchedToken, expiresAt: later }))
      const basic = Buffer.from(`user:${apiKey?.reveal()}`).toString('base64')
      const own = { authorization: `Basic ${basic}`, 'x-house-auth': addedHeader, 'x-session': token }
      return { ...request, headers: { ...request.headers, ...own } }
    },
  })
  const base: Pick<ModelOptions, 'apiKey' | 'baseUrl'> = { apiKey: key, baseUrl: `${upstream.url}/v1` }
  gateway = createGateway({
    providers: [house],
    models: [{ modelName: 'house', model: 'house/demo', ...base }],
    auth: { identify: () => anyCaller },
    retries: 0,
    env: {},
    logger: { debug: note, info: note, warn: note, error: note },
  })
})

beforeEach(() => {
  upstream.reset()
  log.length = 0
})

afterAll(async () => {
  await gateway.close({ drainMs: 0 })
  await upstream.close()
})

/** All that the upstream was sent, and where, as a careless server quotes it. */
function echo(headers: Readonly<Record<string, string | undefined>>): string {
  const { authorization = '', host, ...rest } = headers
  return `refused ${JSON.stringify({ ...rest, host })} ${authorization} ${authorization.split(' ')[1]} ${key} ${btoa(key)}`
}

type Answer = (quote: string) => ScriptedAnswer
const errorOf = (quote: string) => ({ message: quote, code: quote, param: quote, type: quote })
const content = `data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n`

const answers: readonly (readonly [string, boolean, Answer])[] = [
  [
    'a refusal',
    false,
    (quote) => ({ status: 400, body: { error: errorOf(quote) }, headers: { 'x-request-id': btoa(key) } }),
  ],
  [
    'a refusal in plain text',
    false,
    (text) => ({ status: 500, body: text, headers: { 'content-type': 'text/plain' } }),
  ],
  ['an error inside a 200', false, (quote) => ({ status: 200, body: { error: errorOf(quote) } })],
  [
    'an error that begins a stream',
    true,
    (quote) => ({ chunks: [`data: ${JSON.stringify({ error: errorOf(quote) })}\n\n`] }),
  ],
  [
    'an error in the middle of a stream',
    true,
    (quote) => ({ chunks: [content, { delayMs: 20 }, `data: ${JSON.stringify({ error: errorOf(quote) })}\n\n`] }),
  ],
]

describe.each(answers)('%s that quotes the request', (_, stream, answer) => {
  it('tells neither the client nor the log a credential or an address', async () => {
    upstream.script(({ headers }) => answer(echo(headers)))
    const messages = [{ role: 'user', content: 'Hi' }]
    const response = await gateway.handle(
      requestOf('POST', '/v1/chat/completions', { model: 'house', messages, stream }),
    )
    if (!response) throw new Error('not a path of the gateway')
    let text = JSON.stringify(response.headers)
    if ('stream' in response) for await (const piece of response.stream) text += Buffer.from(piece).toString()
    else text += Buffer.from(response.body ?? '').toString()
    expect(upstream.requests).toHaveLength(1)
    const { host } = new URL(upstream.url)
    const sent = JSON.stringify(upstream.requests[0]?.headers)
    const basic = Buffer.from(`user:${key}`).toString('base64')
    const quoted = [basic, addedHeader, fetchedToken]
    for (const secret of quoted) expect(sent).toContain(secret)
    expect(text).toContain('refused')
    for (const secret of [...quoted, key, btoa(key), host]) {
      expect(text).not.toContain(secret)
      expect(JSON.stringify(log)).not.toContain(secret)
    }
  })
})
