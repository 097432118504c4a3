import { describe, expect, it } from 'vitest'
import { cloudflare } from '../../../src/providers/cloudflare/index.js'
import { resolveTarget } from '../../../src/providers/target.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import { gather } from '../../protocols/openai/exchange.js'
import { codecIn, encode, exchange, stream, thrownBy } from '../../protocols/further-exchange.js'
import { deploymentOf } from '../deployments.js'

const chat = codecIn(cloudflare.protocol, 'chat')
const model = '@cf/meta/llama-3.3-70b-instruct'

/** What `/ai/run` refuses: content of nothing, a schema in OpenAI's envelope, and a stream beside a schema. */
function check(body: JsonObject): JsonObject {
  const messages: readonly unknown[] = Array.isArray(body['messages']) ? body['messages'] : []
  if (
    messages.some((message) => !isObject(message) || message['content'] === null || message['content'] === undefined)
  ) {
    throw new Error('content must be of type string')
  }
  const format = body['response_format']
  if (isObject(format) && isObject(format['json_schema'])) {
    if ('schema' in format['json_schema']) throw new Error('the schema stands bare')
    if (body['stream'] === true) throw new Error('JSON Schema mode is not supported with stream mode')
  }
  if ('model' in body || 'stream_options' in body) throw new Error('not a member of this API')
  return body
}

const bodyOf = (fields: JsonObject) => check(encode(chat, 'chat', fields, { model }).body)

describe('the address', () => {
  it('has the account and the model in it', () => {
    const deployment = deploymentOf({ provider: 'cloudflare', settings: { accountId: 'acc' } })
    expect(resolveTarget(cloudflare, deployment).basePath).toBe('/client/v4/accounts/acc/ai')
    expect(encode(chat, 'chat', {}, { model }).sent.path).toBe('/run/@cf/meta/llama-3.3-70b-instruct')
    expect(thrownBy(() => resolveTarget(cloudflare, deploymentOf())).message).toMatch(/CLOUDFLARE_ACCOUNT_ID/)
  })

  it('given by a host needs no account', () => {
    const baseUrl = cloudflare.completeBaseUrl?.('https://gateway.example/acc/ai/run')
    expect(baseUrl).toBe('https://gateway.example/acc/ai')
    expect(resolveTarget(cloudflare, deploymentOf({ baseUrl })).basePath).toBe('/acc/ai')
  })
})

describe('chat', () => {
  it('has no content that is null, and the bare schema', () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
    const schema = { type: 'object', properties: { a: { type: 'string' } } }
    const body = bodyOf({
      messages: [
        { role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] },
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c', content: 'x' },
      ],
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema } },
      max_completion_tokens: 5,
      stream: true,
    })
    expect(body).toMatchObject({
      messages: [{ role: 'system', content: 'Be brief.' }, { content: '' }, { content: 'x' }],
      response_format: { type: 'json_schema', json_schema: schema },
      max_tokens: 5,
    })
    expect(body).not.toHaveProperty('stream')
    expect(thrownBy(() => bodyOf({ stop: ['x'], n: 2 })).message).toMatch(/n|stop/)
  })

  it('is answered in an envelope, in JSON, or in shape of OpenAI', () => {
    const decode = (result: unknown, fields = {}) =>
      chat.decode({ result, success: true, errors: [] }, exchange('chat', fields)).choices[0]
    expect(decode({ response: 'Hello' })).toMatchObject({ message: { content: 'Hello' }, finish_reason: 'stop' })
    expect(decode({ response: { a: 1 } })?.message.content).toBe('{"a":1}')
    const calls = [{ name: 'f', arguments: { a: 1 } }]
    expect(decode({ response: null, tool_calls: calls })).toMatchObject({
      message: { tool_calls: [{ function: { name: 'f', arguments: '{"a":1}' } }] },
      finish_reason: 'tool_calls',
    })
    const choices = [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }]
    expect(decode({ choices })?.message.content).toBe('Hi')
  })

  it('that reached its limit says so, since the provider does not', () => {
    const usage = { prompt_tokens: 1, completion_tokens: 5, total_tokens: 6 }
    const body = { result: { response: 'a b c', usage }, success: true }
    const finish = (fields: JsonObject) => chat.decode(body, exchange('chat', fields)).choices[0]?.finish_reason
    expect(finish({ max_tokens: 5 })).toBe('length')
    expect(finish({ max_tokens: 6 })).toBe('stop')
  })

  it('that failed with status 200 is an error', () => {
    const body = { success: false, errors: [{ code: 3040, message: 'Capacity temporarily exceeded' }], result: null }
    expect(thrownBy(() => chat.decode(body, exchange('chat')))).toMatchObject({
      kind: 'rate_limited',
      message: 'Capacity temporarily exceeded',
    })
  })

  it('streams tokens, whatever type they come in', () => {
    const events = [
      { response: 'It is ', p: 'abc' },
      { response: 4, p: 'ab' },
      { tool_calls: [], p: 'ab' },
      { response: '', usage: { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 } },
      '[DONE]',
    ]
    const chunks = stream(chat, exchange('chat', { stream: true }), events)
    expect(gather(chunks).get(0)).toMatchObject({ roles: 1, content: 'It is 4', finishes: ['stop'] })
    expect(chunks.at(-1)?.usage?.total_tokens).toBe(4)
    expect(thrownBy(() => stream(chat, exchange('chat'), events.slice(0, 2))).kind).toBe('stream_truncated')
  })
})

describe('embeddings and images', () => {
  it('embed a list of texts', () => {
    const embeddings = codecIn(cloudflare.protocol, 'embeddings')
    expect(encode(embeddings, 'embeddings', { input: 'a' }, { model: '@cf/baai/bge-m3' }).body).toEqual({ text: ['a'] })
    const body = { result: { shape: [1, 2], data: [[1, 2]] }, success: true }
    expect(embeddings.decode(body, exchange('embeddings')).data[0]?.embedding).toEqual([1, 2])
  })

  it('give base64, or the image itself', () => {
    const images = codecIn(cloudflare.protocol, 'images')
    const { body } = encode(images, 'images', { size: '512x256', response_format: 'b64_json', steps: 4 })
    expect(body).toEqual({ prompt: 'a cat', width: 512, height: 256, steps: 4 })
    const decode = (answer: unknown) => images.decode(answer, exchange('images')).data
    expect(decode({ result: { image: 'AAAA' }, success: true })).toEqual([{ b64_json: 'AAAA' }])
    expect(decode({ mediaType: 'image/png', base64: 'BBBB' })).toEqual([{ b64_json: 'BBBB' }])
  })
})
