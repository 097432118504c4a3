import { describe, expect, it } from 'vitest'
import { AnswerCollector } from '../../src/call/collect-answer.js'
import type { StreamPart } from '../../src/protocols/protocol.js'
import type { JsonObject } from '../../src/wire/json.js'

const head = { id: 'c1', object: 'chat.completion.chunk', created: 7, model: 'm' }
const choice = (delta: JsonObject, own: JsonObject = {}) => ({ index: 0, delta, finish_reason: null, ...own })
const chunk = (choices: readonly JsonObject[], own: JsonObject = {}): JsonObject => ({ ...head, choices, ...own })

const forwarded = (data: string): StreamPart<JsonObject> => ({
  chunk: undefined,
  forward: { event: '', data, frame: new Uint8Array() },
})

/** Chunks as they come: every other one forwarded as it came, the others parsed. */
function collected(chunks: readonly JsonObject[]): AnswerCollector {
  const collector = new AnswerCollector()
  for (const [index, each] of chunks.entries()) {
    collector.add([index % 2 === 0 ? forwarded(JSON.stringify(each)) : { chunk: each, forward: undefined }])
  }
  return collector
}

describe('a streamed answer that is put together', () => {
  it('is what the whole answer would have been', () => {
    const call = (own: JsonObject) => ({ tool_calls: [{ index: 0, ...own }] })
    const { answer } = collected([
      chunk([choice({ role: 'assistant', content: '' })]),
      chunk([choice({ content: 'Hel', reasoning_content: 'Hm' })]),
      chunk([choice({ content: 'lo' }), choice({ role: 'assistant', content: 'Second' }, { index: 1 })]),
      chunk([choice(call({ id: 't1', type: 'function', function: { name: 'find', arguments: '{"a"' } }))]),
      chunk([choice(call({ function: { arguments: ':1}' } }))]),
      chunk([choice({ annotations: [{ url: 'x' }] }), choice({}, { index: 1, finish_reason: 'length' })]),
      chunk([choice({}, { finish_reason: 'tool_calls' })]),
      chunk([], { usage: { total_tokens: 3 } }),
    ])
    expect(answer).toEqual({
      ...head,
      object: 'chat.completion',
      usage: { total_tokens: 3 },
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hello',
            reasoning_content: 'Hm',
            annotations: [{ url: 'x' }],
            tool_calls: [{ index: 0, id: 't1', type: 'function', function: { name: 'find', arguments: '{"a":1}' } }],
          },
          finish_reason: 'tool_calls',
        },
        { index: 1, message: { role: 'assistant', content: 'Second' }, finish_reason: 'length' },
      ],
    })
  })

  it('is the text of a completion', () => {
    const text = (own: JsonObject) => chunk([{ index: 0, ...own }], { object: 'text_completion' })
    const { answer } = collected([text({ text: 'a' }), text({ text: 'b', finish_reason: 'stop' })])
    expect(answer).toMatchObject({ object: 'text_completion', choices: [{ text: 'ab', finish_reason: 'stop' }] })
  })

  it('is nothing where nothing came', () => {
    expect(collected([]).answer).toBeUndefined()
  })

  it('has a bound, however much is sent', () => {
    const collector = new AnswerCollector()
    const data = JSON.stringify(chunk([choice({ content: 'x'.repeat(10_000) })]))
    for (let count = 0; count < 100; count += 1) {
      collector.add([forwarded(data)])
    }
    expect(JSON.stringify(collector.answer).length).toBeLessThan(263_000)
    expect(JSON.stringify(collector.answer).length).toBeGreaterThan(262_000)
  })
})
