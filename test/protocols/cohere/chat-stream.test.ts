import { describe, expect, it } from 'vitest'
import { cohereProtocol } from '../../../src/protocols/cohere/index.js'
import type { ChatChunk } from '../../../src/wire/chat.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { codecIn, event, exchange, stream, thrownBy } from '../further-exchange.js'

const chat = codecIn(cohereProtocol, 'chat')
const of = exchange('chat', { stream: true }, { provider: 'cohere' })

const start = { type: 'message-start', id: 'a1', delta: { message: { role: 'assistant' } } }
const text = (value: string, index = 0) => ({
  type: 'content-delta',
  index,
  delta: { message: { content: { text: value } } },
})
const toolStart = (index: number, name: string, written = '') => ({
  type: 'tool-call-start',
  index,
  delta: {
    message: { tool_calls: { id: `id-${name}`, type: 'function', function: { name, arguments: written } } },
  },
})
const toolDelta = (index: number, written: string) => ({
  type: 'tool-call-delta',
  index,
  delta: { message: { tool_calls: { function: { arguments: written } } } },
})
const toolEnd = (index: number) => ({ type: 'tool-call-end', index })
const end = (reason: string, more: JsonObject = {}) => ({
  type: 'message-end',
  delta: { finish_reason: reason, usage: { tokens: { input_tokens: 5, output_tokens: 2 } }, ...more },
})

const said = (chunks: readonly ChatChunk[], name: 'content' | 'reasoning_content') =>
  chunks.map(({ choices }) => choices[0]?.delta[name] ?? '').join('')
const deltas = (chunks: readonly ChatChunk[]) => chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])
const finishes = (chunks: readonly ChatChunk[]) => chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])

describe("Cohere's stream", () => {
  it('becomes chunks with its own id, one role, one finish and the usage', () => {
    const thought = { type: 'content-delta', index: 0, delta: { message: { content: { thinking: 'Hm.' } } } }
    const chunks = stream(chat, of, [start, thought, text('Hel', 1), text('lo', 1), end('COMPLETE'), '[DONE]'])
    expect(said(chunks, 'content')).toBe('Hello')
    expect(said(chunks, 'reasoning_content')).toBe('Hm.')
    expect(new Set(chunks.map(({ id }) => id))).toEqual(new Set(['a1']))
    expect(chunks.filter(({ choices }) => choices[0]?.delta.role)).toHaveLength(1)
    expect(finishes(chunks)).toEqual(['stop'])
    expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 })
  })

  it('has tool calls with all their arguments, also calls without any', () => {
    const plan = { type: 'tool-plan-delta', delta: { message: { tool_plan: 'I look.' } } }
    const chunks = stream(chat, of, [
      start,
      plan,
      toolStart(0, 'weather'),
      toolDelta(0, '{"city":'),
      toolDelta(0, '"Ulm"}'),
      toolEnd(0),
      toolStart(1, 'now', 'null'),
      toolEnd(1),
      toolStart(2, 'stop'),
      end('TOOL_CALL'),
    ])
    expect(said(chunks, 'reasoning_content')).toBe('I look.')
    const written = (at: number) =>
      deltas(chunks)
        .filter(({ index }) => index === at)
        .map(({ function: called }) => called?.arguments ?? '')
        .join('')
    expect([0, 1, 2].map(written)).toEqual(['{"city":"Ulm"}', '{}', '{}'])
    expect(deltas(chunks).flatMap(({ id }) => id ?? [])).toEqual(['id-weather', 'id-now', 'id-stop'])
    expect(finishes(chunks)).toEqual(['tool_calls'])
  })

  it('turns the stand-in for a schema back into content', () => {
    const fields = {
      stream: true,
      response_format: { type: 'json_object' },
      tools: [{ type: 'function', function: { name: 'now' } }],
    }
    const chunks = stream(chat, exchange('chat', fields), [
      start,
      toolStart(0, 'json_tool_call'),
      toolDelta(0, '{"a"'),
      toolDelta(0, ':1}'),
      toolEnd(0),
      end('TOOL_CALL'),
    ])
    expect(said(chunks, 'content')).toBe('{"a":1}')
    expect(deltas(chunks)).toEqual([])
    expect(finishes(chunks)).toEqual(['stop'])
  })

  it('gives citations with the end', () => {
    const source = { type: 'document', id: 'd', document: { url: 'https://example.com/a' } }
    const citation = { start: 0, end: 5, text: 'Hello', sources: [source] }
    const cited = { type: 'citation-start', index: 0, delta: { message: { citations: citation } } }
    const chunks = stream(chat, of, [start, text('Hello'), cited, { type: 'citation-end', index: 0 }, end('COMPLETE')])
    const delta = chunks.map(({ choices }) => choices[0]?.delta).find((candidate) => candidate?.['annotations'])
    expect(delta).toMatchObject({
      annotations: [{ url_citation: { start_index: 0, end_index: 5, url: 'https://example.com/a' } }],
      provider_specific_fields: { citations: [citation] },
    })
  })

  it('throws on an error at its end, and on no end at all', () => {
    const failed = end('ERROR', { error: 'invalid tool generation', usage: {} })
    expect(thrownBy(() => stream(chat, of, [start, failed]))).toMatchObject({
      kind: 'upstream_error',
      message: 'invalid tool generation',
    })
    expect(thrownBy(() => stream(chat, of, [start, text('a')]))).toMatchObject({ kind: 'stream_truncated' })
    expect(thrownBy(() => stream(chat, of, [{ message: 'trial limit' }])).message).toBe('trial limit')
  })

  it('lets one event that is no JSON pass, no second one, and none once a call has begun', () => {
    expect(said(stream(chat, of, [start, '{', text('a'), end('COMPLETE')]), 'content')).toBe('a')
    const invalid = { kind: 'upstream_invalid' }
    expect(thrownBy(() => stream(chat, of, [start, '{', text('a'), '{', end('COMPLETE')]))).toMatchObject(invalid)
    const called = [start, toolStart(0, 'now'), '{', toolEnd(0), end('TOOL_CALL')]
    expect(thrownBy(() => stream(chat, of, called))).toMatchObject(invalid)
  })

  it('knows how far it is', () => {
    const decoder = chat.decodeStream?.(of)
    const progress = [start, text('a'), end('COMPLETE'), '[DONE]'].map((data) => {
      decoder?.push(event(data))
      return decoder?.progress
    })
    expect(progress).toEqual(['open', 'open', 'finished', 'terminated'])
  })
})
