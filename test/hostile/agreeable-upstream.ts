import { type FakeRequest, type FakeUpstream, type ScriptedAnswer, startFakeUpstream } from '../../src/testing/index.js'
import { isObject } from '../../src/wire/json.js'

/** An upstream of every dialect that answers whatever it is asked, so that no refusal but the gateway's own is seen. */
export async function startAgreeableUpstream(): Promise<FakeUpstream> {
  const upstream = await startFakeUpstream({ journalSize: 50 })
  upstream.onRequest(agree)
  return upstream
}

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`

/** A good answer to any request, by its path alone. */
export function agree(request: FakeRequest): ScriptedAnswer {
  const { path } = request
  const streams = path.includes('alt=sse') || (isObject(request.body) && request.body['stream'] === true)
  if (path.includes('/messages')) return streams ? { chunks: claudeEvents } : { body: claudeMessage }
  if (path.endsWith(':generateContent') && JSON.stringify(request.body).includes('"IMAGE"'))
    return { body: geminiImage }
  if (path.includes('enerateContent')) return streams ? { chunks: [event(geminiAnswer)] } : { body: geminiAnswer }
  if (path.includes('mbedContent')) return { body: { embeddings: [{ values: [1, 2] }], embedding: { values: [1, 2] } } }
  if (path.includes(':predict'))
    return { body: { predictions: [{ bytesBase64Encoded: 'AA==', mimeType: 'image/png' }] } }
  if (path.includes('/embeddings')) return { body: embeddings }
  if (path.includes('/images')) return { body: { created: 1, data: [{ b64_json: 'AA==' }] } }
  const text = path.includes('/chat/') ? { message: { role: 'assistant', content: 'ok' } } : { text: 'ok' }
  const delta = path.includes('/chat/') ? { delta: { content: 'ok' } } : { text: 'ok' }
  const base = { id: 'c', created: 1, model: 'm', usage }
  const chunk = { ...base, choices: [{ index: 0, ...delta, finish_reason: 'stop' }] }
  if (streams) return { chunks: [event(chunk), 'data: [DONE]\n\n'] }
  return { body: { ...base, object: 'chat.completion', choices: [{ index: 0, ...text, finish_reason: 'stop' }] } }
}

const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
const embeddings = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [1, 2] }],
  model: 'm',
  usage: { prompt_tokens: 1, total_tokens: 1 },
}
const geminiAnswer = {
  candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'ok' }] }, finishReason: 'STOP' }],
}
const geminiParts = [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }]
const geminiImage = { candidates: [{ index: 0, content: { role: 'model', parts: geminiParts }, finishReason: 'STOP' }] }
const claudeMessage = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'ok' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
}
const claudeEvents = [
  { type: 'message_start', message: { ...claudeMessage, content: [], stop_reason: null } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'ok' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
  { type: 'message_stop' },
].map((data) => `event: ${data.type}\n${event(data)}`)
