import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type CallerCredentials,
  type Deployment,
  type Gateway,
  GatewayError,
  type GatewayOptions,
  type ModelOptions,
  Secret,
  createGateway,
} from '../../src/index.js'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'
import { anyCaller } from '../support/deployment.js'
import { FakeClock } from '../support/fake-clock.js'
import { requestOf } from '../support/http-request.js'
import { refusedUrls, unlistedUrls } from '../upstream/address-corpus.js'

let platform: FakeUpstream
let tenant: FakeUpstream
const gateways: Gateway[] = []

beforeAll(async () => {
  ;[platform, tenant] = await Promise.all([startFakeUpstream(), startFakeUpstream()])
})

beforeEach(() => {
  platform.reset()
  tenant.reset()
})

afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.close({ drainMs: 0 })))
  await Promise.all([platform.close(), tenant.close()])
})

const platformKey = 'sk-platform-0123456789'
const tenantKey = 'sk-tenant-0123456789'
const messages = [{ role: 'user' as const, content: 'Hello' }]

function models(own: Partial<ModelOptions> = {}): ModelOptions[] {
  const base = { apiKey: platformKey, ...own }
  return [
    { modelName: 'openai/*', model: 'openai/*', baseUrl: `${platform.url}/v1`, ...base },
    { modelName: 'anthropic/*', model: 'anthropic/*', baseUrl: platform.url, ...base },
  ]
}

type Given = CallerCredentials | 'platform' | null | undefined

function start(credentials: (deployment: Deployment) => Given | Promise<Given>, own: Partial<GatewayOptions> = {}) {
  const gateway = createGateway({
    models: models(),
    auth: { identify: () => anyCaller },
    retries: 0,
    credentials: (_caller, deployment) => credentials(deployment),
    ...own,
  })
  gateways.push(gateway)
  return gateway
}

const openTo = (url: string) => ({ allow: [url], privateNetworks: ['127.0.0.1/32'] })

async function post(gateway: Gateway, body: object): Promise<{ status: number; headers: object; text: string }> {
  const response = await gateway.handle(requestOf('POST', '/v1/chat/completions', { messages, ...body }))
  if (!response) throw new Error('not a path of the gateway')
  let text = ''
  if ('stream' in response) for await (const piece of response.stream) text += Buffer.from(piece).toString()
  else text = Buffer.from(response.body ?? '').toString()
  return { status: response.status, headers: response.headers, text }
}

describe('a gateway with credentials of callers', () => {
  it.each(['openai', 'anthropic'])(
    'sends the caller’s key to %s in place of the platform’s, whole and streamed',
    async (dialect) => {
      const gateway = start(() => ({ apiKey: tenantKey }))
      for (const stream of [false, true]) {
        const answer = await post(gateway, { model: `${dialect}/words-5`, stream })
        expect(answer).toMatchObject({ status: 200, headers: { 'x-sluice-billable': 'false' } })
      }
      expect(platform.requests).toHaveLength(2)
      for (const { headers } of platform.requests) {
        expect(JSON.stringify(headers)).toContain(tenantKey)
        expect(JSON.stringify(headers)).not.toContain(platformKey)
      }
    },
  )

  it('sends nothing else that identifies the platform', async () => {
    const own = {
      headers: { authorization: `Bearer ${platformKey}`, 'x-account': 'platform' },
      organization: 'org-platform',
    }
    await post(
      start(() => ({ apiKey: new Secret(tenantKey), headers: { 'x-account': 'tenant' } }), { models: models(own) }),
      {
        model: 'openai/demo',
      },
    )
    const { headers } = platform.requests[0] ?? {}
    expect(headers).toMatchObject({ authorization: `Bearer ${tenantKey}`, 'x-account': 'tenant' })
    expect(JSON.stringify(headers)).not.toMatch(/platform-0123|org-platform/)
  })

  it('uses the platform’s key only where the hook says so, and then bills', async () => {
    const answer = await post(
      start(() => 'platform'),
      { model: 'openai/demo' },
    )
    expect(answer.status).toBe(200)
    expect(answer.headers).not.toHaveProperty('x-sluice-billable')
    expect(platform.requests[0]?.headers['authorization']).toBe(`Bearer ${platformKey}`)
  })

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['an empty key', { apiKey: ' ' }],
    ['no credential at all', {}],
    ['a key that no header can carry', { apiKey: 'sk\n-x' }],
  ])('refuses the call for %s, without a request to anybody', async (_, given) => {
    const answer = await post(
      start(() => given),
      { model: 'openai/demo' },
    )
    expect(answer.status).toBe(403)
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'no_credentials', type: 'permission_error' } })
    expect(platform.requests).toEqual([])
  })

  it('asks for each attempt, and goes on to a deployment that the caller has credentials for', async () => {
    const asked: string[] = []
    const [first, second] = models()
    const gateway = start(
      ({ provider }) => {
        asked.push(provider)
        return provider === 'anthropic' ? { apiKey: tenantKey } : null
      },
      {
        models: [
          { ...first, modelName: 'both', model: 'openai/demo', order: 1 } as ModelOptions,
          { ...second, modelName: 'both', model: 'anthropic/demo', order: 2 } as ModelOptions,
        ],
        retries: 2,
      },
    )
    expect((await post(gateway, { model: 'both' })).status).toBe(200)
    expect((await post(gateway, { model: 'both' })).status).toBe(200)
    expect(asked).toEqual(['openai', 'anthropic', 'openai', 'anthropic'])
  })

  it('remembers no key: the next call has the key of its own time', async () => {
    const keys = ['sk-first-0123456789', 'sk-second-0123456789']
    const gateway = start(() => ({ apiKey: keys.shift() ?? 'none' }))
    await post(gateway, { model: 'openai/demo' })
    await post(gateway, { model: 'openai/demo' })
    expect(platform.requests.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer sk-first-0123456789',
      'Bearer sk-second-0123456789',
    ])
  })

  it('answers 401 for a caller’s bad key, takes it out of the text, and holds it against no deployment', async () => {
    const gateway = start(() => ({ apiKey: 'tenantsecret42' }))
    const call = gateway.call('chat', { model: 'openai/status-401', messages }, anyCaller)
    const error = await call.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (!GatewayError.isInstance(error)) throw new Error('expected a GatewayError')
    expect(error).toMatchObject({ status: 401, ownCredentials: true })
    expect(error.rule.unhealthy).toBe(false)
    expect(JSON.stringify(error.toBody())).not.toContain('tenantsecret42')
    expect(platform.requests).toHaveLength(1)
  })

  it('answers 500 where the hook throws, and tells the client nothing of it', async () => {
    const errors: object[] = []
    const logger = { debug() {}, info() {}, warn() {}, error: (fields: object) => void errors.push(fields) }
    const failing = start(() => Promise.reject(new Error('vault at 10.0.0.9 is down')), { logger })
    const answer = await post(failing, { model: 'openai/demo' })
    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain('10.0.0.9')
    expect(errors).toMatchObject([{ error: { message: 'vault at 10.0.0.9 is down' } }])
    expect(platform.requests).toEqual([])
  })

  it('waits 10 seconds for the hook and no longer', async () => {
    const clock = new FakeClock()
    const gateway = start(() => new Promise(() => {}), { clock })
    const call = post(gateway, { model: 'openai/demo' })
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(10_000)
    expect((await call).status).toBe(503)
    expect(platform.requests).toEqual([])
  })

  it('stops waiting for the hook when the client leaves', async () => {
    const leaving = new AbortController()
    const gateway = start(() => new Promise(() => {}))
    const call = gateway.call('chat', { model: 'openai/demo', messages }, anyCaller, { signal: leaving.signal })
    leaving.abort()
    await expect(call).rejects.toMatchObject({ kind: 'client_closed' })
  })

  it('prints no credential', () => {
    const given: CallerCredentials = { apiKey: new Secret(tenantKey) }
    expect(JSON.stringify(given)).not.toContain(tenantKey)
  })
})

describe('a gateway with endpoints of callers', () => {
  const own = () => ({ apiKey: tenantKey, baseUrl: `${tenant.url}/v1` })

  it('talks to an endpoint on the list, with the caller’s key and never the platform’s', async () => {
    const gateway = start(own, { callerEndpoints: openTo(tenant.url) })
    for (const stream of [false, true]) {
      const answer = await post(gateway, { model: 'openai/words-5', stream })
      expect(answer).toMatchObject({ status: 200, headers: { 'x-sluice-billable': 'false' } })
    }
    expect(platform.requests).toEqual([])
    expect(tenant.requests).toHaveLength(2)
    expect(tenant.requests[0]?.headers['authorization']).toBe(`Bearer ${tenantKey}`)
    expect(JSON.stringify(tenant.requests)).not.toContain(platformKey)
  })

  it('does not send the platform’s key along where the caller brings only an endpoint', async () => {
    const answer = await post(
      start(() => ({ baseUrl: `${tenant.url}/v1` }), { callerEndpoints: openTo(tenant.url) }),
      {
        model: 'openai/demo',
      },
    )
    expect(answer.status).toBe(403)
    expect([...platform.requests, ...tenant.requests]).toEqual([])
  })

  it('refuses every endpoint where none are enabled, and those that are not listed', async () => {
    const other = { allow: ['https://models.example.com'], privateNetworks: ['127.0.0.1/32'] }
    for (const callerEndpoints of [undefined, other]) {
      const answer = await post(start(own, { callerEndpoints }), { model: 'openai/demo' })
      expect(answer.status).toBe(403)
      expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'endpoint_not_allowed' } })
    }
    expect([...platform.requests, ...tenant.requests]).toEqual([])
  })

  it('refuses a listed endpoint at a private address when it comes to connecting', async () => {
    const answer = await post(start(own, { callerEndpoints: { allow: [tenant.url] } }), { model: 'openai/demo' })
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'address_not_allowed' } })
    expect(tenant.requests).toEqual([])
  })

  it('connects to nobody for any address of the corpus', async () => {
    let baseUrl = ''
    const allow = ['api.example.com', '*.tenants.example.org', 'https://models.example.net:8443']
    const gateway = start(() => ({ apiKey: tenantKey, baseUrl }), { callerEndpoints: { allow } })
    const answers: Record<string, number> = {}
    for (baseUrl of [...refusedUrls, ...unlistedUrls]) {
      answers[baseUrl] = (await post(gateway, { model: 'openai/demo' })).status
    }
    expect(new Set(Object.values(answers))).toEqual(new Set([403]))
    expect([...platform.requests, ...tenant.requests]).toEqual([])
  })

  it('follows no redirect, which would carry the key elsewhere', async () => {
    const gateway = start(own, { callerEndpoints: openTo(tenant.url) })
    tenant.script({ status: 307, headers: { location: `${platform.url}/v1/chat/completions` }, body: '' })
    expect((await post(gateway, { model: 'openai/demo' })).status).toBe(502)
    expect(tenant.requests).toHaveLength(1)
    expect(platform.requests).toEqual([])
  })

  it('needs the hook, and a list that can be read', () => {
    const base = { models: models(), auth: 'none' as const }
    expect(() => createGateway({ ...base, callerEndpoints: { allow: [] } })).toThrow('set `credentials` too')
    expect(() => createGateway({ ...base, credentials: () => null, callerEndpoints: { allow: ['a/b'] } })).toThrow(
      '"a/b" is no host',
    )
  })
})

describe('a client that tries to choose where its call goes', () => {
  const fields = {
    api_base: 'http://tenant.invalid/v1',
    base_url: 'http://tenant.invalid/v1',
    api_key: 'sk-client-0123456789',
    organization: 'org-client',
    api_version: '1900-01-01',
    extra_headers: { authorization: 'Bearer sk-client-0123456789', host: 'tenant.invalid' },
    headers: { host: 'tenant.invalid' },
    extra_body: { api_base: 'http://tenant.invalid' },
    user_config: { model_list: [] },
    custom_llm_provider: 'anthropic',
    litellm_params: { api_base: 'http://tenant.invalid' },
  }

  it.each(['openai', 'anthropic'])('changes nothing before %s', async (dialect) => {
    const headers = {
      host: 'tenant.invalid',
      'x-api-base': 'http://tenant.invalid',
      'x-forwarded-host': 'tenant.invalid',
      'x-api-key': 'sk-client-0123456789',
      authorization: 'Bearer sk-client-0123456789',
      'openai-organization': 'org-client',
    }
    const gateway = createGateway({ models: models(), auth: { identify: () => anyCaller }, retries: 0 })
    gateways.push(gateway)
    const body = { model: `${dialect}/demo`, messages, ...fields }
    const response = await gateway.handle(
      requestOf('POST', '/v1/chat/completions?api_base=http://tenant.invalid', body, { headers }),
    )
    expect(response?.status).toBe(200)
    const [request] = platform.requests
    expect(platform.requests).toHaveLength(1)
    expect(JSON.stringify(request?.headers)).toContain(platformKey)
    expect(request?.headers['host']).toBe(new URL(platform.url).host)
    expect(JSON.stringify([request?.headers, request?.path, request?.body])).not.toMatch(/invalid|client|1900/)
  })

  it.each([
    ['../../v1/files', 'refused'],
    ['..%2f..%2fv1', 'encoded'],
    ['x?key=1', 'encoded'],
    ['x#', 'encoded'],
    ['x/../../y', 'refused'],
    ['@evil.example', 'encoded'],
    ['\\evil.example', 'refused'],
    ['%00', 'encoded'],
    ['x:y', 'encoded'],
  ])('cannot leave the path by the model name %j: it is %s', async (name, how) => {
    const gateway = createGateway({
      models: [{ modelName: 'gemini/*', model: 'gemini/*', baseUrl: platform.url, apiKey: platformKey }],
      auth: { identify: () => anyCaller },
      retries: 0,
    })
    gateways.push(gateway)
    await post(gateway, { model: `gemini/${name}` })
    const expected = `/v1beta/models/${encodeURIComponent(name)}:generateContent`
    expect(platform.requests.map(({ path }) => path)).toEqual(how === 'refused' ? [] : [expected])
  })
})
