import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import { perplexity } from '../../src/providers/perplexity/index.js'
import { ChatRequest } from '../../src/wire/chat.js'
import type { JsonObject } from '../../src/wire/json.js'
import { deploymentOf } from './deployments.js'

const base = { id: 'i'.repeat(24), created: 1 }
const codecs = perplexity.protocol.codecs

function exchangeOf(fields: JsonObject, changes: Partial<Deployment>) {
  const request = ChatRequest.parse({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...fields })
  return { ...base, request, deployment: deploymentOf({ provider: 'perplexity', model: 'sonar', ...changes }) }
}

function encode(fields: JsonObject, changes: Partial<Deployment> = {}) {
  const sent = codecs.chat?.encode(exchangeOf(fields, changes))
  return { path: sent?.path, dropped: sent?.droppedParams, body: JSON.parse(String(sent?.body)) as JsonObject }
}

describe('chat with Perplexity', () => {
  it.each([
    ['sonar', 'fast'],
    ['sonar-pro', 'low'],
    ['sonar-reasoning', 'medium'],
    ['sonar-reasoning-pro', 'medium'],
    ['sonar-deep-research', 'high'],
  ])('keeps %s alive on the Agent API, pinned, with a preset', (model, preset) => {
    expect(encode({}, { model })).toMatchObject({
      path: '/v1/responses',
      body: { model: 'perplexity/sonar', preset, input: [{ role: 'user', content: 'hi' }], store: false },
    })
  })

  it('passes other models as they are, and a preset of the caller or deployment before ours', () => {
    const { body } = encode({}, { model: 'openai/gpt-5.5' })
    expect(body['model']).toBe('openai/gpt-5.5')
    expect(body).not.toHaveProperty('preset')
    expect(body).not.toHaveProperty('include')
    expect(encode({ preset: 'deep' }).body['preset']).toBe('deep')
    expect(encode({}, { params: { preset: 'deep' } }).body['preset']).toBe('deep')
  })

  it('moves search options into the tool', () => {
    const { body } = encode({
      search_domain_filter: ['a.example'],
      search_recency_filter: 'week',
      web_search_options: { search_context_size: 'high' },
    })
    expect(body['tools']).toEqual([
      {
        type: 'web_search',
        search_context_size: 'high',
        filters: { search_domain_filter: ['a.example'], search_recency_filter: 'week' },
      },
    ])
    expect(body).not.toHaveProperty('search_domain_filter')
  })

  it('searches nothing where search is off', () => {
    const { body } = encode({ disable_search: true, search_recency_filter: 'week' })
    expect(body['model']).toBe('perplexity/sonar')
    for (const name of ['preset', 'tools', 'disable_search', 'search_recency_filter'])
      expect(body).not.toHaveProperty(name)
  })

  it('asks for a schema as chat does', () => {
    const format = { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' } } }
    const { body } = encode({ response_format: format })
    expect(body['response_format']).toEqual(format)
    expect(body).not.toHaveProperty('text')
  })

  it('refuses what the Agent API does not know', () => {
    expect(() => encode({ temperature: 0.2, top_p: 0.5, return_images: true })).toThrow(
      /return_images, temperature, top_p|temperature/,
    )
    expect(
      encode({ temperature: 0.2, return_images: true, tool_choice: 'auto' }, { dropParams: true }).dropped,
    ).toEqual(expect.arrayContaining(['temperature', 'return_images']))
    expect(encode({ return_images: false }).dropped).toEqual([])
  })

  it.each(['r1-1776', 'llama-3.1-sonar-small-128k-online', 'pplx-70b-online'])('tells that %s ended', (model) => {
    expect(() => encode({}, { model })).toThrow(expect.objectContaining({ kind: 'gone', status: 410 }))
  })

  it('speaks the old chat with look-alikes', () => {
    const changes = { model: 'r1-1776', baseUrl: 'https://sonar.example.com' }
    expect(encode({ temperature: 0.2, return_images: true }, changes)).toMatchObject({
      path: '/chat/completions',
      body: { model: 'r1-1776', temperature: 0.2, return_images: true },
    })
    expect(() => encode({ tools: [{ type: 'function', function: { name: 'f' } }] }, changes)).toThrow(/tools/)
    expect(encode({}, { baseUrl: 'https://api.perplexity.ai' }).path).toBe('/v1/responses')
  })

  it('gives the pages that were found, and what the call cost', () => {
    const response = {
      id: 'r',
      status: 'completed',
      output: [
        { type: 'search_results', queries: ['q'], results: [{ id: 1, url: 'https://a.example/', title: 'A' }] },
        { type: 'message', content: [{ type: 'output_text', text: 'Sunny[1]' }] },
      ],
      usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5, cost: { total_cost: 0.01 } },
    }
    const completion = codecs.chat?.decode(response, exchangeOf({}, {}))
    expect(completion?.choices[0]?.message).toMatchObject({
      content: 'Sunny[1]',
      annotations: [{ url_citation: { start_index: 5, end_index: 8, url: 'https://a.example/' } }],
      provider_specific_fields: { citations: ['https://a.example/'] },
    })
    expect(completion?.usage).toMatchObject({ prompt_tokens: 3, cost: { total_cost: 0.01 } })
  })
})

describe('embeddings of Perplexity', () => {
  const decode = (encoding_format: 'float' | 'base64') => {
    const request = { model: 'm', input: ['a'], encoding_format }
    const embedding = Buffer.from([127, 0x81, 0]).toString('base64')
    const body = {
      object: 'list',
      data: [{ index: 0, embedding }],
      model: 'p',
      usage: { prompt_tokens: 1, total_tokens: 1 },
    }
    return codecs.embeddings?.decode(body, { ...base, request, deployment: deploymentOf() }).data[0]?.embedding
  }

  it('are numbers from signed bytes', () => {
    expect(decode('float')).toEqual([1, -1, 0])
    const bytes = Buffer.from(String(decode('base64')), 'base64')
    expect([0, 4, 8].map((at) => bytes.readFloatLE(at))).toEqual([1, -1, 0])
  })

  it('are asked for without a format of ours', () => {
    const exchange = {
      ...base,
      request: { model: 'm', input: 'a', encoding_format: 'base64' as const },
      deployment: deploymentOf(),
    }
    const sent = codecs.embeddings?.encode(exchange)
    expect(sent?.path).toBe('/v1/embeddings')
    expect(JSON.parse(String(sent?.body))).toEqual({ model: 'model-1', input: 'a' })
  })
})
