import type { AuthorizeContext } from '../../src/providers/provider.js'
import type { Deployment } from '../../src/deployment.js'
import { Secret } from '../../src/secret.js'
import type { UpstreamRequest } from '../../src/upstream/message.js'

/** A deployment for tests of providers; `over` replaces members. */
export function deploymentOf(over: Partial<Deployment> = {}): Deployment {
  return {
    id: 'deployment-1',
    modelName: 'group',
    provider: 'openai',
    model: 'model-1',
    apiKey: new Secret('sk-test-key'),
    baseUrl: undefined,
    apiVersion: undefined,
    organization: undefined,
    settings: {},
    headers: {},
    params: {},
    timeouts: { connect: 1, headers: 1, firstToken: 1, idle: 1, total: 1 },
    headersTimeoutSet: false,
    weight: 1,
    order: 1,
    rpm: undefined,
    tpm: undefined,
    maxParallelRequests: undefined,
    tags: [],
    region: undefined,
    cooldownMs: undefined,
    prices: undefined,
    dropParams: false,
    capabilities: {},
    info: {},
    ...over,
  }
}

/** A frozen upstream request, so that a mutation throws. */
export function requestOf(headers: Readonly<Record<string, string>> = {}): UpstreamRequest {
  return Object.freeze({
    method: 'POST',
    path: '/chat/completions',
    headers: Object.freeze({ 'content-type': 'application/json', ...headers }),
    body: '{}',
    droppedParams: [],
  })
}

/** What signing may need, for providers that need nothing: asking for a token fails the test. */
export const noTokens: AuthorizeContext = {
  clock: { now: () => 0, setTimeout: () => ({ cancel: () => undefined }) },
  tokens: { get: () => Promise.reject(new Error('a token was asked for')), forget: () => undefined },
  url: 'https://provider.test/chat/completions',
}
