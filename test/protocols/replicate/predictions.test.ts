import { describe, expect, it } from 'vitest'
import { replicateProtocol } from '../../../src/protocols/replicate/index.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import { codecIn, encode, exchange, thrownBy } from '../further-exchange.js'

const chat = codecIn(replicateProtocol, 'chat')
const images = codecIn(replicateProtocol, 'images')
const version = 'a'.repeat(64)

/** What the API refuses: additional properties beside the input, and a version in a path that has one. */
function check(body: JsonObject): JsonObject {
  const unknown = Object.keys(body).filter((name) => !['input', 'stream', 'version'].includes(name))
  if (unknown.length > 0) throw new Error(`Additional property ${unknown.join()} is not allowed`)
  if (!isObject(body['input'])) throw new Error('input is required')
  return body['input']
}

const inputOf = (fields: JsonObject, model = 'meta/llama-3-8b') => check(encode(chat, 'chat', fields, { model }).body)

describe('a prediction', () => {
  it('is created at the model, its version or its deployment', () => {
    const sentTo = (model: string) => encode(chat, 'chat', {}, { model })
    expect(sentTo('meta/llama-3-8b').sent.path).toBe('/models/meta/llama-3-8b/predictions')
    expect(sentTo('deployments/acme/own').sent.path).toBe('/deployments/acme/own/predictions')
    const versioned = sentTo(`acme/own:${version}`)
    expect(versioned.sent.path).toBe('/predictions')
    expect(versioned.body['version']).toBe(version)
    expect(versioned.sent.headers['prefer']).toBe('wait=60')
    expect(versioned.body).not.toHaveProperty('stream')
  })

  it('has one prompt, and instructions apart', () => {
    const system = { role: 'system', content: 'Be brief.' }
    const user = { role: 'user', content: 'Hello' }
    expect(inputOf({ messages: [system, user] })).toEqual({ prompt: 'Hello', system_prompt: 'Be brief.' })
    const longer = [user, { role: 'assistant', content: 'Hi' }, { role: 'user', content: 'Bye' }]
    expect(inputOf({ messages: longer })['prompt']).toBe('User: Hello\n\nAssistant: Hi\n\nUser: Bye\n\nAssistant:')
  })

  it('names the token limit as its family of models does', () => {
    expect(inputOf({ max_tokens: 5 })).toMatchObject({ max_tokens: 5 })
    expect(inputOf({ max_tokens: 5 }, 'meta/llama-2-70b-chat')).toMatchObject({ max_new_tokens: 5 })
    expect(inputOf({ max_tokens: 5 }, 'replicate/vicuna-13b')).toMatchObject({ max_length: 5 })
    expect(inputOf({ max_completion_tokens: 5 }, 'openai/gpt-5')).toMatchObject({ max_completion_tokens: 5 })
    expect(inputOf({ stop: ['a', 'b'], top_k: 3 })).toMatchObject({ stop_sequences: 'a,b', top_k: 3 })
  })

  it('takes images where the model looks for them', () => {
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
    const messages = [{ role: 'user', content: [{ type: 'text', text: 'What?' }, image] }]
    expect(inputOf({ messages })).toEqual({ prompt: 'What?', image: 'https://example.com/a.png' })
    expect(inputOf({ messages }, 'openai/gpt-4o')).toMatchObject({ image_input: ['https://example.com/a.png'] })
    const two = [{ role: 'user', content: [image, image] }]
    expect(thrownBy(() => inputOf({ messages: two })).message).toMatch(/one image/)
  })

  it('has no tools', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }]
    expect(thrownBy(() => inputOf({ tools })).message).toMatch(/tools/)
  })

  it('makes images of pixels or of a ratio', () => {
    const sizeOf = (model: string, size: string) => check(encode(images, 'images', { size, n: 2 }, { model }).body)
    expect(sizeOf('stability-ai/sdxl', '512x256')).toEqual({ prompt: 'a cat', width: 512, height: 256, num_outputs: 2 })
    expect(sizeOf('black-forest-labs/flux-dev', '1792x1024')).toMatchObject({ aspect_ratio: '16:9' })
    expect(thrownBy(() => sizeOf('black-forest-labs/flux-dev', '37x911')).param).toBe('size')
  })
})

describe('following a prediction', () => {
  const next = (body: JsonObject) => chat.next?.(body, exchange('chat'))

  it('asks its own address again, whatever address the answer names', () => {
    const urls = { get: 'https://evil.example/steal' }
    expect(next({ id: 'abc', status: 'starting', urls })).toMatchObject({
      request: { method: 'GET', path: '/predictions/abc', body: null },
      delayMs: 500,
    })
    expect(next({ id: 'abc', status: 'starting' })).not.toHaveProperty('origin')
    expect(thrownBy(() => next({ id: '../secrets', status: 'starting' })).kind).toBe('upstream_invalid')
  })

  it('ends with the output of a create that waited, or with success', () => {
    expect(next({ id: 'abc', status: 'processing', output: ['Hi'] })).toBeUndefined()
    expect(next({ id: 'abc', status: 'succeeded', output: null })).toBeUndefined()
    const running = { id: 'abc', status: 'processing', output: ['H'], started_at: '2026-01-01T00:00:00Z' }
    expect(next(running)).toMatchObject({ request: { method: 'GET' } })
  })

  it('throws what the model threw', () => {
    const failure = (error: string) => thrownBy(() => next({ id: 'abc', status: 'failed', error }))
    expect(failure('CUDA out of memory')).toMatchObject({ kind: 'upstream_error', message: 'CUDA out of memory' })
    expect(failure('NSFW content detected.')).toMatchObject({ kind: 'content_policy', status: 400 })
    expect(thrownBy(() => next({ id: 'abc', status: 'canceled' })).message).toBe('The prediction was canceled.')
  })
})

describe('the answer of a prediction', () => {
  it('is text in one piece or in many, with the tokens that were counted', () => {
    const metrics = { input_token_count: 3, output_token_count: 2 }
    const answer = { id: 'abc', model: 'meta/m', status: 'succeeded', output: ['He', 'llo'], metrics }
    expect(chat.decode(answer, exchange('chat'))).toMatchObject({
      id: 'chatcmpl-abc',
      model: 'meta/m',
      choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }],
      usage: { total_tokens: 5 },
    })
    const uncounted = chat.decode({ status: 'succeeded', output: 'Hi' }, exchange('chat'))
    expect(uncounted.choices[0]?.message.content).toBe('Hi')
    expect(uncounted).not.toHaveProperty('usage')
  })

  it('is images by address or by bytes', () => {
    const output = ['https://replicate.delivery/a.png', 'data:image/png;base64,AAAA']
    expect(images.decode({ status: 'succeeded', output }, exchange('images')).data).toEqual([
      { url: 'https://replicate.delivery/a.png' },
      { b64_json: 'AAAA' },
    ])
    expect(thrownBy(() => images.decode({ status: 'succeeded', output: [] }, exchange('images'))).kind).toBe(
      'upstream_invalid',
    )
  })
})
