import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createRegistry } from '../../src/providers/registry.js'
import { defineProvider } from '../../src/providers/define-provider.js'
import { deploymentOf, noTokens, requestOf } from './deployments.js'

const registry = createRegistry([])

describe('resolve', () => {
  it('takes the first path segment only', () => {
    const resolved = registry.resolve('openrouter/anthropic/claude-x')
    expect(resolved).toMatchObject({ provider: { name: 'openrouter' }, model: 'anthropic/claude-x' })
  })

  it('knows aliases and bare names', () => {
    expect(registry.resolve('hosted_vllm/m')?.provider.name).toBe('vllm')
    expect(registry.resolve('claude-sonnet-4-5')).toMatchObject({
      provider: { name: 'anthropic' },
      model: 'claude-sonnet-4-5',
    })
  })

  it('prefers a name over the alias of another provider', () => {
    expect(registry.resolve('codestral/m')?.provider.name).toBe('codestral')
  })

  it('does not know strangers', () => {
    for (const model of ['nowhere/m', 'my-model', '', '/m', '__proto__/m', 'constructor/m', 'toString']) {
      expect(registry.resolve(model)).toBeUndefined()
    }
  })

  it('refuses a prefix without a model', () => {
    expect(() => registry.resolve('openai/')).toThrow(/no model/)
  })
})

describe('custom providers', () => {
  it('are known by name and alias', () => {
    const own = defineProvider({ name: 'house', aliases: ['home'], baseUrl: 'https://llm.example/v1' })
    const known = createRegistry([own])
    expect(known.resolve('house/a/b')).toEqual({ provider: own, model: 'a/b' })
    expect(known.get('home')).toBe(own)
    expect(known.list()[0]).toBe(own)
    expect(known.list()).toHaveLength(registry.list().length + 1)
  })

  it('win over built-in ones', () => {
    const openai = defineProvider({ name: 'openai', baseUrl: 'https://llm.example/v1' })
    const azure = defineProvider({ name: 'azure', baseUrl: 'https://llm.example/v1' })
    const vllm = defineProvider({ name: 'hosted_vllm', baseUrl: 'https://llm.example/v1' })
    const known = createRegistry([openai, azure, vllm])
    expect(known.resolve('openai/m')?.provider).toBe(openai)
    expect(known.resolve('gpt-5')?.provider).toBe(openai)
    expect(known.resolve('azure/m')?.provider).toBe(azure)
    expect(known.resolve('hosted_vllm/m')?.provider).toBe(vllm)
    expect(known.list().filter(({ name }) => name === 'openai')).toEqual([openai])
  })

  it('must not share a name', () => {
    const own = defineProvider({ name: 'house', baseUrl: 'https://llm.example/v1' })
    expect(() => createRegistry([own, own])).toThrow(/"house"/)
  })
})

describe('every provider', () => {
  it.each(registry.list().map((provider) => [provider.name, provider] as const))(
    '%s is well-formed',
    (name, provider) => {
      expect(name).toMatch(/^[a-z0-9][a-z0-9_-]*$/)
      expect(registry.get(name)).toBe(provider)
      if (typeof provider.baseUrl === 'string') {
        expect(new URL(provider.baseUrl).href.replace(/\/$/, '')).toBe(provider.baseUrl)
        expect(provider.completeBaseUrl?.(provider.baseUrl) ?? provider.baseUrl).toBe(provider.baseUrl)
      }
      if (provider.status === 'retired') expect(provider.notice).toBeTruthy()
      else expect(provider.notice).toBeUndefined()
      const { capabilities, protocol } = provider
      for (const operation of ['chat', 'completions', 'embeddings', 'images'] as const) {
        if (capabilities[operation]) expect(protocol.codecs[operation]).toBeDefined()
      }
      // A codec that cannot read streams gets them made of its whole answers.
      expect(capabilities.stream).toBe(capabilities.stream && protocol.codecs.chat !== undefined)
    },
  )

  // Their key is exchanged for a token or signs the request; each has a test of its own.
  const exchanging = new Set(['oci', 'vertex_ai', 'vertex_ai_beta', 'watsonx', 'watsonx_text'])

  it('sends its key in a header and nowhere else', async () => {
    for (const provider of registry.list().filter(({ name }) => !exchanging.has(name))) {
      const request = requestOf()
      const authorized = await provider.authorize(request, deploymentOf({ provider: provider.name }), noTokens)
      const { headers, ...rest } = authorized
      expect(JSON.stringify(rest)).not.toContain('sk-test-key')
      expect(Object.values(headers).some((value) => value.includes('sk-test-key'))).toBe(true)
      expect(request.headers).toEqual({ 'content-type': 'application/json' })
    }
  })

  it("sends a deployment's headers, which win over its own", async () => {
    const deployment = deploymentOf({ headers: { 'x-novita-source': 'mine', 'x-more': '1' } })
    const headersOf = async (over = deployment) =>
      (await registry.get('novita')?.authorize(requestOf(), over, noTokens))?.headers ?? {}
    expect(await headersOf()).toMatchObject({ 'x-novita-source': 'mine', 'x-more': '1' })
    expect(await headersOf(deploymentOf())).toMatchObject({ 'x-novita-source': 'sluice' })
  })

  it('that wants its key twice gets it twice', async () => {
    const authorized = await registry.get('sarvam')?.authorize(requestOf(), deploymentOf(), noTokens)
    expect(authorized?.headers).toMatchObject({
      authorization: 'Bearer sk-test-key',
      'api-subscription-key': 'sk-test-key',
    })
  })

  it('with an address per model has it', () => {
    const { baseUrl } = registry.get('baseten') ?? {}
    expect(typeof baseUrl === 'function' && baseUrl(deploymentOf({ model: 'ab12cd34' }))).toBe(
      'https://model-ab12cd34.api.baseten.co/environments/production/sync/v1',
    )
  })
})

interface Fact {
  readonly id: string
  readonly family: string
  readonly litellm_prefixes: readonly string[]
  readonly base_url: string
  readonly base_url_env: readonly string[]
  readonly auth: { readonly env: readonly string[] }
  readonly capabilities: Readonly<Record<string, boolean>>
}

const facts = new URL('../../../shared/reference/providers.json', import.meta.url)

// Further variables that these providers' own tools set.
const moreKeys: Readonly<Record<string, readonly string[]>> = {
  gradient_ai: ['DIGITALOCEAN_INFERENCE_KEY', 'GRADIENT_MODEL_ACCESS_KEY'],
  heroku: ['INFERENCE_KEY'],
  vercel_ai_gateway: ['VERCEL_OIDC_TOKEN'],
}
const moreUrls: Readonly<Record<string, readonly string[]>> = {
  datarobot: ['DATAROBOT_ENDPOINT'],
  heroku: ['INFERENCE_URL'],
}

// What recordings and older APIs of theirs can do beyond the table.
const moreCapabilities: Readonly<Record<string, object>> = {
  ai21: { completions: true },
  hyperbolic: { images: true },
  mistral: { moderations: true },
  openai: { moderations: true },
}

if (existsSync(facts)) {
  const all = JSON.parse(readFileSync(facts, 'utf8')) as readonly Fact[]
  const built = ['openai', 'openai-compatible', 'anthropic-messages']
  const isBuilt = ({ family, id }: Fact) => built.includes(family) || id === 'gemini'
  const prefixesOf = (fact: Fact) => fact.litellm_prefixes.filter((prefix) => prefix.endsWith('/'))

  describe('the fact table', () => {
    it('has 112 providers that are built', () => {
      expect(all.filter(isBuilt)).toHaveLength(112)
    })

    it.each(all.filter(isBuilt).map((fact) => [fact.id, fact] as const))('agrees with %s', (id, fact) => {
      const provider = registry.get(id)
      const { baseUrl } = provider ?? {}
      const address =
        provider?.regional?.template ??
        (typeof baseUrl === 'function' ? baseUrl(deploymentOf({ model: 'acme/model' })) : baseUrl)
      expect(address).toBe(fact.base_url.startsWith('(user)') ? undefined : fact.base_url)
      expect(provider?.baseUrlEnv).toEqual([...fact.base_url_env, ...(moreUrls[id] ?? [])])
      expect(provider?.apiKeyEnv).toEqual([...fact.auth.env, ...(moreKeys[id] ?? [])])
      const { chat, stream, text_completion, embeddings, images } = fact.capabilities
      const listed = { chat, stream, completions: text_completion, embeddings, images }
      expect(provider?.capabilities).toEqual({ ...listed, ...moreCapabilities[id] })
    })

    it('resolves every prefix', () => {
      for (const prefix of all.flatMap(prefixesOf)) expect(registry.resolve(`${prefix}m`)?.model).toBe('m')
    })
  })
} else {
  console.log('The fact table of providers is absent: rows are not compared with it.')
}
