import { describe, expect, it } from 'vitest'
import { azure } from '../../../src/providers/azure/index.js'
import { azureAi } from '../../../src/providers/azure/foundry.js'
import type { AuthorizeContext } from '../../../src/providers/provider.js'
import { Secret } from '../../../src/secret.js'
import type { OutgoingRequest } from '../../../src/upstream/client.js'
import { createTokenCache } from '../../../src/upstream/token-cache.js'
import { deploymentOf, noTokens, requestOf } from '../deployments.js'

const { clock } = noTokens

/** A context whose tokens come from a stand-in for Entra ID. */
function entra(answer: { status: number; text: string }) {
  const asked: OutgoingRequest[] = []
  const tokens = createTokenCache(clock, (request) => {
    asked.push(request)
    return Promise.resolve(answer)
  })
  const context: AuthorizeContext = { clock, tokens, url: 'https://r.openai.azure.com/openai/v1/chat/completions' }
  return { asked, context }
}

const principal = { tenantId: 'tenant', clientId: 'client', clientSecret: new Secret('hush') }
const keyless = deploymentOf({ provider: 'azure', apiKey: undefined })
const granted = { status: 200, text: '{"access_token":"fetched","expires_in":3600}' }

describe('a call to Azure', () => {
  it('carries the key in a header of its own', async () => {
    const { headers } = await azure.authorize(requestOf(), deploymentOf(), noTokens)
    expect(headers).toMatchObject({ 'api-key': 'sk-test-key' })
    expect(headers).not.toHaveProperty('authorization')
  })

  it.each([
    ['a token', { azureAdToken: new Secret('given') }],
    ['a function that gives one', { azureADTokenProvider: () => 'given' }],
    ['a function that gives one later', { azureADTokenProvider: () => Promise.resolve('given') }],
    [
      'a credential of @azure/identity',
      { credential: { getToken: () => Promise.resolve({ token: 'given', expiresOnTimestamp: 9e12 }) } },
    ],
  ])('carries %s as Bearer', async (_name, settings) => {
    const { headers } = await azure.authorize(requestOf(), { ...keyless, settings }, noTokens)
    expect(headers['authorization']).toBe('Bearer given')
    expect(headers).not.toHaveProperty('api-key')
  })

  it('prefers a given token to a key, and a key to one that has to be fetched', async () => {
    const both = deploymentOf({ settings: { azureAdToken: new Secret('given') } })
    expect((await azure.authorize(requestOf(), both, noTokens)).headers['authorization']).toBe('Bearer given')
    const { headers } = await azure.authorize(requestOf(), deploymentOf({ settings: principal }), noTokens)
    expect(headers['api-key']).toBe('sk-test-key')
  })

  it('fetches a token once for client credentials, and keeps it', async () => {
    const { asked, context } = entra(granted)
    const deployment = { ...keyless, settings: principal }
    const both = await Promise.all([1, 2].map(async () => azure.authorize(requestOf(), deployment, context)))
    expect(both.map(({ headers }) => headers['authorization'])).toEqual(['Bearer fetched', 'Bearer fetched'])
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatchObject({
      origin: 'https://login.microsoftonline.com',
      path: '/tenant/oauth2/v2.0/token',
      method: 'POST',
    })
    expect(Object.fromEntries(new URLSearchParams(String(asked[0]?.body)))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'client',
      client_secret: 'hush',
      scope: 'https://cognitiveservices.azure.com/.default',
    })
  })

  it('signs a user in, at the authority and for the scope that are set', async () => {
    const { asked, context } = entra(granted)
    const settings = {
      clientId: 'client',
      username: 'ann',
      password: new Secret('pw'),
      authorityHost: 'login.microsoftonline.us/',
      scope: 'https://ai.azure.us/.default',
    }
    await azure.authorize(requestOf(), { ...keyless, settings }, context)
    expect(asked[0]).toMatchObject({
      origin: 'https://login.microsoftonline.us',
      path: '/organizations/oauth2/v2.0/token',
    })
    expect(String(asked[0]?.body)).toContain('grant_type=password')
    expect(String(asked[0]?.body)).toContain('scope=https%3A%2F%2Fai.azure.us%2F.default')
  })

  it('tells why Entra ID refuses, without the secret', async () => {
    const text =
      '{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret.\\r\\nTrace ID: x"}'
    const { context } = entra({ status: 401, text })
    await expect(azure.authorize(requestOf(), { ...keyless, settings: principal }, context)).rejects.toMatchObject({
      kind: 'upstream_authentication',
      message: 'Entra ID gave no token (status 401): AADSTS7000215: Invalid client secret.',
    })
  })

  it('is retried elsewhere where Entra ID is down', async () => {
    const { context } = entra({ status: 503, text: '<html>' })
    const refused = azure.authorize(requestOf(), { ...keyless, settings: principal }, context)
    await expect(refused).rejects.toMatchObject({ kind: 'unavailable' })
  })

  it('fails where the function fails, or nothing is set', async () => {
    const broken = { azureADTokenProvider: () => Promise.reject(new Error('boom')) }
    await expect(azure.authorize(requestOf(), { ...keyless, settings: broken }, noTokens)).rejects.toMatchObject({
      kind: 'upstream_authentication',
    })
    expect(() => azure.authorize(requestOf(), keyless, noTokens)).toThrow(/AZURE_API_KEY/)
  })

  it("sends a deployment's own headers in its stead", async () => {
    const deployment = { ...keyless, headers: { 'api-key': 'own' } }
    expect((await azure.authorize(requestOf(), deployment, noTokens)).headers['api-key']).toBe('own')
  })
})

describe('a call to Azure AI Foundry', () => {
  const header = async (url: string) => {
    const { headers } = await azureAi.authorize(requestOf(), deploymentOf(), { ...noTokens, url })
    const { 'content-type': _type, ...rest } = headers
    return rest
  }

  it('carries the key as the address wants it', async () => {
    const resource = 'https://r.services.ai.azure.com'
    expect(await header(`${resource}/openai/v1/chat/completions`)).toEqual({ 'api-key': 'sk-test-key' })
    expect(await header(`${resource}/anthropic/v1/messages`)).toEqual({ 'x-api-key': 'sk-test-key' })
    expect(await header('https://x.eastus2.models.ai.azure.com/chat/completions')).toEqual({
      authorization: 'Bearer sk-test-key',
    })
  })
})
