import { describe, expect, it } from 'vitest'
import { decode, encode, messageOf, streamChunks, eventsOf, assemble } from './exchange.js'

const tool = (name: string, more: object = {}): object => ({ type: 'function', function: { name, ...more } })
const toolsOf = (tools: readonly object[], rest: object = {}): unknown => encode({ tools, ...rest }).body['tools']

describe('definitions', () => {
  it('gives a tool without parameters an empty object to fill', () => {
    expect(toolsOf([tool('ping'), tool('pong', { description: 'Pongs.', parameters: {} })])).toEqual([
      { name: 'ping', input_schema: { type: 'object', properties: {} } },
      { name: 'pong', description: 'Pongs.', input_schema: { type: 'object', properties: {} } },
    ])
  })

  it('sends a schema as it is', () => {
    const parameters = {
      type: 'object',
      properties: { n: { type: 'integer', minimum: 1 }, of: { $ref: '#/$defs/Of' } },
      $defs: { Of: { oneOf: [{ type: 'string' }, { type: 'null' }] } },
      additionalProperties: false,
    }
    expect(toolsOf([tool('f', { parameters })])).toEqual([{ name: 'f', input_schema: parameters }])
  })

  it('sends strict with a schema that the API can enforce, where the model has that', () => {
    const strict = tool('f', {
      strict: true,
      parameters: { type: 'object', properties: { n: { type: 'integer', minimum: 1 } } },
    })
    expect(toolsOf([strict])).toEqual([
      {
        name: 'f',
        strict: true,
        input_schema: {
          type: 'object',
          properties: { n: { type: 'integer', description: '(minimum: 1)' } },
          additionalProperties: false,
        },
      },
    ])
    expect(encode({ tools: [strict] }, { model: 'claude-3-haiku-20240307' }).body['tools']).toEqual([
      { name: 'f', input_schema: { type: 'object', properties: { n: { type: 'integer', minimum: 1 } } } },
    ])
  })

  it("passes Claude's own members and hosted tools", () => {
    const search = { type: 'web_search_20250305', name: 'web_search', max_uses: 3 }
    expect(toolsOf([{ ...tool('f'), defer_loading: true, input_examples: [{}] }, search])).toEqual([
      { name: 'f', input_schema: { type: 'object', properties: {} }, defer_loading: true, input_examples: [{}] },
      search,
    ])
  })

  it('names the beta that a hosted tool needs', () => {
    const computer = { type: 'computer_20250124', name: 'computer', display_width_px: 800, display_height_px: 600 }
    expect(encode({ tools: [computer] }).upstream.headers['anthropic-beta']).toBe('computer-use-2025-01-24')
  })

  it('sends remote MCP servers beside the tools', () => {
    const mcp = {
      type: 'mcp',
      server_label: 'docs',
      server_url: 'https://mcp.example.com',
      headers: { Authorization: 'Bearer t' },
      allowed_tools: ['ask'],
    }
    const { body, upstream } = encode({ tools: [mcp] })
    expect(body['mcp_servers']).toEqual([
      {
        type: 'url',
        url: 'https://mcp.example.com',
        name: 'docs',
        authorization_token: 't',
        tool_configuration: { enabled: true, allowed_tools: ['ask'] },
      },
    ])
    expect(body).not.toHaveProperty('tools')
    expect(upstream.headers['anthropic-beta']).toBe('mcp-client-2025-04-04')
  })

  it('turns web_search_options into the hosted search', () => {
    const options = {
      search_context_size: 'low',
      user_location: { type: 'approximate', approximate: { country: 'DE', city: 'Bonn' } },
    }
    expect(encode({ web_search_options: options }).body['tools']).toEqual([
      {
        type: 'web_search_20250305',
        name: 'web_search',
        max_uses: 1,
        user_location: { type: 'approximate', country: 'DE', city: 'Bonn' },
      },
    ])
  })

  it('refuses a free-form custom tool, naming it', () => {
    const custom = { type: 'custom', custom: { name: 'shell' } }
    expect(() => encode({ tools: [tool('f'), custom] })).toThrow(
      expect.objectContaining({ status: 400, param: 'tools[1]' }),
    )
  })
})

describe('the choice among tools', () => {
  it.each([
    ['auto', { type: 'auto' }],
    ['none', { type: 'none' }],
    ['required', { type: 'any' }],
    [
      { type: 'function', function: { name: 'f' } },
      { type: 'tool', name: 'f' },
    ],
    [
      { type: 'tool', name: 'f' },
      { type: 'tool', name: 'f' },
    ],
  ])('translates %j', (choice, expected) => {
    expect(encode({ tools: [tool('f')], tool_choice: choice }).body['tool_choice']).toEqual(expected)
  })

  it('allows only the tools that allowed_tools names', () => {
    const allowed = { mode: 'required', tools: [{ type: 'function', function: { name: 'g' } }] }
    const { body } = encode({
      tools: [tool('f'), tool('g')],
      tool_choice: { type: 'allowed_tools', allowed_tools: allowed },
    })
    expect(body).toMatchObject({ tools: [{ name: 'g' }], tool_choice: { type: 'any' } })
  })

  it.each([
    [undefined, { type: 'auto', disable_parallel_tool_use: true }],
    ['required', { type: 'any', disable_parallel_tool_use: true }],
    ['none', { type: 'none' }],
  ])('says no to parallel calls beside %s', (choice, expected) => {
    const request = { tools: [tool('f')], parallel_tool_calls: false, ...(choice && { tool_choice: choice }) }
    expect(encode(request).body['tool_choice']).toEqual(expected)
  })

  it('sends no choice where there are no tools', () => {
    expect(encode({ tool_choice: 'auto', parallel_tool_calls: false }).body).not.toHaveProperty('tool_choice')
  })

  it('refuses an unknown word', () => {
    expect(() => encode({ tools: [tool('f')], tool_choice: 'maybe' })).toThrow(
      expect.objectContaining({ param: 'tool_choice' }),
    )
  })
})

describe('names that Claude does not take', () => {
  const long = `mcp.server/${'tool'.repeat(20)}`
  const request = { tools: [tool('get.weather'), tool(long), tool('plain')] }
  const wireNames = (): readonly string[] => {
    const tools: unknown = toolsOf(request.tools)
    return Array.isArray(tools) ? tools.map((entry: { name: string }) => entry.name) : []
  }

  it('are made fit, always in the same way', () => {
    const [dotted, shortened, plain] = wireNames()
    expect(dotted).toMatch(/^get_weather_[0-9a-f]{8}$/)
    expect(shortened).toHaveLength(64)
    expect(plain).toBe('plain')
    expect(wireNames()).toEqual([dotted, shortened, plain])
  })

  it('are the same in definitions, choice and history', () => {
    const { body } = encode({
      ...request,
      tool_choice: { type: 'function', function: { name: 'get.weather' } },
      messages: [
        { role: 'user', content: '?' },
        {
          role: 'assistant',
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'get.weather', arguments: '' } }],
        },
        { role: 'tool', tool_call_id: 'a', content: 'ok' },
      ],
    })
    const [name] = wireNames()
    expect(body).toMatchObject({ tool_choice: { name }, messages: [{}, { content: [{ name }] }, {}] })
  })

  it('come back as the caller wrote them, streamed or not', () => {
    const [dotted, shortened] = wireNames()
    const answer = messageOf(
      [dotted, shortened].map((name, index) => ({ type: 'tool_use', id: `toolu_${index}`, name, input: {} })),
      { stop_reason: 'tool_use' },
    )
    const calls = [{ function: { name: 'get.weather' } }, { function: { name: long } }]
    expect(decode(answer, request).choices[0]?.message.tool_calls).toMatchObject(calls)
    expect(assemble(streamChunks(eventsOf(answer), request)).choices[0]?.message.tool_calls).toMatchObject(calls)
  })
})
