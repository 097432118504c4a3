import { createServer } from 'node:http'
import express from 'express'
import { afterAll, beforeAll, expect } from 'vitest'
import { expressGateway } from '../../adapters/express.js'
import { type Gateway, type GatewayOptions, type Protocol, type Provider, createGateway } from '../../src/index.js'
import { openaiProtocol } from '../../src/protocols/openai/index.js'
import { defineProvider } from '../../src/providers/define-provider.js'
import { closeServer, listen } from '../support/http-server.js'

/** An Express host of its own with one gateway. */
export interface FaultyHost {
  readonly gateway: Gateway
  readonly origin: string
  /** Ends with a failure if the host no longer answers, or if the gateway still counts a call as running. */
  close(): Promise<void>
}

/** Starts a host with `/ping` and a gateway at `/llm`; the gateway knows one model, `fast`, of the provider. */
export async function startHost(provider: Provider, own: Partial<GatewayOptions> = {}): Promise<FaultyHost> {
  const gateway = createGateway({
    models: [{ modelName: 'fast', model: `${provider.name}/demo` }],
    providers: [provider],
    auth: 'none',
    retries: 0,
    env: {},
    ...own,
  })
  const app = express()
    .get('/ping', (_request, response) => void response.send('pong'))
    .use('/llm', expressGateway(gateway))
  const server = createServer(app)
  const origin = await listen(server)
  return {
    gateway,
    origin,
    async close() {
      expect(await (await fetch(`${origin}/ping`)).text()).toBe('pong')
      const startedAt = performance.now()
      await gateway.close({ drainMs: 10_000 })
      // A call that is counted as running is waited for.
      expect(performance.now() - startedAt).toBeLessThan(5_000)
      await closeServer(server)
    },
  }
}

/** The provider `faulty`: OpenAI's dialect with parts replaced. */
export function faultyProvider(
  url: string,
  change: (protocol: Protocol) => Protocol,
  authorize?: Provider['authorize'],
): Provider {
  const protocol = change(openaiProtocol({}))
  return defineProvider({ name: 'faulty', baseUrl: `${url}/v1`, protocol, ...(authorize && { authorize }) })
}

/** A chat request as a client of the host sends it. */
export function chat(host: FaultyHost, body: object = {}, signal?: AbortSignal): Promise<Response> {
  return fetch(`${host.origin}/llm/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: 'Hello there' }], ...body }),
    ...(signal && { signal }),
  })
}

/** Watches for what nobody handles while the tests of a file run; they fail if there was anything. */
export function expectNothingUnhandled(): void {
  const seen: unknown[] = []
  const note = (reason: unknown): void => void seen.push(reason)
  beforeAll(() => {
    process.on('unhandledRejection', note)
    process.on('uncaughtExceptionMonitor', note)
    process.on('warning', note)
  })
  afterAll(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    process.off('unhandledRejection', note)
    process.off('uncaughtExceptionMonitor', note)
    process.off('warning', note)
    expect(seen).toEqual([])
  })
}
