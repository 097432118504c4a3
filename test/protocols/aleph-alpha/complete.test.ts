import { describe, expect, it } from 'vitest'
import { alephAlphaProtocol } from '../../../src/protocols/aleph-alpha/index.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import { codecIn, encode as encodeWith, exchange, stream, thrownBy } from '../further-exchange.js'

const chat = codecIn(alephAlphaProtocol, 'chat')
const completions = codecIn(alephAlphaProtocol, 'completions')

/** What the API refuses: a request without a limit, and a prompt that is no list of known items. */
function check(body: JsonObject): JsonObject {
  const { maximum_tokens: limit, prompt, model } = body
  if (typeof limit !== 'number' || limit < 1) throw new Error('maximum_tokens is mandatory')
  if (typeof model !== 'string') throw new Error('model is mandatory')
  const items: readonly unknown[] = Array.isArray(prompt) ? prompt : []
  const isKnown = (item: unknown) => isObject(item) && ['text', 'image', 'token_ids'].includes(String(item['type']))
  if (items.length === 0 || !items.every((item) => isKnown(item) && isObject(item) && 'data' in item)) {
    throw new Error('prompt must be a list of items')
  }
  if ('max_tokens' in body || 'stop' in body || 'messages' in body) throw new Error('not a member of this API')
  return body
}

const encodeChat = (fields: JsonObject, changes = {}) => check(encodeWith(chat, 'chat', fields, changes).body)
const encodeText = (fields: JsonObject, changes = {}) =>
  check(encodeWith(completions, 'completions', fields, changes).body)

describe('a request to /complete', () => {
  it('renames the parameters, and always names a limit', () => {
    expect(encodeText({ prompt: 'Once', stop: 'end', temperature: 0, max_tokens: 7, steering: 1 })).toEqual({
      model: 'acme-large',
      prompt: [{ type: 'text', data: 'Once' }],
      maximum_tokens: 7,
      stop_sequences: ['end'],
      temperature: 0,
      steering: 1,
    })
    expect(encodeText({})['maximum_tokens']).toBe(1_024)
    expect(encodeText({}, { capabilities: { maxOutputTokens: 99 } })['maximum_tokens']).toBe(99)
  })

  it('takes tokens as a prompt, and one prompt at a time', () => {
    expect(encodeText({ prompt: [1, 2] })['prompt']).toEqual([{ type: 'token_ids', data: [1, 2] }])
    expect(thrownBy(() => encodeText({ prompt: ['a', 'b'] })).message).toMatch(/one prompt/)
  })

  it('writes the template of control models', () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ]
    expect(encodeChat({ messages }, { model: 'luminous-base-control' })['prompt']).toEqual([
      { type: 'text', data: '### Instruction:\nBe brief.\n\n### Input:\nHello\n\n### Response:' },
    ])
  })

  it('sends images of data URLs, and refuses addresses', () => {
    const image = (url: string) => ({ type: 'image_url', image_url: { url } })
    const content = [image('data:image/png;base64,AAAA'), { type: 'text', text: 'What is it?' }]
    expect(encodeChat({ messages: [{ role: 'user', content }] })['prompt']).toEqual([
      { type: 'image', data: 'AAAA' },
      { type: 'text', data: 'What is it?' },
    ])
    const remote = [{ role: 'user', content: [image('https://example.com/a.png')] }]
    expect(thrownBy(() => encodeChat({ messages: remote }))).toMatchObject({ kind: 'invalid_request' })
  })

  it('names what a model that continues text cannot do', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }]
    expect(thrownBy(() => encodeChat({ tools })).message).toMatch(/tools/)
    const { sent } = encodeWith(chat, 'chat', { tools, tool_choice: 'required' }, { dropParams: true })
    expect(sent.droppedParams).toEqual(['tools', 'tool_choice'])
  })
})

describe('an answer of /complete', () => {
  const whole = {
    model_version: '2022-04',
    completions: [{ completion: ' there', finish_reason: 'maximum_tokens' }],
    num_tokens_prompt_total: 4,
    num_tokens_generated: 7,
  }

  it('counts choices from 0 and tokens as told', () => {
    expect(chat.decode(whole, exchange('chat'))).toMatchObject({
      choices: [{ index: 0, message: { content: ' there' }, finish_reason: 'length' }],
      usage: { prompt_tokens: 4, completion_tokens: 7, total_tokens: 11 },
    })
    expect(completions.decode(whole, exchange('completions'))).toMatchObject({
      object: 'text_completion',
      choices: [{ index: 0, text: ' there', finish_reason: 'length' }],
    })
  })

  it('that is an error is one', () => {
    const error = thrownBy(() => chat.decode({ error: 'busy', code: 'QUEUE_FULL' }, exchange('chat')))
    expect(error).toMatchObject({ kind: 'upstream_error', message: 'busy' })
  })

  const events = [
    { type: 'stream_chunk', index: 0, completion: 'Hel' },
    { type: 'stream_chunk', index: 0, completion: 'lo' },
    { type: 'stream_summary', index: 0, finish_reason: 'end_of_text', model_version: '1' },
    { type: 'completion_summary', num_tokens_prompt_total: 1, num_tokens_generated: 2 },
  ]

  it('streams text, reason and usage', () => {
    const chunks = stream(chat, exchange('chat', { stream: true }), events)
    expect(chunks.map(({ choices }) => choices[0]?.delta.content).join('')).toBe('Hello')
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant')
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 3 } })
    const texts = stream(completions, exchange('completions', { stream: true }), events)
    expect(texts.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe('Hello')
  })

  it('that ends without a summary is cut off', () => {
    const error = thrownBy(() => stream(chat, exchange('chat'), events.slice(0, 2)))
    expect(error).toMatchObject({ kind: 'stream_truncated' })
  })
})

describe('embeddings', () => {
  const embeddings = codecIn(alephAlphaProtocol, 'embeddings')

  it('go to one of three endpoints', () => {
    const pathOf = (fields: JsonObject) => encodeWith(embeddings, 'embeddings', fields).sent.path
    expect(pathOf({ input: 'a' })).toBe('/semantic_embed')
    expect(pathOf({ input: ['a', 'b'] })).toBe('/batch_semantic_embed')
    expect(pathOf({ input: 'a', instruction: 'Represent' })).toBe('/instructable_embed')
  })

  it('take one input a call where an instruction goes with it', () => {
    const mostOf = (fields: JsonObject) => embeddings.mostInputs?.(exchange('embeddings', fields))
    expect(mostOf({ input: ['a', 'b'] })).toBe(100)
    expect(mostOf({ input: ['a', 'b'], instruction: 'Represent' })).toBe(1)
  })

  it('say which side of a search a text is on, and how wide a vector is to be', () => {
    const { body } = encodeWith(embeddings, 'embeddings', { input: ['a'], input_type: 'search_query', dimensions: 128 })
    expect(body).toEqual({
      model: 'acme-large',
      prompts: [[{ type: 'text', data: 'a' }]],
      representation: 'query',
      compress_to_size: 128,
    })
  })

  it('come in the encoding that was asked for, as many as inputs', () => {
    const answer = { embeddings: [[1, 2]], num_tokens_prompt_total: 3 }
    const asText = embeddings.decode(answer, exchange('embeddings', { input: ['a'], encoding_format: 'base64' }))
    expect(asText.data[0]?.embedding).toBe('AACAPwAAAEA=')
    expect(asText.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 })
    const error = thrownBy(() => embeddings.decode(answer, exchange('embeddings', { input: ['a', 'b'] })))
    expect(error.message).toMatch(/1 embeddings for 2 inputs/)
  })
})
