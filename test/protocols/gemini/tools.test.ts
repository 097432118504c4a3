import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/wire/json.js'
import { decodeChat, decodeStream, assemble, encodeChat, flatten, responseOf, thrownBy } from './fixtures.js'

const parameters = {
  type: 'object',
  properties: {
    tree: { $ref: '#/$defs/Tree' },
    kind: { const: 'oak' },
    size: { anyOf: [{ type: 'number' }, { type: 'null' }] },
  },
  required: ['tree'],
  additionalProperties: false,
  $defs: { Tree: { type: 'object', properties: { left: { $ref: '#/$defs/Tree' } } } },
}
const functionOf = (name: string, fields: JsonObject = {}) => ({ type: 'function', function: { name, ...fields } })
const plant = functionOf('plant', { description: 'Plants.', parameters, strict: true })
const wait = functionOf('wait')

describe('functions', () => {
  it('stand in one entry, with their JSON schema where the model reads it (case 17)', () => {
    const { body, dropped } = encodeChat({ tools: [plant, wait] })
    expect(body['tools']).toEqual([
      {
        functionDeclarations: [
          {
            name: 'plant',
            description: 'Plants.',
            parametersJsonSchema: { ...parameters, properties: { ...parameters.properties, kind: { enum: ['oak'] } } },
          },
          { name: 'wait' },
        ],
      },
    ])
    expect(dropped).toEqual(['tools.function.strict'])
  })

  it('have their schema inlined for models that read only the subset (case 17)', () => {
    const { body } = encodeChat(
      { tools: [plant, functionOf('wait', { parameters: { type: 'object', properties: {} } })] },
      { model: 'gemini-1.5-pro' },
    )
    const tree = { type: 'OBJECT', properties: { left: { type: 'OBJECT' } } }
    const properties = { tree, kind: { type: 'STRING', enum: ['oak'] }, size: { type: 'NUMBER', nullable: true } }
    expect(body['tools']).toEqual([
      {
        functionDeclarations: [
          { name: 'plant', description: 'Plants.', parameters: { type: 'OBJECT', properties, required: ['tree'] } },
          { name: 'wait' },
        ],
      },
    ])
  })

  it.each<readonly [unknown, JsonObject]>([
    ['none', { mode: 'NONE' }],
    ['auto', { mode: 'AUTO' }],
    ['required', { mode: 'ANY' }],
    [functionOf('wait'), { mode: 'ANY', allowedFunctionNames: ['wait'] }],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [wait] } },
      { mode: 'VALIDATED', allowedFunctionNames: ['wait'] },
    ],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [wait] } },
      { mode: 'ANY', allowedFunctionNames: ['wait'] },
    ],
  ])('are chosen by %j', (tool_choice, expected) => {
    expect(encodeChat({ tools: [plant, wait], tool_choice }).body['toolConfig']).toEqual({
      functionCallingConfig: expected,
    })
  })

  it('are chosen by nothing else', () => {
    expect(thrownBy(() => encodeChat({ tools: [wait], tool_choice: 'perhaps' }))).toMatchObject({
      param: 'tool_choice',
    })
    expect(encodeChat({ tool_choice: 'auto' }).body).not.toHaveProperty('toolConfig')
  })

  it('cannot be kept from running side by side, unless there is only one', () => {
    expect(thrownBy(() => encodeChat({ tools: [plant, wait], parallel_tool_calls: false }))).toMatchObject({
      param: 'parallel_tool_calls',
    })
    expect(encodeChat({ tools: [plant, wait], parallel_tool_calls: false }, { dropParams: true }).dropped).toContain(
      'parallel_tool_calls',
    )
    expect(encodeChat({ tools: [wait], parallel_tool_calls: false }).dropped).toEqual([])
  })

  it('of the legacy form are translated', () => {
    const { body } = encodeChat({ functions: [{ name: 'wait' }], function_call: { name: 'wait' } })
    expect(body).toMatchObject({
      tools: [{ functionDeclarations: [{ name: 'wait' }] }],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['wait'] } },
    })
  })
})

describe('hosted tools', () => {
  it.each<readonly [JsonObject, JsonObject]>([
    [{ type: 'googleSearch', googleSearch: { a: 1 } }, { googleSearch: { a: 1 } }],
    [{ type: 'google_search' }, { googleSearch: {} }],
    [{ type: 'web_search', search_context_size: 'low' }, { googleSearch: {} }],
    [{ type: 'url_context' }, { urlContext: {} }],
    [{ type: 'code_execution' }, { codeExecution: {} }],
    [
      { type: 'file_search', vector_store_ids: ['fileSearchStores/1'] },
      { fileSearch: { fileSearchStoreNames: ['fileSearchStores/1'] } },
    ],
  ])('%j is %j', (tool, expected) => {
    expect(encodeChat({ tools: [tool] }).body['tools']).toEqual([expected])
  })

  it('come from web_search_options too, whose hints are reported as left out', () => {
    const { body, dropped } = encodeChat({ web_search_options: { search_context_size: 'low' } })
    expect(body['tools']).toEqual([{ googleSearch: {} }])
    expect(dropped).toEqual(['web_search_options.search_context_size'])
  })

  it('stand beside functions on generation 3 only', () => {
    const tools = [wait, { type: 'google_search' }]
    expect(encodeChat({ tools }, { model: 'gemini-3.5-flash' }).body).toMatchObject({
      tools: [{ functionDeclarations: [{ name: 'wait' }] }, { googleSearch: {} }],
      toolConfig: { includeServerSideToolInvocations: true },
    })
    expect(thrownBy(() => encodeChat({ tools }))).toMatchObject({ status: 400, param: 'tools[1]' })
    const dropping = encodeChat({ tools }, { dropParams: true })
    expect([dropping.dropped, dropping.body['tools']]).toEqual([
      ['tools[1]'],
      [{ functionDeclarations: [{ name: 'wait' }] }],
    ])
  })

  it('of unknown kind are refused by their place', () => {
    expect(thrownBy(() => encodeChat({ tools: [{ type: 'custom', custom: { name: 'x' } }] }))).toMatchObject({
      param: 'tools[0]',
    })
  })
})

describe('JSON output beside functions', () => {
  const fields = {
    tools: [wait],
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'x', schema: { type: 'object', properties: { a: { type: 'number' } } } },
    },
  }
  const answer = { functionCall: { name: 'json_tool_call', args: { a: 1 } } }

  it('is native on generation 3', () => {
    const { body } = encodeChat(fields, { model: 'gemini-3.5-flash' })
    expect(body).toMatchObject({ generationConfig: { responseMimeType: 'application/json' } })
    expect(JSON.stringify(body)).not.toContain('json_tool_call')
  })

  it('is asked for as a call before it, and answered as content', () => {
    const { body } = encodeChat(fields)
    expect(body).toMatchObject({
      tools: [{ functionDeclarations: [{ name: 'wait' }, { name: 'json_tool_call' }] }],
      toolConfig: { functionCallingConfig: { mode: 'ANY' } },
    })
    const whole = flatten(decodeChat(responseOf([answer]), fields))
    expect(whole).toMatchObject({ content: '{"a":1}', calls: [], finish: ['stop'] })
    expect(assemble(decodeStream([responseOf([answer])], fields))).toEqual(whole)
  })

  it('leaves real calls alone', () => {
    const parts = [{ functionCall: { name: 'wait', args: {} } }]
    expect(flatten(decodeChat(responseOf(parts), fields))).toMatchObject({
      calls: [{ name: 'wait' }],
      finish: ['tool_calls'],
    })
  })
})
