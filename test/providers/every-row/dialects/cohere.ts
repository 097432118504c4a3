import type { FakeCall, Rendered } from '../../../../src/testing/dialects/dialect.js'
import { dialectOf, say, sse, vectorsFor } from './write.js'

/** Cohere's second API: typed events, vectors by type. */
export const cohere = dialectOf(
  'cohere',
  {
    'POST /v2/chat': chat,
    'POST /v2/embed': ({ body }) => ({
      body: { id: 'e1', embeddings: { float: vectorsFor(body['texts']) }, meta: { billed_units: { input_tokens: 3 } } },
    }),
  },
  (_, message) => ({ message }),
)

function chat(call: FakeCall): Rendered {
  const { id, text, pieces, calls, input, output } = say(call)
  const usage = { tokens: { input_tokens: input, output_tokens: output } }
  const finish_reason = calls.length > 0 ? 'TOOL_CALL' : 'COMPLETE'
  if (call.body['stream'] === true) {
    return sse([
      { type: 'message-start', id, delta: { message: { role: 'assistant' } } },
      ...pieces.map((piece) => ({
        type: 'content-delta',
        index: 0,
        delta: { message: { content: { type: 'text', text: piece } } },
      })),
      ...calls.flatMap((made, index) => [
        {
          type: 'tool-call-start',
          index,
          delta: { message: { tool_calls: { id: made.id, type: 'function', function: { name: made.name } } } },
        },
        ...made.pieces.map((piece) => ({
          type: 'tool-call-delta',
          index,
          delta: { message: { tool_calls: { function: { arguments: piece } } } },
        })),
        { type: 'tool-call-end', index },
      ]),
      { type: 'message-end', delta: { finish_reason, usage } },
    ])
  }
  const tool_calls = calls.map(({ id: callId, name, pieces: parts }) => ({
    id: callId,
    type: 'function',
    function: { name, arguments: parts.join('') },
  }))
  const content = text === '' ? [] : [{ type: 'text', text }]
  const message = { role: 'assistant', content, ...(calls.length > 0 && { tool_calls }) }
  return { body: { id, message, finish_reason, usage } }
}
