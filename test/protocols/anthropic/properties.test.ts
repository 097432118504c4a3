import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { JsonObject } from '../../../src/wire/json.js'
import { assemble, chat, decode, encode, eventsOf, exchangeOf, messageOf, streamChunks } from './exchange.js'

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const input = fc.dictionary(fc.string({ maxLength: 5 }), fc.oneof(fc.jsonValue({ maxDepth: 2 }), word), {
  maxKeys: 3,
  noNullPrototype: true,
})
const block = fc.oneof(
  fc.record({ type: fc.constant('text'), text: word }),
  fc.record({ type: fc.constant('thinking'), thinking: fc.string({ maxLength: 9 }), signature: word }),
  fc.record({ type: fc.constant('redacted_thinking'), data: word }),
  fc.record({ type: fc.constant('tool_use'), id: word, name: fc.constantFrom('lookup', 'json_tool_call'), input }),
  fc.record({ type: fc.constant('server_tool_use'), id: word, name: fc.constant('web_search'), input }),
  fc.record({
    type: fc.constant('code_execution_tool_result'),
    tool_use_id: word,
    content: fc.object({ maxDepth: 1 }),
  }),
)
const answer = fc
  .record({
    content: fc.array(block, { minLength: 1, maxLength: 5 }),
    stop: fc.constantFrom('end_turn', 'max_tokens', 'tool_use', 'stop_sequence', 'refusal'),
  })
  .map(({ content, stop }): JsonObject => {
    // What JSON cannot carry (-0, undefined) is no matter of ours.
    const plain: JsonObject[] = JSON.parse(JSON.stringify(content))
    return messageOf(plain, { stop_reason: stop })
  })
const request = fc.constantFrom<JsonObject>(
  {},
  { tools: [{ type: 'function', function: { name: 'lookup' } }] },
  { response_format: { type: 'json_object' } },
  {
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'a', schema: { type: 'object', properties: { a: {} } } },
    },
  },
)

/** Cuts a text at places that a list of numbers chooses. */
function cutter(sizes: readonly number[]): (text: string) => readonly string[] {
  let turn = 0
  return (text) => {
    const pieces: string[] = []
    for (let at = 0; at < text.length;) {
      const size = sizes[turn++ % sizes.length] ?? 1
      pieces.push(text.slice(at, at + size))
      at += size
    }
    return pieces
  }
}

it('a stream, cut anywhere, comes to the same message as the answer that is not streamed', () => {
  const deployment = { model: 'claude-sonnet-4-20250514' }
  fc.assert(
    fc.property(
      answer,
      request,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (message, asked, sizes) => {
        const streamed = assemble(streamChunks(eventsOf(message, cutter(sizes)), asked, deployment))
        const whole = decode(message, asked, deployment)
        // A stream cannot tell "no text" from "empty text".
        const [choice] = whole.choices
        const content = choice?.message.content === '' ? null : choice?.message.content
        expect(streamed).toEqual({ ...whole, choices: [{ ...choice, message: { ...choice?.message, content } }] })
      },
    ),
    { numRuns: 300 },
  )
})

const text = fc.oneof(fc.constant(''), fc.constant(' \n'), word)
const ids = fc.constantFrom('a', 'b', 'c.d', 'c:d', '')
const call = fc.record({
  id: ids,
  type: fc.constant('function'),
  function: fc.record({ name: fc.constantFrom('f', 'g.h'), arguments: fc.constantFrom('', '{}', '{"x":1}') }),
})
const thought = fc.oneof(
  fc.record({ type: fc.constant('thinking'), thinking: fc.string(), signature: fc.constantFrom('', 'sig') }),
  fc.record({ type: fc.constant('redacted_thinking'), data: word }),
)
const message = fc.oneof(
  fc.record({ role: fc.constantFrom('system', 'developer', 'user'), content: text }),
  fc.record({
    role: fc.constant('assistant'),
    content: fc.option(text),
    tool_calls: fc.option(fc.array(call, { maxLength: 3 })),
    thinking_blocks: fc.option(fc.array(thought, { maxLength: 2 })),
  }),
  fc.record({ role: fc.constant('tool'), tool_call_id: ids, content: text }),
)

it('any history becomes one that the API takes', () => {
  const models = fc.constantFrom('claude-3-7-sonnet-20250219', 'claude-sonnet-4-5')
  const efforts = fc.constantFrom(null, 'none', 'high')
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 8 }), models, efforts, (messages, model, effort) => {
      encode({ messages, reasoning_effort: effort }, { model, dropParams: true })
    }),
    { numRuns: 400 },
  )
})

it('any history that ends with the user becomes one that the newer models take', () => {
  const models = fc.constantFrom('claude-sonnet-4-6', 'claude-opus-4-7', 'claude-sonnet-5', 'claude-opus-5-5')
  const last = fc.record({ role: fc.constant('user'), content: word })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), last, models, (history, user, model) => {
      encode({ messages: [...history, user], reasoning_effort: 'high' }, { model })
    }),
    { numRuns: 200 },
  )
})

it('hostile bodies give an answer or a GatewayError, never another throw', () => {
  fc.assert(
    fc.property(
      fc.object({ maxDepth: 4, key: fc.constantFrom('content', 'type', 'error', 'usage', 'message', 'x') }),
      (body) => {
        try {
          decode(body)
        } catch (error) {
          expect(error).toMatchObject({ kind: expect.any(String) })
        }
      },
    ),
  )
})

it('never changes what it is given', () => {
  const exchange = exchangeOf({
    messages: [{ role: 'user', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }] }],
    tools: [
      {
        type: 'function',
        function: { name: 'f', parameters: { type: 'object', properties: { a: { minimum: 1 } } }, strict: true },
      },
    ],
    response_format: { type: 'json_object' },
  })
  // The exchange is frozen to its depth: a write would throw.
  expect(() => chat().encode(exchange)).not.toThrow()
})
