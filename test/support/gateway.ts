import { type Gateway, type GatewayOptions, type ModelOptions, createGateway } from '../../src/index.js'
import type { HttpBodyResponse, HttpResponse } from '../../src/http/message.js'
import { type FakeUpstream, fakeProvider, startFakeUpstream } from '../../src/testing/index.js'
import { anyCaller } from './deployment.js'
import { requestOf } from './http-request.js'

/** A fake upstream and gateways over it, all closed together. */
export interface GatewayLab {
  readonly upstream: FakeUpstream
  /** A gateway whose models are served by the fake provider; everybody may do everything unless `auth` says otherwise. */
  start(models: readonly ModelOptions[], options?: Partial<GatewayOptions>): Gateway
  close(): Promise<void>
}

/** Starts the upstream; every gateway gets the provider `fake`, see `faults` for what its model names ask for. */
export async function startGatewayLab(): Promise<GatewayLab> {
  const upstream = await startFakeUpstream()
  const gateways: Gateway[] = []
  return {
    upstream,
    start(models, options = {}) {
      const provider = fakeProvider(upstream.url)
      const gateway = createGateway({ models, providers: [provider], auth: { identify: () => anyCaller }, ...options })
      gateways.push(gateway)
      return gateway
    },
    async close() {
      await Promise.all(gateways.map((gateway) => gateway.close({ drainMs: 0 })))
      await upstream.close()
    },
  }
}

/** A request of one user message. */
export const chat = (model: string, own: object = {}): object => ({
  model,
  messages: [{ role: 'user', content: 'Hello there, gateway' }],
  ...own,
})

/** Asks a gateway as if by HTTP. */
export async function ask(
  gateway: Gateway,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<HttpResponse> {
  const response = gateway.handle(requestOf(method, path, body, { headers }))
  if (!response) throw new Error(`${path} is not the gateway's`)
  return response
}

/** The JSON of a whole answer. */
export function jsonOf(response: HttpResponse): Record<string, unknown> & { error?: Record<string, unknown> } {
  if ('stream' in response) throw new Error('a stream, not a body')
  return JSON.parse(Buffer.from((response as HttpBodyResponse).body ?? '').toString())
}

/** Everything that a stream says, to its end. */
export async function textOf(response: HttpResponse): Promise<string> {
  if (!('stream' in response)) return Buffer.from((response as HttpBodyResponse).body ?? '').toString()
  const pieces: Buffer[] = []
  for await (const piece of response.stream) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString()
}
