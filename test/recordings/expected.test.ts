import { describe, expect, it } from 'vitest'
import type { Exchange } from './exchange.js'
import { expectedOf } from './expected.js'

const entry = { id: 'x', file: '', provider: '', api: '', model: '', features: [], status: 200, format: '' }
const reply = (format: string, text: string, status = 200): Exchange => ({
  entry,
  request: undefined,
  response: { status, headers: {}, format, text },
})
const sse = (...events: readonly unknown[]) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')

describe('what a recording is expected to become', () => {
  it('reads text, tools, finish reason and usage of OpenAI chunks', () => {
    const text = sse(
      { choices: [{ index: 0, delta: { role: 'assistant', content: 'a' } }] },
      {
        choices: [
          { index: 0, delta: { tool_calls: [{ index: 0, id: 't', function: { name: 'f', arguments: '{"a"' } }] } },
        ],
      },
      {
        choices: [
          { index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }, finish_reason: 'stop' },
        ],
      },
      { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
    )
    const toolCalls = [{ id: 't', name: 'f', arguments: '{"a":1}' }]
    expect(expectedOf(reply('sse', text), 'openai')).toEqual({
      kind: 'answer',
      answer: {
        choices: new Map([[0, { text: 'a', reasoning: '', images: 0, toolCalls, finish: 'tool_calls' }]]),
        usage: { prompt: 1, completion: 2, total: 3 },
      },
    })
  })

  it('reads blocks and sums the cache tokens of Claude', () => {
    const text = sse(
      { type: 'message_start', message: { usage: { input_tokens: 2, cache_read_input_tokens: 5, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hi' } },
      { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 't', name: 'f', input: {} } },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 9 } },
    )
    const toolCalls = [{ id: 't', name: 'f', arguments: '{}' }]
    expect(expectedOf(reply('sse', text), 'anthropic')).toEqual({
      kind: 'answer',
      answer: {
        choices: new Map([[0, { text: 'hi', reasoning: '', images: 0, toolCalls, finish: 'tool_calls' }]]),
        usage: { prompt: 7, completion: 9, total: 16 },
      },
    })
  })

  it('takes a prompt that Google blocked for an answer that was filtered', () => {
    const expected = expectedOf(reply('json', JSON.stringify({ promptFeedback: { blockReason: 'SAFETY' } })), 'gemini')
    expect(expected).toMatchObject({
      kind: 'answer',
      answer: { choices: new Map([[0, { finish: 'content_filter' }]]) },
    })
  })

  it.each([
    ['an error status', reply('json', '{"error":{"message":"no"}}', 400), 'no'],
    ['an error inside a 200', reply('json', '{"error":{"message":"no"}}'), 'no'],
    ['an error inside a stream', reply('sse', sse({ choices: [] }, { error: { message: 'no' } })), 'no'],
    ['a stream without end', reply('sse', sse({ choices: [{ index: 0, delta: { content: 'a' } }] })), undefined],
    ['an answer that is no JSON', reply('text', 'gateway'), undefined],
  ])('takes %s for an error', (_name, exchange, message) => {
    expect(expectedOf(exchange, 'openai')).toMatchObject({ kind: 'error', message })
  })
})
