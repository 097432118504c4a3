import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import {
  createDeployment,
  type DeploymentContext,
  type DeploymentInput,
} from '../../src/providers/create-deployment.js'
import { createRegistry } from '../../src/providers/registry.js'
import { Secret } from '../../src/secret.js'

const timeouts = { connect: 10_000, headers: 60_000, firstToken: 120_000, idle: 60_000, total: 600_000 }
const registry = createRegistry([])

function create(input: Partial<DeploymentInput>, env: DeploymentContext['env'] = {}) {
  const context = { registry, env, defaults: { timeouts, dropParams: false } }
  return createDeployment({ modelName: 'fast', model: 'openai/gpt-5-mini', ...input }, context)
}

function errorOf(input: Partial<DeploymentInput>, env: DeploymentContext['env'] = {}): GatewayError {
  try {
    create(input, env)
  } catch (error) {
    if (GatewayError.isInstance(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('credentials', () => {
  it('come from the entry, then from the first variable that is set', () => {
    const env = { TOGETHER_AI_API_KEY: 'second', TOGETHER_API_KEY: ' ', TOGETHERAI_API_KEY: 'third' }
    expect(create({ model: 'together_ai/m', apiKey: 'mine' }, env).apiKey?.reveal()).toBe('mine')
    expect(create({ model: 'together_ai/m', apiKey: new Secret('mine') }, env).apiKey?.reveal()).toBe('mine')
    expect(create({ model: 'together_ai/m' }, env).apiKey?.reveal()).toBe('second')
    expect(create({ model: 'together_ai/m', apiKey: undefined }, env).apiKey?.reveal()).toBe('second')
  })

  it('lose white space at their ends', () => {
    expect(create({ apiKey: ' key\n' }).apiKey?.reveal()).toBe('key')
  })

  it('name the variable to set where one is missing', () => {
    const error = errorOf({ modelName: 'smart', model: 'anthropic/claude-sonnet-4-5' })
    expect(error.kind).toBe('invalid_request')
    expect(error.message).toBe(
      '"smart" needs a key for Anthropic: set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN, or give apiKey.',
    )
  })

  it('are not needed by servers that ask for none', () => {
    expect(create({ model: 'vllm/m', baseUrl: 'http://localhost:8000/v1' }).apiKey).toBeUndefined()
  })

  it('stay out of ids, JSON, inspection and errors', () => {
    const key = 'sk-very-secret-1'
    const deployment = create({ apiKey: key, headers: {} })
    expect(JSON.stringify(deployment)).not.toContain(key)
    expect(inspect(deployment, { depth: 9 })).not.toContain(key)
    expect(deployment.id).not.toContain(key)
    expect(errorOf({ apiKey: `${key}\u0007` }).message).not.toContain(key)
    expect(errorOf({ apiKey: key, baseUrl: `ftp://${key}` }).message).not.toContain(key)
  })
})

describe('base URLs', () => {
  it('stay unset where the provider has its own', () => {
    expect(create({ apiKey: 'k' }).baseUrl).toBeUndefined()
  })

  it('come from the entry, then from a variable', () => {
    const env = { OPENAI_API_BASE: 'https://proxy.example/v1/' }
    expect(create({ apiKey: 'k', baseUrl: 'https://mine.example/v1/' }, env).baseUrl).toBe('https://mine.example/v1')
    expect(create({ apiKey: 'k' }, env).baseUrl).toBe('https://proxy.example/v1')
  })

  it('name the variable to set where one is missing', () => {
    const error = errorOf({ model: 'hosted_vllm/m' })
    expect(error.status).toBe(400)
    expect(error.message).toContain('HOSTED_VLLM_API_BASE')
  })

  it.each([
    ['openai/m', 'https://a.example/v1/chat/completions', 'https://a.example/v1'],
    ['mistral/m', 'https://a.example', 'https://a.example/v1'],
    ['mistral/m', 'https://a.example/v1', 'https://a.example/v1'],
    ['anthropic/m', 'https://a.example/v1/messages', 'https://a.example'],
    ['anthropic/m', 'https://a.example/v1', 'https://a.example'],
    ['gemini/m', 'https://a.example/v1beta/', 'https://a.example'],
    ['heroku/m', 'https://us.inference.heroku.com', 'https://us.inference.heroku.com/v1'],
    ['gradient_ai/m', 'https://agent.example', 'https://agent.example/api/v1'],
    ['datarobot/m', 'https://app.datarobot.com/api/v2', 'https://app.datarobot.com'],
  ])('of %s at %s are completed', (model, given, expected) => {
    expect(create({ model, apiKey: 'k', baseUrl: given }).baseUrl).toBe(expected)
  })

  it('hold a region of the environment', () => {
    const env = { AWS_REGION: 'eu-west-1', BEDROCK_MANTLE_API_KEY: 'k' }
    expect(create({ model: 'bedrock_mantle/m' }, env).baseUrl).toBe('https://bedrock-mantle.eu-west-1.api.aws/v1')
  })
})

describe('ids', () => {
  it('are the same for the same deployment and 16 hex digits long', () => {
    const id = create({ apiKey: 'k' }).id
    expect(id).toMatch(/^[0-9a-f]{16}$/)
    expect(create({ apiKey: 'k', weight: 5 }).id).toBe(id)
  })

  it('differ by group, model, key, base URL and version', () => {
    const ids = [
      create({ apiKey: 'k' }),
      create({ apiKey: 'k', modelName: 'slow' }),
      create({ apiKey: 'k', model: 'openai/gpt-6' }),
      create({ apiKey: 'other' }),
      create({ apiKey: 'k', baseUrl: 'https://a.example' }),
      create({ apiKey: 'k', apiVersion: '1' }),
      create({ apiKey: 'k', model: 'groq/gpt-5-mini' }),
    ].map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('are the given ones where given', () => {
    expect(create({ apiKey: 'k', id: 'mine' }).id).toBe('mine')
  })
})

describe('numbers', () => {
  it.each([
    [{}, undefined],
    [{ tpm: 100, rpm: 10 }, undefined],
    [{ tpm: 100, rpm: 10, weight: 0 }, 0],
  ])('%j have the weight %s', (input, weight) => {
    expect(create({ apiKey: 'k', ...input })).toMatchObject({ weight, order: 1 })
  })

  it.each([{ weight: -1 }, { rpm: Number.NaN }, { tpm: Infinity }, { timeouts: { idle: -1 } }])(
    'refuse %j',
    (input) => {
      expect(errorOf({ apiKey: 'k', ...input }).message).toMatch(/must be a number of at least 0/)
    },
  )
})

describe('timeouts', () => {
  it('fall back to the defaults one by one', () => {
    expect(create({ apiKey: 'k', timeouts: { total: 5 } })).toMatchObject({
      timeouts: { ...timeouts, total: 5 },
      headersTimeoutSet: false,
    })
    expect(create({ apiKey: 'k', timeouts: { headers: 5 } }).headersTimeoutSet).toBe(true)
  })
})

describe('headers', () => {
  it('go by lower-case names and win over those of the environment', () => {
    const env = { OPENROUTER_API_KEY: 'k', OR_SITE_URL: 'https://site.example', OR_APP_NAME: 'App' }
    expect(create({ model: 'openrouter/a/b', headers: { 'X-Title': 'Mine' } }, env).headers).toEqual({
      'http-referer': 'https://site.example',
      'x-title': 'Mine',
    })
  })

  it.each([{ 'a b': 'x' }, { Host: 'x' }, { 'content-length': '1' }, { 'x-a': 'a\r\nb: c' }])(
    'refuse %j',
    (headers) => {
      expect(errorOf({ apiKey: 'k', headers }).param).toBe('headers')
    },
  )
})

describe('models', () => {
  it('may be bare, wildcards, or have slashes of their own', () => {
    expect(create({ apiKey: 'k', model: 'gpt-5-mini' })).toMatchObject({ provider: 'openai', model: 'gpt-5-mini' })
    expect(create({ apiKey: 'k', model: 'anthropic/*' })).toMatchObject({ provider: 'anthropic', model: '*' })
    expect(create({ apiKey: 'k', model: 'openrouter/anthropic/claude-x' })).toMatchObject({
      provider: 'openrouter',
      model: 'anthropic/claude-x',
    })
  })

  it('without a known provider are refused with what to do', () => {
    expect(errorOf({ model: 'nowhere/m' }).message).toMatch(/no provider is known.*defineProvider/)
    expect(errorOf({ model: '' }).message).toMatch(/needs a model/)
    expect(errorOf({ modelName: '' }).message).toMatch(/modelName/)
  })
})

describe('a deployment', () => {
  it('is frozen, and later edits of its entry do not reach it', () => {
    const params = { safety: { level: 1 } }
    const deployment = create({ apiKey: 'k', params, info: { tier: 'free' } })
    params.safety.level = 2
    expect(deployment.params).toEqual({ safety: { level: 1 } })
    expect(Object.isFrozen(deployment)).toBe(true)
    expect(Object.isFrozen(deployment.params['safety'])).toBe(true)
    expect(deployment.info).toEqual({ tier: 'free' })
  })

  it('takes plain data only', () => {
    expect(errorOf({ apiKey: 'k', params: { stop: () => 1 } }).message).toMatch(/plain data/)
  })
})
