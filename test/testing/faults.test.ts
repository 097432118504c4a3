import { connect } from 'node:net'
import { request } from 'undici'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { faults, startFakeUpstream, type FakeUpstream } from '../../src/testing/index.js'
import { parseFaults } from '../../src/testing/faults.js'
import { eventsOf, post } from './client.js'

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await startFakeUpstream()
})
beforeEach(() => upstream.reset())
afterAll(() => upstream.close())

const dialects = {
  openai: {
    url: () => `${upstream.url}/v1/chat/completions`,
    body: (model: string, stream: boolean) => ({
      model,
      stream,
      messages: [{ role: 'user', content: 'one two three' }],
    }),
    finish: '"finish_reason":"stop"',
    done: '[DONE]',
  },
  anthropic: {
    url: () => `${upstream.url}/v1/messages`,
    body: (model: string, stream: boolean) => ({
      model,
      stream,
      max_tokens: 1000,
      messages: [{ role: 'user', content: 'one two three' }],
    }),
    finish: '"stop_reason":"end_turn"',
    done: 'message_stop',
  },
  gemini: {
    url: (model: string, stream: boolean) =>
      `${upstream.url}/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: () => ({ contents: [{ role: 'user', parts: [{ text: 'one two three' }] }] }),
    finish: '"finishReason":"STOP"',
    done: undefined,
  },
}

function ask(name: keyof typeof dialects, model: string, stream: boolean, signal?: AbortSignal) {
  const { url, body } = dialects[name]
  return post(url(model, stream), body(model, stream), { 'anthropic-version': '2023-06-01' }, signal)
}

const names = ['openai', 'anthropic', 'gemini'] as const

describe.each(names)('faults of the dialect %s', (name) => {
  const { finish, done } = dialects[name]

  it('answers whole and streamed without one', async () => {
    const whole = await ask(name, 'demo', false)
    expect(whole).toMatchObject({ status: 200, end: 'complete' })
    expect(whole.text.replaceAll(' ', '')).toContain(finish)
    const stream = await ask(name, 'demo', true)
    expect(stream).toMatchObject({ status: 200, end: 'complete' })
    expect(stream.text).toContain(finish)
    if (done) expect(stream.text).toContain(done)
    expect(eventsOf(stream.text).length).toBeGreaterThan(4)
  })

  it.each([400, 401, 403, 404, 429, 500, 503, 529])('answers status %i in its own shape', async (status) => {
    const answer = await ask(name, `status-${status}+retry-after-7`, true)
    expect(answer.status).toBe(status)
    expect(answer.headers['retry-after']).toBe('7')
    expect(JSON.parse(answer.text)).toMatchObject({ error: { message: expect.stringContaining('Fake error') } })
  })

  it('destroys the socket after so many events', async () => {
    const stream = await ask(name, 'cut-10', true)
    expect(stream.end).toBe('broken')
    expect(eventsOf(stream.text)).toHaveLength(10)
    const whole = await ask(name, 'cut-10', false)
    expect(whole.end).toBe('broken')
    expect(whole.text.length).toBeGreaterThan(10)
    expect(upstream.requests.map((entry) => entry.aborted)).toEqual([false, false])
  })

  it.each([true, false])('sends nothing more after so many events, stream: %s', async (stream) => {
    const abort = new AbortController()
    const asked = ask(name, 'stall-5', stream, abort.signal)
    const entry = await upstream.received(1)
    await new Promise((resolve) => void setTimeout(resolve, 150))
    expect(entry.aborted).toBe(false)
    abort.abort()
    const answer = await asked
    await entry.closed
    expect(answer.end).toBe('broken')
    if (stream) expect(eventsOf(answer.text)).toHaveLength(5)
    expect(entry.aborted).toBe(true)
  })

  it('breaks the JSON of one event, or of the body', async () => {
    const stream = await ask(name, 'malformed-3', true)
    const broken = stream.text
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data: {'))
      .map((line) => isJson(line.slice(6)))
    expect(broken.flatMap((valid, index) => (valid ? [] : [index]))).toEqual([2])
    expect(isJson((await ask(name, 'malformed-3', false)).text)).toBe(false)
  })

  it('sends an error inside a 200', async () => {
    const whole = await ask(name, 'error-in-200', false)
    expect(whole.status).toBe(200)
    expect(JSON.parse(whole.text)).toHaveProperty('error')
    const first = await ask(name, 'error-in-200', true)
    expect(eventsOf(first.text)).toEqual([expect.objectContaining({ error: expect.anything() })])
    const late = eventsOf((await ask(name, 'error-mid-stream-3', true)).text)
    expect(late).toHaveLength(4)
    expect(late[3]).toHaveProperty('error')
  })

  it('leaves out finish reason, terminator and usage', async () => {
    const unfinished = await ask(name, 'no-finish', true)
    expect(unfinished.end).toBe('complete')
    expect(unfinished.text).not.toContain(finish)
    expect((await ask(name, 'no-finish', false)).text).not.toContain(finish)
    if (done) expect((await ask(name, 'no-done', true)).text).not.toContain(done)
    for (const stream of [true, false]) expect((await ask(name, 'no-usage', stream)).text).not.toContain('"usage')
  })

  it('sends the same bytes in small pieces, and with CRLF', async () => {
    const plain = await ask(name, 'demo', true)
    const pieces = await ask(name, 'demo+bytes-3', true)
    const named = (text: string): string => text.replaceAll('demo+bytes-3', 'demo')
    expect(eventsOf(pieces.text)).toHaveLength(eventsOf(plain.text).length)
    if (name === 'openai') expect(named(pieces.text).length).toBe(plain.text.length)
    const crlf = await ask(name, 'demo+crlf', true)
    expect(crlf.text.replaceAll('\r\n', '')).not.toContain('\n')
    const commented = await ask(name, 'demo+comments', true)
    expect(commented.text.match(/^: keep-alive$/gm)?.length).toBeGreaterThan(4)
  })
})

describe('faults of time and connection', () => {
  it('waits before the headers, before the first content and between events', async () => {
    expect((await ask('openai', 'slow-120ms', false)).headersMs).toBeGreaterThan(110)
    const before = performance.now()
    const first = await ask('anthropic', 'first-token-250ms', true)
    expect(performance.now() - before - first.headersMs).toBeGreaterThan(200)
    const start = performance.now()
    await ask('openai', 'trickle-10ms+words-10', true)
    expect(performance.now() - start).toBeGreaterThan(100)
  })

  it('combines faults', async () => {
    const answer = await ask('openai', 'slow-100ms+cut-3', true)
    expect(answer.headersMs).toBeGreaterThan(90)
    expect(answer.end).toBe('broken')
    expect(eventsOf(answer.text)).toHaveLength(3)
  })

  it('reads faults behind a prefix, and nothing from other words', () => {
    expect(parseFaults('fake/slow-5ms+cut-2')).toEqual({ delayMs: 5, cutAfter: 2 })
    expect(parseFaults('gpt-4.1-mini')).toEqual({})
    expect(parseFaults('slow-cut-10')).toEqual({})
  })

  it('writes every example of the table as a fault of its own', () => {
    for (const { example } of faults) expect(Object.keys(parseFaults(example)), example).not.toHaveLength(0)
  })

  it('resets the connection before the headers', async () => {
    await expect(ask('openai', 'reset', true)).rejects.toMatchObject({
      code: expect.stringMatching(/ECONNRESET|UND_ERR/),
    })
    const { port } = new URL(upstream.url)
    const body = JSON.stringify({ model: 'reset', messages: [{ role: 'user', content: 'x' }] })
    const code = await new Promise((resolve) => {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
      socket.on('end', () => resolve('end'))
      socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    })
    expect(code).toBe('ECONNRESET')
  })

  it('never answers, and notes at once that the client has gone', async () => {
    const abort = new AbortController()
    const asked = ask('gemini', 'hang', true, abort.signal).catch(() => 'gone')
    const entry = await upstream.received(1)
    const leftAt = Date.now()
    abort.abort()
    expect(await asked).toBe('gone')
    await entry.closed
    expect(entry.aborted).toBe(true)
    expect((entry.abortedAt ?? Infinity) - leftAt).toBeLessThan(1000)
  })

  it('sends one byte at a time', async () => {
    const body = dialects.openai.body('slowloris-0ms', false)
    const answer = await request(dialects.openai.url(), { method: 'POST', body: JSON.stringify(body) })
    const sizes = new Set<number>()
    let text = ''
    for await (const chunk of answer.body) {
      sizes.add(Buffer.byteLength(chunk))
      text += String(chunk)
    }
    expect(Math.max(...sizes)).toBeLessThan(20)
    expect(isJson(text)).toBe(true)
  })

  it.each([true, false])('sends a line of megabytes, held back by a slow reader, stream: %s', async (stream) => {
    const answer = await ask('openai', 'huge-line-3mb', stream)
    const longest = Math.max(...answer.text.split('\n').map((line) => line.length))
    expect(longest).toBeGreaterThan(3 * 1024 * 1024)
    expect(longest).toBeLessThan(3 * 1024 * 1024 + 100)
  })

  it('keeps an endless line going without filling memory', async () => {
    const abort = new AbortController()
    const body = JSON.stringify(dialects.openai.body('endless-line', true))
    const answer = await request(dialects.openai.url(), { method: 'POST', body, signal: abort.signal })
    const before = process.memoryUsage().rss
    await new Promise((resolve) => void setTimeout(resolve, 200))
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1024 * 1024)
    abort.abort()
    await expect(answer.body.text()).rejects.toThrow()
    await upstream.requests[0]?.closed
    expect(upstream.requests[0]?.aborted).toBe(true)
  })

  it('closes the connection when asked', async () => {
    expect((await ask('openai', 'close', false)).headers['connection']).toBe('close')
    expect((await ask('openai', 'demo', false)).headers['connection']).toBe('keep-alive')
  })
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
