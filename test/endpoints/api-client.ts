import { createServer } from 'node:http'
import { nodeGateway } from '../../adapters/node.js'
import { wholeGateway } from '../../adapters/whole-description.js'
import { systemClock } from '../../src/clock.js'
import { createGateway } from '../../src/index.js'
import type { Clock } from '../../src/ports.js'
import { type FakeUpstream, fakeProvider } from '../../src/testing/index.js'
import { type JsonObject, parseJson } from '../../src/wire/json.js'
import { listen } from '../support/http-server.js'

export const masterKey = 'sk-master-0123456789'

/** What came back. */
export interface ApiAnswer {
  readonly status: number
  readonly type: string
  readonly headers: Headers
  readonly text: string
  /** The text as JSON; undefined where it is none. */
  readonly body: unknown
}

/** A client of a running gateway. */
export interface ApiClient {
  /** `key` '' sends no credential. */
  send(method: string, path: string, body?: JsonObject, key?: string): Promise<ApiAnswer>
  close(): Promise<void>
}

/** The hour at which the documentation's periods have their calls. */
const begins = Date.parse('2026-11-25T09:30:00Z')

function startClock(): Clock {
  const started = Date.now()
  return { ...systemClock, now: () => begins + Date.now() - started }
}

const prices = { input: 2.5, output: 10 }

/** Starts a gateway over HTTP with both its APIs at the root, all in memory; the fake provider serves its models. */
export async function startApi(upstream: FakeUpstream): Promise<ApiClient> {
  const gateway = createGateway<never>({
    models: ['demo', 'demo-embeddings', 'demo-images', 'demo-moderation'].map((name) => ({
      modelName: name,
      model: `fake/${name === 'demo' ? 'openai' : name}`,
      apiKey: 'sk-provider',
      prices,
    })),
    providers: [fakeProvider(upstream.url)],
    masterKey,
    keys: true,
    debug: true,
    clock: startClock(),
  })
  const server = createServer(nodeGateway(wholeGateway(gateway) as never))
  const origin = await listen(server)
  return {
    async send(method, path, body, key = masterKey) {
      const response = await fetch(origin + path, {
        method,
        headers: {
          ...(key !== '' && { authorization: `Bearer ${key}` }),
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      const type = response.headers.get('content-type')?.split(';')[0] ?? ''
      return { status: response.status, type, headers: response.headers, text, body: parseJson(text) }
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await gateway.close({ drainMs: 0 })
    },
  }
}
