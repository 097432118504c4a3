import { createGateway, type Gateway, type GatewayOptions } from '../../../src/index.js'
import type { HttpBodyResponse } from '../../../src/http/message.js'
import type { Caller } from '../../../src/ports.js'
import type { ScopeRef } from '../../../src/ports/ledger.js'
import { fakeProvider, startFakeUpstream, type FakeUpstream } from '../../../src/testing/index.js'
import { requestOf } from '../../support/http-request.js'

export const masterKey = 'sk-master-0123456789'

export type Json = Record<string, unknown>

/** What came of a request: its status, its JSON as an object (arrays too, by index) and its headers. */
export interface Answer {
  readonly status: number
  readonly body: Json
  readonly list: readonly Json[]
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
  /** Name of the field that was refused. */
  readonly param: unknown
}

/** Sends management requests; `as` is a key's text, or a caller of the host. */
export interface AdminLab {
  readonly upstream: FakeUpstream
  readonly gateway: Gateway
  send(method: string, path: string, body?: unknown, as?: string | Caller): Promise<Answer>
  /** Calls a model with a key; the status of the answer. */
  chat(key: string, model?: string): Promise<number>
  close(): Promise<void>
}

/** Starts a gateway with keys, a master key, and the models `gpt-4o` and `other`, which the fake provider serves. */
export async function startAdminLab(options: Partial<GatewayOptions> = {}): Promise<AdminLab> {
  const upstream = await startFakeUpstream()
  const gateway = createGateway({
    models: [
      { modelName: 'gpt-4o', model: 'fake/openai', apiKey: 'sk-provider-secret-1', prices: { input: 2.5, output: 10 } },
      { modelName: 'other', model: 'fake/openai', apiKey: 'sk-provider-secret-2', prices: { input: 1, output: 1 } },
    ],
    providers: [fakeProvider(upstream.url)],
    masterKey,
    keys: true,
    ...options,
  })
  return {
    upstream,
    gateway,
    async send(method, path, body, as = masterKey) {
      const headers = typeof as === 'string' && as !== '' ? { authorization: `Bearer ${as}` } : {}
      const request = requestOf(method, path, body, { headers })
      const answer = gateway.admin.handle(request, typeof as === 'string' ? undefined : as)
      if (!answer) throw new Error(`${method} ${path} is not the admin's`)
      return toAnswer((await answer) as HttpBodyResponse)
    },
    async chat(key, model = 'gpt-4o') {
      const body = { model, messages: [{ role: 'user', content: 'hi' }] }
      const headers = { authorization: `Bearer ${key}` }
      const answer = await gateway.handle(requestOf('POST', '/v1/chat/completions', body, { headers }))
      return answer?.status ?? 0
    },
    async close() {
      await gateway.close({ drainMs: 0 })
      await upstream.close()
    },
  }
}

function toAnswer({ status, headers, body }: HttpBodyResponse): Answer {
  const text = Buffer.from(body ?? '').toString()
  const json: unknown = JSON.parse(text)
  const isList = Array.isArray(json)
  const object = json as Json
  const error = (object['error'] ?? {}) as Json
  return { status, headers, text, body: object, list: isList ? (json as Json[]) : [], param: error['param'] }
}

/** A caller of the host. */
export function hostCaller(role: Caller['role'], ...scopes: readonly ScopeRef[]): Caller {
  return { id: `host-${role}`, role, models: 'all', scopes }
}

/** A query as it is written into a path. */
export function queryOf(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString()
}
