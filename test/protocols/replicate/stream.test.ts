import { describe, expect, it } from 'vitest'
import { replicateProtocol } from '../../../src/protocols/replicate/index.js'
import { createSseDecoder } from '../../../src/upstream/sse-decoder.js'
import { isObject, type JsonObject, stringOf } from '../../../src/wire/json.js'
import { readExchange, readIndex, recordingsAvailable } from '../../recordings/exchange.js'
import { codecIn, encode, event, exchange, thrownBy } from '../further-exchange.js'

const chat = codecIn(replicateProtocol, 'chat')

const created = (stream: unknown, status = 'starting'): JsonObject => ({ id: 'abc', status, urls: { stream } })
const openedAt = (body: JsonObject, baseUrl?: string) => chat.streamAt?.(body, exchange('chat', {}, { baseUrl }))

describe('a streamed prediction', () => {
  it('is created without waiting for its output', () => {
    const { sent, body } = encode(chat, 'chat', { stream: true }, { model: `acme/own:${'a'.repeat(64)}` })
    expect(body).toMatchObject({ stream: true, version: 'a'.repeat(64), input: { prompt: 'hi' } })
    expect(sent.headers).not.toHaveProperty('prefer')
    expect(encode(chat, 'chat', { stream: false }, { model: 'acme/own' }).body).not.toHaveProperty('stream')
  })

  it('is read at the address that the answer names', () => {
    expect(openedAt(created('https://stream.replicate.com/v1/files/x?a=1'))).toMatchObject({
      request: { method: 'GET', path: '/v1/files/x?a=1', headers: { accept: 'text/event-stream' }, body: null },
      origin: 'https://stream.replicate.com',
    })
    const ofReplicate = openedAt(created('https://stream.replicate.com/x'), 'https://api.replicate.com/v1')
    expect(ofReplicate?.origin).toBe('https://stream.replicate.com')
    const regional = 'https://streaming-api.svc.us.c.replicate.net'
    expect(openedAt(created(`${regional}/v1/predictions/abc`))?.origin).toBe(regional)
    const proxied = openedAt(created('http://proxy.example:81/s/x', 'processing'), 'http://proxy.example:81/v1')
    expect(proxied).toMatchObject({ request: { path: '/s/x' }, origin: 'http://proxy.example:81' })
  })

  it.each([
    'https://evil.example/x',
    'https://replicate.com.evil.example/x',
    'https://evilreplicate.com/x',
    'https://evilreplicate.net/x',
    'https://replicate.network/x',
    'https://replicate.com@evil.example/x',
    'https://stream.replicate.com:8443/x',
    'http://stream.replicate.com/x',
    'file:///etc/passwd',
    '/v1/files/x',
    7,
    undefined,
  ])('is not read at %s', (address) => {
    expect(openedAt(created(address))).toBeUndefined()
  })

  it("is not read at Replicate's with the key of another's proxy", () => {
    expect(openedAt(created('https://stream.replicate.com/x'), 'https://proxy.example/v1')).toBeUndefined()
  })

  it('is not read once it is over', () => {
    for (const status of ['succeeded', 'failed', 'canceled', 'aborted']) {
      expect(openedAt(created('https://stream.replicate.com/x', status))).toBeUndefined()
    }
  })
})

/** What a stream of these bytes becomes. */
function read(text: string): JsonObject[] {
  const decoder = chat.decodeStream?.(exchange('chat', { stream: true }))
  if (!decoder) throw new Error('the codec does not stream')
  const events = createSseDecoder()
  const parts = [...events.push(Buffer.from(text)), ...events.end()].flatMap((some) => decoder.push(some))
  return [...parts, ...decoder.end()].flatMap(({ chunk }) => (chunk ? [{ ...chunk }] : []))
}

const done = 'event: done\nid: 9:0\ndata: {}\n\n'

describe('the stream of a prediction', () => {
  it('is text to the letter, then one finish', () => {
    const output = (...lines: string[]) =>
      `event: output\nid: 1:0\n${lines.map((line) => `data: ${line}\n`).join('')}\n`
    const text = `: hi\n\n${output('')}${output(' Hel')}${output('{}')}${output(':', '', 'Why')}${output('', '')}`
    const chunks = read(
      `${text}event: logs\ndata: noise\n\n${done}${output('late')}${done}:408: 408 Request Timeout\n\n`,
    )
    const choices = chunks.map((chunk) => (Array.isArray(chunk['choices']) ? chunk['choices'][0] : undefined))
    expect(choices).toEqual([
      { index: 0, delta: { role: 'assistant', content: ' Hel' }, finish_reason: null },
      { index: 0, delta: { content: '{}' }, finish_reason: null },
      { index: 0, delta: { content: ':\n\nWhy' }, finish_reason: null },
      { index: 0, delta: { content: '\n' }, finish_reason: null },
      { index: 0, delta: {}, finish_reason: 'stop' },
    ])
    expect(new Set(chunks.map((chunk) => chunk['id'])).size).toBe(1)
    expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false)
  })

  it('is known to be over when the provider says so', () => {
    const decoder = chat.decodeStream?.(exchange('chat'))
    decoder?.push(event('Hi', 'output'))
    expect(decoder?.progress).toBe('open')
    decoder?.push(event('{}', 'done'))
    expect(decoder?.progress).toBe('terminated')
  })

  it('fails where it ends before that', () => {
    expect(thrownBy(() => read('event: output\ndata: Hi\n\n')).kind).toBe('stream_truncated')
  })

  it.each([
    ['event: error\ndata: {"detail":"CUDA out of memory"}\n\n', 'upstream_error', 'CUDA out of memory'],
    ['event: error\ndata: NSFW content detected.\n\n', 'content_policy', 'NSFW content detected.'],
    ['event: done\ndata: {"reason":"error"}\n\n', 'upstream_error', 'The prediction failed.'],
    ['event: done\ndata: {"reason":"canceled"}\n\n', 'upstream_error', 'The prediction was canceled.'],
  ])('fails with what the provider says: %j', (text, kind, message) => {
    expect(thrownBy(() => read(text))).toMatchObject({ kind, message })
  })
})

if (!recordingsAvailable) console.log('The recorded streams of Replicate are absent and were not read.')

describe.runIf(recordingsAvailable)('a recorded stream', () => {
  it('is read to the letter', () => {
    const recorded = readIndex().filter(({ api }) => api === 'replicate.predictions.stream')
    expect(recorded.length).toBeGreaterThan(0)
    for (const entry of recorded) {
      const { text } = readExchange(entry).response
      const outputs = text.split('\n\n').filter((block) => block.includes('event: output'))
      const said = outputs.map((block) => block.match(/(?<=^data: ).*$/gm)?.join('\n') ?? '').join('')
      const choices = read(text).flatMap(({ choices: some }) => (Array.isArray(some) ? some.filter(isObject) : []))
      const deltas = choices.map(({ delta }) => (isObject(delta) ? (stringOf(delta['content']) ?? '') : ''))
      expect(deltas.join('')).toBe(said)
      expect(said.length).toBeGreaterThan(100)
      expect(choices.at(-1)).toMatchObject({ finish_reason: 'stop' })
    }
  })
})
