import { createPublicKey, createVerify, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import { EnvironmentSecret } from '../../src/providers/environment.js'
import { snowflake } from '../../src/providers/snowflake/index.js'
import { signKeyPairToken } from '../../src/providers/snowflake/key-pair.js'
import { resolveTarget } from '../../src/providers/target.js'
import { Secret } from '../../src/secret.js'
import { createTokenCache } from '../../src/upstream/token-cache.js'
import { ChatRequest } from '../../src/wire/chat.js'
import type { JsonObject } from '../../src/wire/json.js'
import { deploymentOf, noTokens, requestOf } from './deployments.js'

const { chat, embeddings } = snowflake.protocol.codecs
const base = { id: 'i'.repeat(24), created: 1 }
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })

function exchangeOf(fields: JsonObject = {}, changes: Partial<Deployment> = {}) {
  const request = ChatRequest.parse({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...fields })
  return {
    ...base,
    request,
    deployment: deploymentOf({ provider: 'snowflake', model: 'claude-sonnet-4-6', ...changes }),
  }
}

const encode = (fields: JsonObject, changes: Partial<Deployment> = {}) => {
  const sent = chat?.encode(exchangeOf(fields, changes))
  return { path: sent?.path, body: JSON.parse(String(sent?.body)) as JsonObject }
}

const details = [{ type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0, text: 'Hm.', signature: 'sig' }]

describe('a chat with Snowflake', () => {
  it('goes to the endpoint in OpenAI’s dialect', () => {
    expect(encode({})).toMatchObject({ path: '/cortex/v1/chat/completions', body: { model: 'claude-sonnet-4-6' } })
  })

  it('asks each family for reasoning in its way', () => {
    expect(encode({ reasoning_effort: 'low' }).body['reasoning']).toEqual({ effort: 'low' })
    const thinking = { type: 'enabled', budget_tokens: 2_000 }
    expect(encode({ thinking }).body['reasoning']).toEqual({ max_tokens: 2_000 })
    expect(encode({ reasoning_effort: 'low' }, { model: 'openai-gpt-5' }).body['reasoning_effort']).toBe('low')
    expect(() => encode({ reasoning_effort: 'low' }, { model: 'llama3.1-8b' })).toThrow(/reasoning_effort/)
  })

  it('gives reasoning that is told in details only, and sends it back', () => {
    const message = { role: 'assistant', content: 'Yes.', refusal: '', reasoning_details: details, tool_calls: null }
    const answer = chat?.decode({ id: '', choices: [{ index: 0, message, finish_reason: '' }] }, exchangeOf())
    expect(answer?.choices[0]?.message).toMatchObject({
      content: 'Yes.',
      reasoning_content: 'Hm.',
      thinking_blocks: [{ type: 'thinking', thinking: 'Hm.', signature: 'sig' }],
    })
    const thinking_blocks = answer?.choices[0]?.message.thinking_blocks
    const { body } = encode({
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: 'Yes.', thinking_blocks },
      ],
    })
    expect(body['messages']).toMatchObject([{}, { content: 'Yes.', reasoning_details: details }])
  })

  it('streams it, after the role', () => {
    const decoder = chat?.decodeStream?.(exchangeOf({ stream: true }))
    const event = (delta: JsonObject, finish?: string) => ({
      event: '',
      data: JSON.stringify({
        id: '',
        created: 0,
        model: 'c',
        choices: [{ index: 0, delta, ...(finish && { finish_reason: finish }) }],
      }),
      frame: undefined,
    })
    const parts = [
      event({ role: 'assistant', content: '', reasoning_details: [{ type: 'reasoning.text', text: 'H' }] }),
      event({ content: '', reasoning_details: [{ type: 'reasoning.text', text: 'm.', signature: 'sig' }] }),
      event({ content: 'Yes.' }),
      event({}, 'stop'),
    ].flatMap((one) => decoder?.push(one) ?? [])
    parts.push(...(decoder?.end() ?? []))
    const choices = parts.flatMap(({ chunk }) => chunk?.choices ?? [])
    expect(choices[0]?.delta.role).toBe('assistant')
    expect(choices.filter(({ delta }) => delta.role !== undefined)).toHaveLength(1)
    expect(choices.map(({ delta }) => delta.reasoning_content ?? '').join('')).toBe('Hm.')
    expect(choices.flatMap(({ delta }) => delta.thinking_blocks ?? [])).toEqual([
      { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
    ])
    expect(choices.at(-1)?.finish_reason).toBe('stop')
  })
})

describe('embeddings of Snowflake', () => {
  it('are asked for as texts and read one level deeper', () => {
    const deployment = deploymentOf({ model: 'snowflake-arctic-embed-m' })
    const exchange = { ...base, request: { model: 'm', input: 'a' }, deployment }
    const sent = embeddings?.encode(exchange)
    expect(sent?.path).toBe('/cortex/inference:embed')
    expect(JSON.parse(String(sent?.body))).toEqual({ model: 'snowflake-arctic-embed-m', text: ['a'] })
    const body = {
      object: 'list',
      data: [{ object: 'embedding', embedding: [[0.5, 1]], index: 0 }],
      usage: { total_tokens: 3 },
    }
    expect(embeddings?.decode(body, exchange)).toMatchObject({
      data: [{ embedding: [0.5, 1] }],
      usage: { prompt_tokens: 3, total_tokens: 3 },
    })
  })
})

describe('signing in at Snowflake', () => {
  const header = 'x-snowflake-authorization-token-type'

  it.each([
    [new Secret('pat/secret'), {}, 'Bearer secret', 'PROGRAMMATIC_ACCESS_TOKEN'],
    [new EnvironmentSecret({ name: 'SNOWFLAKE_JWT', value: 'jwt' }), {}, 'Bearer jwt', 'KEYPAIR_JWT'],
    [new Secret('token'), { tokenType: 'OAUTH' }, 'Bearer token', 'OAUTH'],
    [new Secret('token'), {}, 'Bearer token', undefined],
  ])('tells the type of a token where it is known (%#)', async (apiKey, settings, authorization, type) => {
    const { headers } = await snowflake.authorize(requestOf(), deploymentOf({ apiKey, settings }), noTokens)
    expect([headers['authorization'], headers[header]]).toEqual([authorization, type])
  })

  it('signs a token with a key pair, once an hour', async () => {
    const tokens = createTokenCache(noTokens.clock, () => Promise.reject(new Error('nothing is fetched')))
    const settings = { account: 'myorg-acct', user: 'ann', privateKey: new Secret(String(pem)) }
    const deployment = deploymentOf({ apiKey: undefined, settings })
    const asked = () => snowflake.authorize(requestOf(), deployment, { ...noTokens, tokens })
    const [first, second] = [await asked(), await asked()]
    expect(first.headers[header]).toBe('KEYPAIR_JWT')
    expect(second.headers['authorization']).toBe(first.headers['authorization'])
  })

  it('makes claims that Snowflake can verify', () => {
    const pair = { account: 'xy12345.us-east-1', user: 'ann', privateKey: String(pem), passphrase: undefined }
    const { token, expiresAt } = signKeyPairToken(pair, 1_700_000_000_000)
    const [head = '', claims = '', signature = ''] = token.split('.')
    const verify = createVerify('RSA-SHA256').update(`${head}.${claims}`)
    expect(
      verify.verify(createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })), signature, 'base64url'),
    ).toBe(true)
    const told = JSON.parse(Buffer.from(claims, 'base64url').toString()) as JsonObject
    expect(told).toMatchObject({ sub: 'XY12345.ANN', iat: 1_700_000_000 })
    expect(told['iss']).toMatch(/^XY12345\.ANN\.SHA256:[A-Za-z0-9+/]{43}=$/)
    expect(Number(told['exp']) * 1_000).toBe(expiresAt)
    expect(Number(told['exp']) - Number(told['iat'])).toBeLessThanOrEqual(3_600)
  })

  it('names a key that is none, and what is missing', () => {
    const pair = { account: 'a', user: 'u', privateKey: 'no key', passphrase: undefined }
    expect(() => signKeyPairToken(pair, 0)).toThrow(/privateKey/)
    expect(() => snowflake.authorize(requestOf(), deploymentOf({ apiKey: undefined }), noTokens)).toThrow(
      /SNOWFLAKE_JWT/,
    )
  })
})

describe('the address of Snowflake', () => {
  it('comes from the account', () => {
    const target = resolveTarget(snowflake, deploymentOf({ settings: { account: 'MyOrg-my_acct' } }))
    expect(target).toEqual({ origin: 'https://myorg-my-acct.snowflakecomputing.com', basePath: '/api/v2' })
    expect(() => resolveTarget(snowflake, deploymentOf())).toThrow(/SNOWFLAKE_API_BASE/)
    expect(snowflake.completeBaseUrl?.('https://a.snowflakecomputing.com')).toBe(
      'https://a.snowflakecomputing.com/api/v2',
    )
  })
})
