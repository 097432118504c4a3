import type { FakeCall, Rendered } from '../../../../src/testing/dialects/dialect.js'
import { dialectOf, framed, inputOf, say, vectorsFor } from './write.js'

const head = { model: 'llama', created_at: '2026-01-01T00:00:00Z' }

/** Ollama's own API: a JSON line per piece, errors inside a 200. */
export const ollama = dialectOf(
  'ollama',
  {
    'POST /api/chat': chat,
    'POST /api/generate': generate,
    'POST /api/embed': ({ body }) => ({ body: { embeddings: vectorsFor(body['input']), prompt_eval_count: 3 } }),
  },
  (_, error) => ({ error }),
)

const lines = (objects: readonly object[]): Rendered =>
  framed(
    objects.map((object) => `${JSON.stringify(object)}\n`),
    'application/x-ndjson',
  )

function chat(call: FakeCall): Rendered {
  const { text, pieces, calls, input, output } = say(call)
  const tool_calls = calls.map((made) => ({ function: { name: made.name, arguments: inputOf(made) } }))
  const end = { done: true, done_reason: 'stop', prompt_eval_count: input, eval_count: output }
  const whole = { role: 'assistant', content: text, ...(calls.length > 0 && { tool_calls }) }
  if (call.body['stream'] !== true) return { body: { ...head, message: whole, ...end } }
  const said = pieces.map((content) => ({ ...head, message: { role: 'assistant', content }, done: false }))
  const called =
    calls.length > 0 ? [{ ...head, message: { role: 'assistant', content: '', tool_calls }, done: false }] : []
  return lines([...said, ...called, { ...head, message: { role: 'assistant', content: '' }, ...end }])
}

function generate(call: FakeCall): Rendered {
  const { text, pieces, input, output } = say(call)
  const end = { done: true, done_reason: 'stop', prompt_eval_count: input, eval_count: output }
  if (call.body['stream'] !== true) return { body: { ...head, response: text, ...end } }
  return lines([...pieces.map((response) => ({ ...head, response, done: false })), { ...head, response: '', ...end }])
}
