import { describe, expect, it } from 'vitest'
import type { Protocol } from '../../src/protocols/protocol.js'
import { defineProvider } from '../../src/providers/define-provider.js'
import { deploymentOf, noTokens, requestOf } from './deployments.js'

const baseUrl = 'https://llm.example/v1'

describe('defineProvider', () => {
  it('makes a provider of a name and a base URL', async () => {
    const provider = defineProvider({ name: 'house', baseUrl: `${baseUrl}/` })
    expect(provider).toMatchObject({
      name: 'house',
      displayName: 'house',
      baseUrl,
      apiKeyEnv: [],
      apiKeyRequired: false,
      capabilities: { chat: true, stream: true, completions: true, embeddings: true, images: true, moderations: true },
      status: 'active',
    })
    expect((await provider.authorize(requestOf(), deploymentOf(), noTokens)).headers['authorization']).toBe(
      'Bearer sk-test-key',
    )
  })

  it('wants a key where it names a variable, unless told otherwise', () => {
    expect(defineProvider({ name: 'house', baseUrl, apiKeyEnv: 'HOUSE_KEY' })).toMatchObject({
      apiKeyEnv: ['HOUSE_KEY'],
      apiKeyRequired: true,
    })
    expect(defineProvider({ name: 'house', apiKeyEnv: ['A', 'B'], apiKeyRequired: false }).apiKeyRequired).toBe(false)
  })

  it('sends its headers unless the deployment sets them', async () => {
    const provider = defineProvider({ name: 'house', baseUrl, headers: { 'X-A': '1', 'X-B': '2' } })
    const { headers } = await provider.authorize(requestOf(), deploymentOf({ headers: { 'x-b': '3' } }), noTokens)
    expect(headers).toMatchObject({ 'x-a': '1', 'x-b': '3' })
  })

  it.each([
    ['anthropic', 'x-api-key'],
    ['gemini', 'x-goog-api-key'],
  ] as const)('speaks %s and sends %s', async (protocol, header) => {
    const provider = defineProvider({ name: 'house', baseUrl, protocol })
    expect(provider.protocol.name).toBe(protocol)
    expect((await provider.authorize(requestOf(), deploymentOf(), noTokens)).headers[header]).toBe('sk-test-key')
  })

  it('takes a protocol and a way to authorize of its own', async () => {
    const protocol: Protocol = {
      name: 'own',
      codecs: {},
      failure: (_status, body) => ({ kind: 'upstream_error', message: String(body) }),
    }
    const provider = defineProvider({
      name: 'house',
      baseUrl,
      protocol,
      authorize: (request) => Promise.resolve({ ...request, headers: { ...request.headers, signed: 'yes' } }),
      capabilities: { images: true },
    })
    expect(provider.protocol).toBe(protocol)
    expect(provider.capabilities).toEqual({
      chat: false,
      stream: false,
      completions: false,
      embeddings: false,
      images: true,
    })
    const { headers } = await provider.authorize(requestOf(), deploymentOf({ headers: { 'x-a': '1' } }), noTokens)
    expect(headers).toMatchObject({ signed: 'yes', 'x-a': '1' })
    expect(headers).not.toHaveProperty('authorization')
  })

  it.each(['', 'a/b', '-a', 'a b', '../a'])('refuses the name "%s"', (name) => {
    expect(() => defineProvider({ name, baseUrl })).toThrow(/provider's name/)
    expect(() => defineProvider({ name: 'ok', aliases: [name], baseUrl })).toThrow(/provider's name/)
  })

  it('refuses a base URL, a protocol and headers that cannot work', () => {
    expect(() => defineProvider({ name: 'house', baseUrl: 'llm.example' })).toThrow(/baseUrl of the provider house/)
    expect(() => defineProvider({ name: 'house', protocol: 'grpc' as 'openai' })).toThrow(/protocol must be/)
    expect(() => defineProvider({ name: 'house', headers: { 'a b': '1' } })).toThrow(/header name/)
    expect(() => defineProvider({ name: 'house', protocol: 'gemini', quirks: {} })).toThrow(/openai only/)
  })
})
