import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import { azureAi } from '../../../src/providers/azure/foundry.js'
import { ChatRequest } from '../../../src/wire/chat.js'
import type { EmbeddingRequest } from '../../../src/wire/embeddings.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { deploymentOf } from '../deployments.js'

const base = { id: 'i'.repeat(24), created: 1 }
const placeOf = (changes: Partial<Deployment>) =>
  deploymentOf({ provider: 'azure_ai', model: 'Kimi-K2.5', baseUrl: 'https://r.services.ai.azure.com', ...changes })

function chat(fields: JsonObject, changes: Partial<Deployment> = {}) {
  const request = ChatRequest.parse({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...fields })
  const sent = azureAi.protocol.codecs.chat?.encode({ ...base, request, deployment: placeOf(changes) })
  return { path: sent?.path, body: JSON.parse(String(sent?.body)) as JsonObject, dropped: sent?.droppedParams }
}

function embed(input: EmbeddingRequest['input'], changes: Partial<Deployment> = {}) {
  const exchange = { ...base, request: { model: 'm', input }, deployment: placeOf(changes) }
  const sent = azureAi.protocol.codecs.embeddings?.encode(exchange)
  return { path: sent?.path, body: JSON.parse(String(sent?.body)) as JsonObject }
}

describe('Azure AI Foundry', () => {
  it.each([
    [{}, '/openai/v1/chat/completions'],
    [{ baseUrl: 'https://r.services.ai.azure.com/openai/v1' }, '/chat/completions'],
    [{ apiVersion: '2024-05-01-preview' }, '/models/chat/completions?api-version=2024-05-01-preview'],
    [{ baseUrl: 'https://r.services.ai.azure.com/models' }, '/chat/completions?api-version=2024-05-01-preview'],
    [{ baseUrl: 'https://x.eastus2.models.ai.azure.com' }, '/chat/completions'],
    [{ baseUrl: 'https://x.eastus2.models.ai.azure.com/v1' }, '/chat/completions'],
    [{ model: 'claude-opus-4-5' }, '/anthropic/v1/messages'],
    [{ model: 'claude-opus-4-5', baseUrl: 'https://r.services.ai.azure.com/anthropic' }, '/v1/messages'],
  ])('is asked, with %j, at %s', (changes, path) => {
    expect(chat({}, changes).path).toBe(path)
  })

  it('is sent texts as strings, and Grok no stop sequences', () => {
    const messages = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
    ]
    expect(chat({ messages }).body['messages']).toEqual([{ role: 'user', content: 'ab' }])
    expect(chat({ stop: 'x' }).body['stop']).toBe('x')
    expect(() => chat({ stop: 'x' }, { model: 'grok-4-fast-reasoning' })).toThrow(/stop/)
    expect(chat({ stop: 'x' }, { model: 'grok-4-fast-reasoning', dropParams: true }).dropped).toEqual(['stop'])
  })

  it('speaks to Claude in its own dialect, and reads its answers', () => {
    expect(chat({ max_tokens: 9 }, { model: 'claude-opus-4-5' }).body).toMatchObject({
      model: 'claude-opus-4-5',
      max_tokens: 9,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
    })
    const request = ChatRequest.parse({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
    const answer = { type: 'message', content: [{ type: 'text', text: 'yes' }], stop_reason: 'end_turn', usage: {} }
    const deployment = placeOf({ model: 'claude-opus-4-5' })
    expect(azureAi.protocol.codecs.chat?.decode(answer, { ...base, request, deployment }).choices[0]).toMatchObject({
      message: { content: 'yes' },
      finish_reason: 'stop',
    })
  })

  it('embeds texts and images at different routes', () => {
    const png = 'data:image/png;base64,AAAA'
    expect(embed(['a', 'b'])).toMatchObject({ path: '/openai/v1/embeddings', body: { input: ['a', 'b'] } })
    const models = { apiVersion: '2024-05-01-preview' }
    expect(embed([png], models)).toMatchObject({
      path: '/models/images/embeddings?api-version=2024-05-01-preview',
      body: { input: [{ image: png }] },
    })
    expect(() => embed(['a', png])).toThrow(/not both/)
  })

  it('asks newer FLUX models at their maker’s route', () => {
    const exchange = { ...base, request: { model: 'm', prompt: 'a cat' }, deployment: placeOf({ model: 'FLUX.2-pro' }) }
    expect(azureAi.protocol.codecs.images?.encode(exchange).path).toBe(
      '/providers/blackforestlabs/v1/flux-2-pro?api-version=preview',
    )
  })
})
