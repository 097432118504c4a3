import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/wire/json.js'
import { assemble, decode, encode, eventsOf, messageOf, streamChunks } from './exchange.js'
import { modelRules } from './strict-rules.js'

// A tool loop of two steps, as a client drives it; every request passes the mock of the API's rules.
const tools = [{ type: 'function', function: { name: 'get.time' } }]
const question = { role: 'user', content: 'What time is it?' }
const thinking = [
  { type: 'thinking', thinking: 'I need a clock.\n', signature: 'Zm9v+/==' },
  { type: 'redacted_thinking', data: 'b3BhcXVl' },
]
const firstAnswer = (name: string): JsonObject =>
  messageOf([...thinking, { type: 'tool_use', id: 'toolu_01', name, input: {} }], { stop_reason: 'tool_use' })

interface Step {
  readonly message: JsonObject
  readonly request: JsonObject
}

function firstStep(model: string, streamed: boolean): Step {
  const request = { messages: [question], tools, reasoning_effort: 'low' }
  const { body } = encode(request, { model })
  const [tool] = JSON.parse(JSON.stringify(body['tools']))
  const answer = firstAnswer(tool.name)
  const completion = streamed ? assemble(streamChunks(eventsOf(answer), request)) : decode(answer, request)
  return { message: { ...completion.choices[0]?.message }, request }
}

function secondBody(message: JsonObject, request: JsonObject, model: string): JsonObject {
  const result = { role: 'tool', tool_call_id: 'toolu_01', content: '12:00' }
  return encode({ ...request, messages: [question, message, result] }, { model }).body
}

const thinkers = Object.keys(modelRules).filter((model) => model !== 'claude-3-haiku-20240307')

describe.each(thinkers)('a tool loop with %s', (model) => {
  it.each([false, true])('sends thinking back unchanged where the client keeps it (streamed: %s)', (streamed) => {
    const { message, request } = firstStep(model, streamed)
    expect(message['tool_calls']).toMatchObject([{ function: { name: 'get.time', arguments: '{}' } }])
    const body = secondBody(message, request, model)
    expect(body['messages']).toMatchObject([{}, { content: [...thinking, { type: 'tool_use', input: {} }] }, {}])
    expect(body['thinking']).not.toEqual({ type: 'disabled' })
  })

  it('goes on where the client keeps only the fields of OpenAI', () => {
    const { message, request } = firstStep(model, true)
    const { role, content, tool_calls } = message
    expect(secondBody({ role, content, tool_calls }, request, model)).toMatchObject({
      messages: [{}, { content: [{ type: 'tool_use' }] }, { content: [{ type: 'tool_result', content: '12:00' }] }],
    })
  })
})
