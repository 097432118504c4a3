import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import type { Exchange } from '../../src/protocols/protocol.js'
import { createRegistry } from '../../src/providers/registry.js'
import { ChatRequest } from '../../src/wire/chat.js'
import type { JsonObject } from '../../src/wire/json.js'
import { deploymentOf } from './deployments.js'

const registry = createRegistry([])
const tool = { type: 'function', function: { name: 'f' } }

function exchangeOf(fields: JsonObject, changes: Partial<Deployment>): Exchange<'chat'> {
  const request = ChatRequest.parse({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...fields })
  return { request, deployment: deploymentOf(changes), id: 'i'.repeat(24), created: 1 }
}

const codecOf = (provider: string) => {
  const codec = registry.get(provider)?.protocol.codecs.chat
  if (!codec) throw new Error('no codec')
  return codec
}

const pathOf = (provider: string, model: string, fields: JsonObject = {}, changes: Partial<Deployment> = {}) =>
  codecOf(provider).encode(exchangeOf(fields, { provider, model, ...changes })).path

describe('chat with OpenAI', () => {
  it.each([
    ['gpt-5.5', {}],
    ['gpt-5.5', { tools: [tool] }],
    ['gpt-5.2', { tools: [tool], reasoning_effort: 'high' }],
    ['gpt-4o-search-preview', { web_search_options: {} }],
    ['my-own-model', { tools: [{ type: 'web_search' }] }],
  ])('goes over the chat endpoint: %s %j', (model, fields) => {
    expect(pathOf('openai', model, fields)).toBe('/chat/completions')
  })

  it.each([
    ['responses/gpt-4.1', {}],
    ['gpt-5.5-pro', {}],
    ['gpt-5.5', { tools: [tool], reasoning_effort: 'low' }],
    ['gpt-5.5', { tools: [tool], thinking: { type: 'enabled', budget_tokens: 2_000 } }],
    ['gpt-5.5', { tools: [{ type: 'web_search' }] }],
    ['gpt-5.5', { web_search_options: {} }],
    ['gpt-5.5', { reasoning: { summary: 'auto' } }],
    ['gpt-5.5', { previous_response_id: 'resp_1' }],
  ])('goes over the Responses API: %s %j', (model, fields) => {
    expect(pathOf('openai', model, fields)).toBe('/responses')
  })

  it("is decided by the deployment's params too", () => {
    expect(pathOf('openai', 'gpt-5.5', { tools: [tool] }, { params: { reasoning_effort: 'high' } })).toBe('/responses')
    const fields = { tools: [tool], reasoning_effort: 'none' }
    expect(pathOf('openai', 'gpt-5.5', fields, { params: { reasoning_effort: 'high' } })).toBe('/chat/completions')
  })

  describe('at an address of its own', () => {
    const search = { tools: [{ type: 'web_search' }] }
    const at = (baseUrl: string, api?: string) => ({ baseUrl, settings: api === undefined ? {} : { api } })
    const proxy = 'https://proxy.example/v1'

    it.each(['https://api.openai.com/v1', 'https://eu.api.openai.com/v1', 'https://r.openai.azure.com/openai/v1'])(
      'has the Responses API at %s',
      (baseUrl) => {
        expect(pathOf('openai', 'gpt-5.5', search, at(baseUrl))).toBe('/responses')
      },
    )

    it.each([
      search,
      { web_search_options: {} },
      { reasoning: { summary: 'auto' } },
      { previous_response_id: 'resp_1' },
    ])('stays at the chat endpoint of another server: %j', (fields) => {
      expect(pathOf('openai', 'gpt-5.5', fields, at(proxy))).toBe('/chat/completions')
      expect(pathOf('openai', 'gpt-5.5', fields, at('https://api.openai.com.evil.example/v1'))).toBe(
        '/chat/completions',
      )
      expect(pathOf('openai', 'gpt-5.5', fields, at(proxy, 'responses'))).toBe('/responses')
    })

    it('goes over the Responses API where no chat endpoint takes the model, unless a setting says chat', () => {
      expect(pathOf('openai', 'gpt-5.5-pro', {}, at(proxy))).toBe('/responses')
      expect(pathOf('openai', 'responses/gpt-4.1', {}, at(proxy))).toBe('/responses')
      expect(pathOf('openai', 'gpt-5.5-pro', {}, at(proxy, 'chat'))).toBe('/chat/completions')
      expect(pathOf('openai', 'gpt-5.5', search, at('https://api.openai.com/v1', 'chat'))).toBe('/chat/completions')
      expect(pathOf('openai', 'responses/gpt-4.1', {}, at(proxy, 'chat'))).toBe('/responses')
    })
  })

  it('reads each answer as the API that was asked gives it', () => {
    const codec = codecOf('openai')
    const response = {
      id: 'resp_1',
      status: 'completed',
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'yes' }] }],
    }
    const answered = codec.decode(response, exchangeOf({}, { model: 'gpt-5.5-pro' }))
    expect(answered.choices[0]?.message.content).toBe('yes')
    const chat = {
      id: 'c',
      choices: [{ index: 0, message: { role: 'assistant', content: 'no' }, finish_reason: 'stop' }],
    }
    expect(codec.decode(chat, exchangeOf({}, { model: 'gpt-5.5' })).choices[0]?.message.content).toBe('no')
    const event = {
      event: '',
      data: '{"type":"response.output_text.delta","output_index":0,"delta":"yes"}',
      frame: undefined,
    }
    const parts = codec.decodeStream?.(exchangeOf({}, { model: 'gpt-5.5-pro' })).push(event)
    expect(parts?.[0]?.chunk?.choices[0]?.delta.content).toBe('yes')
  })
})

describe('chat with xAI', () => {
  it('goes over the Responses API for hosted tools only', () => {
    expect(pathOf('xai', 'grok-4.3', { tools: [tool] })).toBe('/chat/completions')
    expect(pathOf('xai', 'grok-4.3', { tools: [{ type: 'x_search' }] })).toBe('/responses')
    expect(pathOf('xai', 'grok-4.3', { web_search_options: {} })).toBe('/responses')
    expect(pathOf('xai', 'responses/grok-4.3')).toBe('/responses')
  })
})
