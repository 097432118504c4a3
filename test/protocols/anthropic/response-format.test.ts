import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/wire/json.js'
import { assemble, decode, encode, eventsOf, messageOf, streamChunks } from './exchange.js'

const old = { model: 'claude-sonnet-4-20250514' }
const schema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}
const jsonSchema = { type: 'json_schema', json_schema: { name: 'place', strict: true, schema } }
const request = { response_format: jsonSchema }
const tools = [{ type: 'function', function: { name: 'lookup' } }]
const toolUse = (name: string, input: JsonObject, id = 'toolu_1'): JsonObject => ({ type: 'tool_use', id, name, input })

/** The choice that a client sees, which must be the same streamed and not. */
function choiceOf(content: readonly JsonObject[], asked: JsonObject, stop = 'tool_use'): JsonObject {
  const answer = messageOf(content, { stop_reason: stop })
  const whole = decode(answer, asked, old).choices[0]
  const cut = (text: string): readonly string[] => text.match(/.{1,3}/gs) ?? []
  const streamed = assemble(streamChunks(eventsOf(answer, cut), asked, old)).choices[0]
  expect(streamed).toEqual(whole)
  return { ...whole }
}

describe('a JSON schema where the model knows them', () => {
  it('is sent as output_config.format, with no tool', () => {
    const { body } = encode(request)
    expect(body['output_config']).toEqual({ format: { type: 'json_schema', schema } })
    expect(body).not.toHaveProperty('tools')
  })

  it('stands beside effort, thinking and tools', () => {
    const { body } = encode({ ...request, tools, reasoning_effort: 'low' }, { model: 'claude-opus-5-5' })
    expect(body).toMatchObject({
      output_config: { effort: 'low', format: { type: 'json_schema' } },
      thinking: { type: 'adaptive' },
      tools: [{ name: 'lookup' }],
    })
    expect(body).not.toHaveProperty('tool_choice')
  })

  it('is rewritten to what the API compiles, without touching the original', () => {
    const wide = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        age: { type: 'integer', minimum: 0, maximum: 150, description: 'In years.' },
        mail: { type: 'string', format: 'email', maxLength: 80 },
        zip: { type: 'string', format: 'zip' },
        kind: { oneOf: [{ const: 'a' }, { type: 'object', properties: { x: { type: 'null' } } }] },
        list: { type: 'array', items: { $ref: '#/$defs/Item' }, minItems: 1, maxItems: 3 },
        map: { type: 'object', additionalProperties: { type: 'string' } },
        two: { type: 'array', minItems: 2 },
      },
      $defs: { Item: { type: ['object', 'null'], properties: {} } },
    }
    const format = { type: 'json_schema', json_schema: { name: 'wide', schema: wide } }
    const { body } = encode({ response_format: format })
    expect(body['output_config']).toEqual({
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          properties: {
            age: { type: 'integer', description: 'In years. (minimum: 0, maximum: 150)' },
            mail: { type: 'string', format: 'email', description: '(maxLength: 80)' },
            zip: { type: 'string', description: '(format: "zip")' },
            kind: {
              anyOf: [
                { const: 'a' },
                { type: 'object', properties: { x: { type: 'null' } }, additionalProperties: false },
              ],
            },
            list: { type: 'array', items: { $ref: '#/$defs/Item' }, minItems: 1, description: '(maxItems: 3)' },
            map: {
              type: 'object',
              properties: {},
              additionalProperties: false,
              description: '(additionalProperties: {"type":"string"})',
            },
            two: { type: 'array', description: '(minItems: 2)' },
          },
          $defs: { Item: { type: ['object', 'null'], properties: {}, additionalProperties: false } },
          additionalProperties: false,
        },
      },
    })
  })
})

describe('a JSON schema where the model does not know them', () => {
  it('becomes the one tool that must be called', () => {
    const { body } = encode(request, old)
    expect(body).toMatchObject({
      tools: [{ name: 'json_tool_call', input_schema: schema }],
      tool_choice: { type: 'tool', name: 'json_tool_call', disable_parallel_tool_use: true },
    })
    expect(body).not.toHaveProperty('output_config')
  })

  it('is never forced beside thinking', () => {
    const { body } = encode({ ...request, reasoning_effort: 'low' }, old)
    expect(body).toMatchObject({ thinking: { type: 'enabled' }, tool_choice: { type: 'auto' } })
  })

  it('joins the tools of the caller, of which any must be called', () => {
    const { body } = encode({ ...request, tools, parallel_tool_calls: false }, old)
    expect(body).toMatchObject({
      tools: [{ name: 'lookup' }, { name: 'json_tool_call' }],
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
    })
  })

  it('stays out where a real tool must be called, and alone where none may', () => {
    expect(encode({ ...request, tools, tool_choice: 'required' }, old).body).toMatchObject({
      tools: [{ name: 'lookup' }],
      tool_choice: { type: 'any' },
    })
    const { body } = encode({ ...request, tools, tool_choice: 'none' }, old)
    expect(body['tools']).toMatchObject([{ name: 'json_tool_call' }])
  })

  it("never takes the name of the caller's tool", () => {
    const own = [{ type: 'function', function: { name: 'json_tool_call' } }]
    const { body } = encode({ ...request, tools: own }, old)
    expect(body['tools']).toMatchObject([{ name: 'json_tool_call' }, { name: 'json_tool_call_' }])
  })

  it('holds for the deployment that says so', () => {
    expect(encode(request, { capabilities: { jsonSchema: false } }).body).toMatchObject({
      tools: [{ name: 'json_tool_call' }],
    })
  })
})

describe('json_object', () => {
  it('asks for any object by a tool', () => {
    const { body } = encode({ response_format: { type: 'json_object' } })
    expect(body).toMatchObject({
      tools: [{ name: 'json_tool_call', input_schema: { type: 'object', additionalProperties: true } }],
      tool_choice: { type: 'tool' },
    })
  })

  it('asks without force where force is refused', () => {
    const { body } = encode({ response_format: { type: 'json_object' } }, { model: 'claude-opus-5-5' })
    expect(body['tool_choice']).toEqual({ type: 'auto' })
  })
})

describe('the answer of the synthetic tool', () => {
  it('is content, and the finish is a plain stop', () => {
    expect(choiceOf([toolUse('json_tool_call', { city: 'Bonn' })], request)).toMatchObject({
      finish_reason: 'stop',
      message: { content: '{"city":"Bonn"}' },
    })
  })

  it('is no tool call', () => {
    expect(choiceOf([toolUse('json_tool_call', {})], request)['message']).not.toHaveProperty('tool_calls')
  })

  it('is freed of a lone wrapper, unless the schema has that property', () => {
    const wrapped = [toolUse('json_tool_call', { values: { city: 'Köln' } })]
    expect(choiceOf(wrapped, request)).toMatchObject({ message: { content: '{"city":"Köln"}' } })
    const two = [toolUse('json_tool_call', { values: { city: 'x' }, more: 1 })]
    expect(choiceOf(two, request)).toMatchObject({ message: { content: '{"values":{"city":"x"},"more":1}' } })
    const own = { type: 'json_schema', json_schema: { name: 'v', schema: { properties: { values: {} } } } }
    expect(choiceOf(wrapped, { response_format: own })).toMatchObject({
      message: { content: '{"values":{"city":"Köln"}}' },
    })
  })

  it('leaves a real tool call a tool call', () => {
    const answered = choiceOf([toolUse('lookup', { q: 'x' })], { ...request, tools })
    expect(answered).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: null, tool_calls: [{ function: { name: 'lookup', arguments: '{"q":"x"}' } }] },
    })
  })

  it('stands beside a real tool call', () => {
    const both = [toolUse('json_tool_call', { city: 'Bonn' }), toolUse('lookup', {}, 'toolu_2')]
    expect(choiceOf(both, { ...request, tools })).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: '{"city":"Bonn"}', tool_calls: [{ id: 'toolu_2', function: { arguments: '{}' } }] },
    })
  })

  it('is alone in the content although the model said something first', () => {
    const content = [{ type: 'text', text: 'Here you are:' }, toolUse('json_tool_call', { city: 'Bonn' })]
    expect(choiceOf(content, request)).toMatchObject({
      message: { content: '{"city":"Bonn"}', provider_specific_fields: { preamble: 'Here you are:' } },
    })
  })

  it('is plain text where the model did not call the tool', () => {
    const answered = choiceOf([{ type: 'text', text: '{"city":"Bonn"}' }], request, 'end_turn')
    expect(answered).toMatchObject({ finish_reason: 'stop', message: { content: '{"city":"Bonn"}' } })
  })

  it('keeps the finish reason of a cut answer', () => {
    expect(choiceOf([toolUse('json_tool_call', { city: 'B' })], request, 'max_tokens')).toMatchObject({
      finish_reason: 'length',
    })
  })
})
