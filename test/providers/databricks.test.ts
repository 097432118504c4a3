import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import { databricks } from '../../src/providers/databricks/index.js'
import { Secret } from '../../src/secret.js'
import type { OutgoingRequest } from '../../src/upstream/client.js'
import { createTokenCache } from '../../src/upstream/token-cache.js'
import { ChatRequest } from '../../src/wire/chat.js'
import type { JsonObject } from '../../src/wire/json.js'
import { deploymentOf, noTokens, requestOf } from './deployments.js'

const { chat } = databricks.protocol.codecs
const claude = 'databricks-claude-opus-4-5'

function exchangeOf(fields: JsonObject = {}, changes: Partial<Deployment> = {}) {
  const request = ChatRequest.parse({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...fields })
  const deployment = deploymentOf({ provider: 'databricks', model: claude, ...changes })
  return { request, deployment, id: 'i'.repeat(24), created: 1 }
}

const encode = (fields: JsonObject, changes: Partial<Deployment> = {}) => {
  const sent = chat?.encode(exchangeOf(fields, changes))
  return { path: sent?.path, body: JSON.parse(String(sent?.body)) as JsonObject }
}

const reasoning = (text: string, signature?: string) => ({
  type: 'reasoning',
  summary: [{ type: 'summary_text', text, ...(signature !== undefined && { signature }) }],
})

describe('a chat with Databricks', () => {
  it('goes to the endpoint that the body names, or to one of its own', () => {
    expect(encode({})).toMatchObject({ path: '/chat/completions', body: { model: claude } })
    const baseUrl = 'https://x.databricks.com/serving-endpoints/mine/invocations'
    expect(encode({}, { baseUrl }).path).toBe('/invocations')
  })

  it('names a bare host’s endpoints', () => {
    expect(databricks.completeBaseUrl?.('https://x.databricks.com')).toBe('https://x.databricks.com/serving-endpoints')
    expect(databricks.completeBaseUrl?.('https://x.databricks.com/serving-endpoints/chat/completions')).toBe(
      'https://x.databricks.com/serving-endpoints',
    )
  })

  it('sends no empty text, no names, and only what is known there', () => {
    const content = [
      { type: 'text', text: '' },
      { type: 'text', text: 'hi' },
    ]
    const { body } = encode({ messages: [{ role: 'user', name: 'ann', content }], max_completion_tokens: 9 })
    expect(body).toMatchObject({ messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }], max_tokens: 9 })
    expect(() => encode({ frequency_penalty: 1 })).toThrow(/frequency_penalty/)
  })

  it('has Claude think by budget and others by effort', () => {
    expect(encode({ reasoning_effort: 'low' }).body['thinking']).toMatchObject({ type: 'enabled' })
    expect(encode({ reasoning_effort: 'low' }, { model: 'databricks-gpt-oss-120b' }).body['reasoning_effort']).toBe(
      'low',
    )
  })

  it('sends signed thinking back where it was', () => {
    const { body } = encode({
      messages: [
        { role: 'user', content: 'hi' },
        {
          role: 'assistant',
          content: 'Looking.',
          thinking_blocks: [{ type: 'thinking', thinking: 'Hm.', signature: 'sig' }],
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'a', content: '1' },
      ],
    })
    expect(body['messages']).toMatchObject([
      {},
      { content: [reasoning('Hm.', 'sig'), { type: 'text', text: 'Looking.' }], tool_calls: [{ id: 'a' }] },
      {},
    ])
  })

  it('reads lists of reasoning and text, signature included', () => {
    const content = [reasoning('Hm.', 'sig'), { type: 'text', text: 'Yes.' }]
    const body = { id: 'c', choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }] }
    expect(chat?.decode(body, exchangeOf()).choices[0]?.message).toMatchObject({
      content: 'Yes.',
      reasoning_content: 'Hm.',
      thinking_blocks: [{ type: 'thinking', thinking: 'Hm.', signature: 'sig' }],
    })
  })

  it('streams them, the block once its signature has come', () => {
    const decoder = chat?.decodeStream?.(exchangeOf({ stream: true }))
    const event = (delta: JsonObject, finish_reason: string | null = null) => ({
      event: '',
      data: JSON.stringify({ id: 'c', created: 1, model: claude, choices: [{ index: 0, delta, finish_reason }] }),
      frame: undefined,
    })
    const parts = [
      event({ role: 'assistant', content: [reasoning('H')] }),
      event({ content: [reasoning('m.')] }),
      event({ content: [reasoning('', 'sig')] }),
      event({ content: [{ type: 'text', text: 'Yes.' }] }),
      event({}, 'stop'),
    ].flatMap((one) => decoder?.push(one) ?? [])
    const deltas = parts.flatMap(({ chunk }) => chunk?.choices.map(({ delta }) => delta) ?? [])
    expect(deltas.map(({ reasoning_content: text }) => text ?? '').join('')).toBe('Hm.')
    expect(deltas.map(({ content }) => content ?? '').join('')).toBe('Yes.')
    expect(deltas.flatMap(({ thinking_blocks: blocks }) => blocks ?? [])).toEqual([
      { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
    ])
    expect(deltas.findIndex(({ thinking_blocks: blocks }) => blocks)).toBeLessThan(
      deltas.findIndex(({ content }) => content),
    )
  })

  it('keeps the words of a refusal', () => {
    const body = { error_code: 'BAD_REQUEST', message: 'Model is not there.' }
    expect(databricks.protocol.failure(400, body)).toMatchObject({ message: body.message, code: 'BAD_REQUEST' })
  })
})

describe('signing in at Databricks', () => {
  const keyless = deploymentOf({ provider: 'databricks', apiKey: undefined })

  it('sends a personal access token as Bearer', async () => {
    const { headers } = await databricks.authorize(requestOf(), deploymentOf(), noTokens)
    expect(headers['authorization']).toBe('Bearer sk-test-key')
  })

  it('fetches a token at the workspace for a service principal', async () => {
    const asked: OutgoingRequest[] = []
    const tokens = createTokenCache(noTokens.clock, (request) => {
      asked.push(request)
      return Promise.resolve({ status: 200, text: '{"access_token":"fetched","expires_in":3600}' })
    })
    const settings = { clientId: 'id', clientSecret: new Secret('hush') }
    const context = { ...noTokens, tokens, url: 'https://x.databricks.com/serving-endpoints/chat/completions' }
    const { headers } = await databricks.authorize(requestOf(), { ...keyless, settings }, context)
    expect(headers['authorization']).toBe('Bearer fetched')
    expect(asked).toMatchObject([
      {
        origin: 'https://x.databricks.com',
        path: '/oidc/v1/token',
        headers: { authorization: `Basic ${Buffer.from('id:hush').toString('base64')}` },
        body: 'grant_type=client_credentials&scope=all-apis',
      },
    ])
  })

  it('fails where nothing is set', () => {
    expect(() => databricks.authorize(requestOf(), keyless, noTokens)).toThrow(/DATABRICKS_API_KEY/)
  })
})
