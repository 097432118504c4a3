import { createServer } from 'node:http'
import express from 'express'
import { expressGateway } from '../../adapters/express.js'
import { gatewayFetch } from '../../adapters/fetch.js'
import { type NodeRequest, nodeGateway } from '../../adapters/node.js'
import { type Gateway, type GatewayOptions, type ModelOptions, createGateway } from '../../src/index.js'
import { anyCaller } from '../support/deployment.js'
import { closeServer, listen } from '../support/http-server.js'

/** The dialects that an upstream of these tests speaks. */
export const dialects = ['openai', 'anthropic', 'gemini'] as const

/** The key that the gateway has for its upstreams. */
export const providerKey = 'sk-provider-secret-0123456789'

/** What a client of the gateway has to show. */
export const clientKey = 'client-key-1'

/** One model group for each dialect, every model name of the upstream reachable as `<dialect>/<name>`. */
export function modelsAt(url: string, own: Partial<ModelOptions> = {}): ModelOptions[] {
  return dialects.map((dialect) => ({
    modelName: `${dialect}/*`,
    model: `${dialect}/*`,
    apiKey: providerKey,
    baseUrl: dialect === 'openai' ? `${url}/v1` : url,
    ...own,
  }))
}

/** A gateway that lets in whoever shows the client's key. */
export function gatewayOf(models: readonly ModelOptions[], own: Partial<GatewayOptions> = {}): Gateway {
  const known = [`Bearer ${clientKey}`, clientKey]
  return createGateway({
    models,
    auth: {
      identify: ({ headers }) =>
        known.includes(headers['authorization'] ?? headers['api-key'] ?? '') ? anyCaller : null,
    },
    retries: 0,
    env: {},
    ...own,
  })
}

/** How a client reaches the gateway. */
export interface Transport {
  readonly baseURL: string
  readonly fetch?: typeof fetch
}

/** The ways by which every client is tried. */
export const transports = ['node', 'express', 'process'] as const

/** A gateway behind real servers, and in the process. */
export interface ServedGateway {
  readonly gateway: Gateway
  readonly transports: Readonly<Record<(typeof transports)[number], Transport>>
  /** Origin of the plain `node:http` server. */
  readonly origin: string
  close(): Promise<void>
}

/** Serves a gateway by `node:http`, by Express 5 behind `express.json()` at `/llm`, and by a `fetch` of this process. */
export async function serveGateway(gateway: Gateway): Promise<ServedGateway> {
  const host: Gateway<NodeRequest> = gateway
  const app = express().use('/llm', express.json({ limit: '30mb' }), expressGateway(gateway))
  const servers = [createServer(nodeGateway(host)), createServer(app)]
  const [plain = '', mounted = ''] = await Promise.all(servers.map(listen))
  return {
    gateway,
    origin: plain,
    transports: {
      node: { baseURL: `${plain}/v1` },
      express: { baseURL: `${mounted}/llm/v1` },
      process: { baseURL: 'http://sluice/v1', fetch: gatewayFetch(gateway, anyCaller) },
    },
    async close() {
      await gateway.close({ drainMs: 0 })
      await Promise.all(servers.map(closeServer))
    },
  }
}
