import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ollamaProtocol } from '../../../src/protocols/ollama/index.js'
import { createNdjsonDecoder } from '../../../src/upstream/ndjson-decoder.js'
import type { ChatChunk } from '../../../src/wire/chat.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { codecIn, event, exchange, stream, thrownBy } from '../further-exchange.js'

const chat = codecIn(ollamaProtocol, 'chat')
const of = exchange('chat', { stream: true }, { provider: 'ollama' })
const line = (message: JsonObject, more: JsonObject = {}) => ({
  model: 'qwen3:4b',
  created_at: '2026-01-02T03:04:05Z',
  message: { role: 'assistant', content: '', ...message },
  done: false,
  ...more,
})
const last = line({}, { done: true, done_reason: 'stop', prompt_eval_count: 3, eval_count: 4 })

const said = (chunks: readonly ChatChunk[], name: 'content' | 'reasoning_content') =>
  chunks.map(({ choices }) => choices[0]?.delta[name] ?? '').join('')
const finishes = (chunks: readonly ChatChunk[]) => chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])

describe("Ollama's stream", () => {
  it('becomes chunks with one role, one finish and the usage', () => {
    const chunks = stream(chat, of, [line({ thinking: 'hm' }), line({ content: 'Hel' }), line({ content: 'lo' }), last])
    expect(said(chunks, 'content')).toBe('Hello')
    expect(said(chunks, 'reasoning_content')).toBe('hm')
    expect(chunks.filter(({ choices }) => choices[0]?.delta.role)).toHaveLength(1)
    expect(finishes(chunks)).toEqual(['stop'])
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } })
    expect(new Set(chunks.map(({ id, created, model }) => `${id} ${created} ${model}`)).size).toBe(1)
  })

  it('remembers calls that come before the last line', () => {
    const call = (name: string) => ({ tool_calls: [{ function: { index: 0, name, arguments: { a: 1 } } }] })
    const chunks = stream(chat, of, [line(call('f')), line(call('g')), last])
    const deltas = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])
    expect(deltas.map(({ index }) => index)).toEqual([0, 0, 1, 1])
    expect(deltas.flatMap(({ function: called }) => called?.name ?? [])).toEqual(['f', 'g'])
    expect(new Set(deltas.flatMap(({ id }) => id ?? [])).size).toBe(2)
    expect(finishes(chunks)).toEqual(['tool_calls'])
  })

  it('takes thinking out of the content, wherever the tags are cut', () => {
    const pieces = ['<th', 'ink>so', 'me</thi', 'nk>\n\nan', 'swer']
    const chunks = stream(chat, of, [...pieces.map((content) => line({ content })), last])
    expect(said(chunks, 'content')).toBe('answer')
    expect(said(chunks, 'reasoning_content')).toBe('some')
  })

  it('throws on an error in a line, on an end without a last line, and on the second line that is no JSON', () => {
    expect(thrownBy(() => stream(chat, of, [line({ content: 'a' }), { error: 'out of memory' }]))).toMatchObject({
      kind: 'upstream_error',
      message: 'out of memory',
    })
    expect(thrownBy(() => stream(chat, of, [line({ content: 'a' })]))).toMatchObject({ kind: 'stream_truncated' })
    expect(said(stream(chat, of, ['{', line({ content: 'a' }), last]), 'content')).toBe('a')
    expect(thrownBy(() => stream(chat, of, ['{', line({ content: 'a' }), '{', last]))).toMatchObject({
      kind: 'upstream_invalid',
    })
  })

  it('says the same as the whole answer, however its bytes are cut', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 12 })
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), fc.array(fc.nat(400), { maxLength: 8 }), (texts, cuts) => {
        const bytes = Buffer.from(
          [...texts.map((content) => line({ content })), last].map((item) => JSON.stringify(item)).join('\n'),
        )
        const decoder = chat.decodeStream?.(of)
        const events = createNdjsonDecoder()
        const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b)
        const pieces = [...places, bytes.length].map((end, at) => bytes.subarray(places[at - 1] ?? 0, end))
        const parts = [
          ...pieces.flatMap((piece) => events.push(piece)).flatMap((found) => decoder?.push(found) ?? []),
          ...events.end().flatMap((found) => decoder?.push(found) ?? []),
          ...(decoder?.end() ?? []),
        ]
        const chunks = parts.flatMap(({ chunk }) => chunk ?? [])
        const whole = chat.decode({ ...last, message: { role: 'assistant', content: texts.join('') } }, of)
        expect(said(chunks, 'content')).toBe(whole.choices[0]?.message.content ?? '')
      }),
    )
  })

  it('is over when it says so', () => {
    const decoder = chat.decodeStream?.(of)
    decoder?.push(event(line({ content: 'a' })))
    expect(decoder?.progress).toBe('open')
    decoder?.push(event(last))
    expect(decoder?.progress).toBe('terminated')
  })
})
