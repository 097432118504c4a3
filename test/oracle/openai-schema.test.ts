import { describe, expect, it } from 'vitest'
import { expectValid, openAiSchemaAvailable, violations, type OpenAiSchema } from './openai-schema.js'

const completion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [
    { index: 0, finish_reason: 'stop', logprobs: null, message: { role: 'assistant', content: 'hi', refusal: null } },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
}
const chunk = {
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }],
}
const error = { error: { message: 'no', type: 'invalid_request_error', param: null, code: null } }
const embedding = {
  object: 'list',
  model: 'm',
  data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }],
  usage: { prompt_tokens: 1, total_tokens: 1 },
}
const textCompletion = {
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, text: 'hi', finish_reason: 'stop', logprobs: null }],
}
const models = { object: 'list', data: [{ id: 'm', object: 'model', created: 1, owned_by: 'sluice' }] }

const choice = completion.choices[0]
const delta = chunk.choices[0]
const wrong: readonly (readonly [string, OpenAiSchema, unknown])[] = [
  [
    'a finish reason that OpenAI does not have',
    'CreateChatCompletionResponse',
    { ...completion, choices: [{ ...choice, finish_reason: 'eos' }] },
  ],
  [
    'a missing finish reason',
    'CreateChatCompletionResponse',
    { ...completion, choices: [{ ...choice, finish_reason: undefined }] },
  ],
  [
    'content that is a list',
    'CreateChatCompletionResponse',
    { ...completion, choices: [{ ...choice, message: { role: 'assistant', content: [], refusal: null } }] },
  ],
  [
    'a message without refusal',
    'CreateChatCompletionResponse',
    { ...completion, choices: [{ ...choice, message: { role: 'assistant', content: 'hi' } }] },
  ],
  [
    'a tool call without id',
    'CreateChatCompletionResponse',
    {
      ...completion,
      choices: [
        {
          ...choice,
          message: {
            role: 'assistant',
            content: null,
            refusal: null,
            tool_calls: [{ type: 'function', function: { name: 'f', arguments: '{}' } }],
          },
        },
      ],
    },
  ],
  [
    'arguments that are an object',
    'CreateChatCompletionResponse',
    {
      ...completion,
      choices: [
        {
          ...choice,
          message: {
            role: 'assistant',
            content: null,
            refusal: null,
            tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: {} } }],
          },
        },
      ],
    },
  ],
  [
    'fractions of tokens',
    'CreateChatCompletionResponse',
    { ...completion, usage: { ...completion.usage, total_tokens: 1.5 } },
  ],
  [
    'the object name of another shape',
    'CreateChatCompletionResponse',
    { ...completion, object: 'chat.completion.chunk' },
  ],
  [
    'a tool call delta without index',
    'CreateChatCompletionStreamResponse',
    { ...chunk, choices: [{ ...delta, delta: { tool_calls: [{ id: 'c' }] } }] },
  ],
  ['an empty role', 'CreateChatCompletionStreamResponse', { ...chunk, choices: [{ ...delta, delta: { role: '' } }] }],
  [
    'an empty finish reason',
    'CreateChatCompletionStreamResponse',
    { ...chunk, choices: [{ ...delta, finish_reason: '' }] },
  ],
  ['an error without param', 'ErrorResponse', { error: { message: 'no', type: 't', code: null } }],
  ['an error whose code is a number', 'ErrorResponse', { error: { ...error.error, code: 400 } }],
  [
    'a vector of strings',
    'CreateEmbeddingResponse',
    { ...embedding, data: [{ object: 'embedding', index: 0, embedding: ['a'] }] },
  ],
  ['an embedding answer without usage', 'CreateEmbeddingResponse', { ...embedding, usage: undefined }],
  ['an image address that is no URI', 'ImagesResponse', { created: 1, data: [{ url: 'not a uri' }] }],
  [
    'a text completion without text',
    'CreateCompletionResponse',
    { ...textCompletion, choices: [{ index: 0, finish_reason: 'stop', logprobs: null }] },
  ],
  ['a model without owner', 'ListModelsResponse', { object: 'list', data: [{ id: 'm', object: 'model', created: 1 }] }],
  ['a request without messages', 'CreateChatCompletionRequest', { model: 'm' }],
  [
    'a temperature of 9',
    'CreateChatCompletionRequest',
    { model: 'm', messages: [{ role: 'user', content: 'hi' }], temperature: 9 },
  ],
]

describe.runIf(openAiSchemaAvailable)("OpenAI's schema as an oracle", () => {
  it.each<readonly [OpenAiSchema, unknown]>([
    ['CreateChatCompletionResponse', completion],
    ['CreateChatCompletionStreamResponse', chunk],
    ['CreateChatCompletionStreamResponse', { ...chunk, choices: [], usage: completion.usage }],
    ['CreateChatCompletionStreamResponse', { ...chunk, usage: null }],
    ['ErrorResponse', error],
    ['CreateEmbeddingResponse', embedding],
    ['CreateCompletionResponse', textCompletion],
    ['ImagesResponse', { created: 1, data: [{ url: 'https://example.org/a.png' }, { b64_json: 'AA==' }] }],
    ['ListModelsResponse', models],
    ['CreateChatCompletionRequest', { model: 'm', messages: [{ role: 'user', content: 'hi' }], temperature: 1 }],
  ])('accepts a right %s', (schema, value) => expectValid(schema, value))

  it('accepts fields that OpenAI does not name', () => {
    expectValid('CreateChatCompletionResponse', { ...completion, provider: 'x' })
    expectValid('ErrorResponse', { error: { ...error.error, upstream: { provider: 'x', status: 500 } } })
  })

  it.each(wrong)('refuses %s', (_name, schema, value) => {
    // Through JSON, because a member that is undefined is not on the wire.
    const onTheWire: unknown = JSON.parse(JSON.stringify(value))
    expect(violations(schema, onTheWire)).not.toEqual([])
    expect(() => expectValid(schema, onTheWire)).toThrow(schema)
  })

  it('names the place and the rule that was broken', () => {
    const lines = violations('CreateChatCompletionResponse', {
      ...completion,
      choices: [{ ...choice, finish_reason: 'eos' }],
    })
    expect(lines).toEqual([expect.stringContaining('/choices/0/finish_reason')])
  })
})
