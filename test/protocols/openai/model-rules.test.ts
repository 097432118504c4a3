import { describe, expect, it } from 'vitest'
import { bodyOf, codecOf, encodeChat, exchangeOf } from './exchange.js'

const send = (model: string, fields: Record<string, unknown>, dropParams = false) =>
  encodeChat(fields, { modelRules: true }, { model, provider: 'openai', dropParams })

// Case 33.
describe('OpenAI’s reasoning models', () => {
  it.each(['o3', 'gpt-5-mini', 'gpt-5.1', 'gpt-6-sol', 'gpt-7-unheard-of', 'ft:gpt-5-mini:acme'])(
    'take max_completion_tokens and the developer role: %s',
    (model) => {
      const { body } = send(model, { max_tokens: 10, messages: [{ role: 'system', content: 's' }] })
      expect(body).toMatchObject({ max_completion_tokens: 10, messages: [{ role: 'developer', content: 's' }] })
      expect(body).not.toHaveProperty('max_tokens')
    },
  )

  it.each(['gpt-4o', 'gpt-4.1-mini', 'gpt-3.5-turbo', 'gpt-5-chat-latest', 'my-own-llama'])(
    'are not these: %s is sent as it is',
    (model) => {
      const fields = { max_tokens: 10, temperature: 0.2, messages: [{ role: 'system' as const, content: 's' }] }
      expect(send(model, fields).body).toEqual({ ...fields, model })
    },
  )

  it('refuse sampling parameters: 400 by default, dropped and reported on request', () => {
    const fields = { temperature: 0.2, top_p: 0.5, stop: ['x'], presence_penalty: 1 }
    expect(() => send('gpt-5', fields)).toThrow(/temperature, top_p, presence_penalty, stop/)
    const { sent, body } = send('gpt-5', fields, true)
    expect(sent.droppedParams).toEqual(['temperature', 'top_p', 'presence_penalty', 'stop'])
    expect(Object.keys(body).toSorted()).toEqual(['messages', 'model'])
    expect(send('o3', { stop: ['x'], temperature: 1 }).body).toMatchObject({ stop: ['x'] })
  })

  it('take sampling parameters from 5.1 on while they do not reason', () => {
    expect(send('gpt-5.1', { temperature: 0.2 }).body).toMatchObject({ temperature: 0.2 })
    expect(() => send('gpt-5.1', { temperature: 0.2, reasoning_effort: 'low' })).toThrow(/temperature/)
    expect(() => send('gpt-6-sol', { temperature: 0.2 })).toThrow(/temperature/)
    expect(send('gpt-6-sol', { temperature: 0.2, reasoning_effort: 'none' }).body).toMatchObject({ temperature: 0.2 })
  })

  it('take function tools only without effort where the model says so', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }]
    expect(() => send('gpt-5.5', { tools, reasoning_effort: 'high' })).toThrow(/reasoning_effort/)
    expect(send('gpt-5.5', { tools }).body).not.toHaveProperty('reasoning_effort')
    expect(send('gpt-6-luna', { tools }).body).toMatchObject({ reasoning_effort: 'none' })
    expect(send('gpt-6-astra', { tools, reasoning_effort: 'high' }).body).toMatchObject({ reasoning_effort: 'high' })
  })

  it('that search take little else', () => {
    expect(() => send('gpt-5-search-api', { seed: 1, n: 2 })).toThrow(/parameters seed, n for/)
    expect(send('gpt-5-search-api', { web_search_options: {}, max_tokens: 4 }).body).toMatchObject({
      max_completion_tokens: 4,
    })
  })

  it('are only minded where a provider asks for it', () => {
    expect(encodeChat({ max_tokens: 1, temperature: 0 }, {}, { model: 'gpt-5' }).body).toMatchObject({
      max_tokens: 1,
      temperature: 0,
    })
  })
})

// Case 43.
describe('OpenAI’s image models', () => {
  const encode = (model: string, fields: Record<string, unknown>) => {
    const exchange = exchangeOf<'images'>({ model: 'm', prompt: 'a cat', ...fields }, { model, provider: 'openai' })
    return bodyOf(codecOf('images', { modelRules: true }).encode(exchange))
  }

  it('of the newer kind always give base64 and take no response_format', () => {
    expect(encode('gpt-image-1', { response_format: 'b64_json', size: '1024x1024' })).toEqual({
      model: 'gpt-image-1',
      prompt: 'a cat',
      size: '1024x1024',
    })
    expect(() => encode('gpt-image-2-mini', { response_format: 'url' })).toThrow(/response_format/)
  })

  it('of the older kinds take it, and one of them a style', () => {
    expect(encode('dall-e-3', { response_format: 'url', style: 'vivid' })).toMatchObject({
      response_format: 'url',
      style: 'vivid',
    })
    expect(() => encode('dall-e-2', { style: 'vivid' })).toThrow(/style/)
    expect(encode('someone-elses', { style: 'vivid', background: 'x' })).toMatchObject({
      style: 'vivid',
      background: 'x',
    })
  })
})
