import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import type { JsonObject } from '../../src/wire/json.js'
import {
  choicesOf,
  cutAfter,
  delta,
  event,
  fullText,
  question,
  type ReadStream,
  readStream,
  recoverLab,
  textOf,
  whole,
} from './recover-lab.js'

const lab = recoverLab()

function expectCoherent({ chunks, error, done }: ReadStream): void {
  expect(error).toBeUndefined()
  expect(done).toBe(true)
  expect(new Set(chunks.map(({ id, created }) => `${String(id)} ${String(created)}`)).size).toBe(1)
  const choices = choicesOf(chunks)
  expect(choices.filter(({ delta: added }) => 'role' in (added as JsonObject))).toHaveLength(1)
  expect(choices.filter(({ finish_reason: finish }) => finish)).toHaveLength(1)
  expect(choices.at(-1)).toMatchObject({ finish_reason: expect.any(String) })
}

describe('a stream that breaks off after content', () => {
  it('is an error unless something else was asked for', async () => {
    lab.upstream.script('cut-9')
    const read = await readStream(lab.start('error'))
    expect(read).toMatchObject({ done: false, error: { code: expect.any(String) } })
    expect(fullText.startsWith(textOf(read.chunks))).toBe(true)
    expect(lab.upstream.requests).toHaveLength(1)
  })

  it.each([
    ['openai', 'cut-9'],
    ['openai', 'error-mid-stream-9'],
    ['openai', 'no-finish+no-done'],
    ['openai', 'stall-9'],
    ['anthropic', 'cut-9'],
    ['anthropic', 'stall-9'],
    ['gemini', 'cut-9'],
  ] as const)('is begun anew before %s after %s, and the client reads one answer', async (protocol, fault) => {
    lab.upstream.script(fault)
    const gateway = lab.start('restart', { protocol, timeouts: { idle: 300 } })
    const read = await readStream(gateway)
    expectCoherent(read)
    expect(textOf(read.chunks)).toBe(fullText)
    expect(lab.upstream.requests).toHaveLength(2)
  })

  it('ends with an error where the second answer says something else', async () => {
    lab.upstream.script(
      cutAfter(delta('a', { role: 'assistant', content: '' }), delta('a', { content: 'Good morning' })),
      whole(
        delta('b', { role: 'assistant', content: 'Good ' }),
        delta('b', { content: 'night' }),
        delta('b', {}, 'stop'),
      ),
    )
    const read = await readStream(lab.start('restart'))
    expect(textOf(read.chunks)).toBe('Good morning')
    expect(read).toMatchObject({ done: false, error: { code: 'stream_restart_mismatch', type: 'server_error' } })
    expect(lab.upstream.requests).toHaveLength(2)
  })

  it('ends with an error where the second answer is shorter than what was sent', async () => {
    lab.upstream.script(
      cutAfter(delta('a', { role: 'assistant', content: '' }), delta('a', { content: 'Good morning' })),
      whole(delta('b', { role: 'assistant', content: 'Good' }), delta('b', {}, 'stop')),
    )
    const read = await readStream(lab.start('restart'))
    expect(read).toMatchObject({ done: false, error: { code: 'stream_restart_mismatch' } })
  })

  it('is begun anew as often as attempts are left', async () => {
    lab.upstream.script('cut-5', 'cut-9', 'cut-7')
    const read = await readStream(lab.start('restart', { retries: 5, deployments: [{}, {}, {}, {}] }))
    expectCoherent(read)
    expect(textOf(read.chunks)).toBe(fullText)
    expect(lab.upstream.requests).toHaveLength(4)
  })

  it('tells why it broke off where no attempt is left', async () => {
    lab.upstream.script('cut-9', 'status-503')
    const gateway = lab.start('restart', { routing: { maxAttempts: 2 } })
    const read = await readStream(gateway)
    expect(read).toMatchObject({ done: false, error: { code: 'upstream_connection_error' } })
    expect(lab.upstream.requests).toHaveLength(2)
  })

  it('tells why it broke off where the second deployment finds fault with the request', async () => {
    lab.upstream.script('cut-9', 'status-400')
    const read = await readStream(lab.start('restart'))
    expect(read).toMatchObject({ done: false, error: { code: 'upstream_connection_error' } })
  })

  it('is an error where more was sent than is kept', async () => {
    const long = { content: 'x'.repeat(1024 * 1024) }
    lab.upstream.script(
      cutAfter(delta('a', { role: 'assistant' }), ...Array.from({ length: 5 }, () => delta('a', long))),
    )
    const read = await readStream(lab.start('restart'))
    expect(textOf(read.chunks)).toHaveLength(5 * 1024 * 1024)
    expect(read.done).toBe(false)
    expect(lab.upstream.requests).toHaveLength(1)
  })

  it('is an error where it held what cannot be compared', async () => {
    lab.upstream.script(
      cutAfter(
        delta('a', { role: 'assistant', content: 'See' }),
        delta('a', { annotations: [{ type: 'url_citation' }] }),
      ),
    )
    const read = await readStream(lab.start('restart'))
    expect(read.done).toBe(false)
    expect(lab.upstream.requests).toHaveLength(1)
  })
})

describe('a stream that is begun anew', () => {
  it('keeps the ids of tool calls that the client has', async () => {
    const call = (id: string, index: number, name: string) => ({
      index,
      id,
      type: 'function',
      function: { name, arguments: '' },
    })
    const piece = (index: number, text: string) => ({ tool_calls: [{ index, function: { arguments: text } }] })
    const events = (id: string): string[] => [
      delta(id, { role: 'assistant', content: null }),
      delta(id, { tool_calls: [call(`${id}-1`, 0, 'weather')] }),
      delta(id, piece(0, '{"city":')),
      delta(id, piece(0, '"Paris"}')),
      delta(id, { tool_calls: [call(`${id}-2`, 1, 'time')] }),
      delta(id, piece(1, '{}')),
      delta(id, {}, 'tool_calls'),
    ]
    for (let cut = 3; cut <= 6; cut += 1) {
      lab.upstream.reset()
      lab.upstream.script(cutAfter(...events('a').slice(0, cut)), whole(...events('b')))
      const read = await readStream(lab.start('restart'))
      expectCoherent(read)
      const calls = choicesOf(read.chunks).flatMap(
        ({ delta: added }) => ((added as JsonObject)['tool_calls'] ?? []) as JsonObject[],
      )
      const begun = calls.filter((part) => 'id' in part)
      expect(begun.map((part) => (part['function'] as JsonObject)['name'])).toEqual(['weather', 'time'])
      expect(begun.map((part) => part['id'])).toEqual(['a-1', cut >= 5 ? 'a-2' : 'b-2'])
      const said = (index: number): string =>
        calls
          .filter((part) => part['index'] === index)
          .map((part) => (part['function'] as JsonObject)['arguments'])
          .join('')
      expect([said(0), said(1)]).toEqual(['{"city":"Paris"}', '{}'])
    }
  })

  it('ends with an error where it calls another tool, or the same with other arguments', async () => {
    const call = (name: string, text: string) => ({
      tool_calls: [{ index: 0, id: 'x', type: 'function', function: { name, arguments: text } }],
    })
    for (const other of [call('time', '{"a":1}'), call('weather', '{"b":1}')]) {
      lab.upstream.reset()
      lab.upstream.script(
        cutAfter(delta('a', { role: 'assistant', ...call('weather', '{"a":') })),
        whole(delta('b', { role: 'assistant', ...other }), delta('b', {}, 'tool_calls')),
      )
      expect(await readStream(lab.start('restart'))).toMatchObject({
        done: false,
        error: { code: 'stream_restart_mismatch' },
      })
    }
  })

  it('compares reasoning and content each for itself, and takes no other order', async () => {
    const first = [delta('a', { role: 'assistant', reasoning_content: 'Think hard' }), delta('a', { content: 'Yes' })]
    const second = [
      delta('b', { role: 'assistant', reasoning_content: 'Think' }),
      delta('b', { reasoning_content: ' hard' }),
    ]
    lab.upstream.script(
      cutAfter(...first),
      whole(...second, delta('b', { content: 'Yes, sir' }), delta('b', {}, 'stop')),
    )
    const read = await readStream(lab.start('restart'))
    expectCoherent(read)
    expect([textOf(read.chunks, 0, 'reasoning_content'), textOf(read.chunks)]).toEqual(['Think hard', 'Yes, sir'])

    // The end of it all would tell too, but by then the client would have got more.
    lab.upstream.reset()
    const content = delta('b', { role: 'assistant', content: 'Yes, sir' })
    lab.upstream.script(cutAfter(...first), whole(content, ...second, delta('b', {}, 'stop')))
    const other = await readStream(lab.start('restart'))
    expect(other).toMatchObject({ done: false, error: { code: 'stream_restart_mismatch' } })
    expect(textOf(other.chunks)).toBe('Yes')
  })

  it('compares each of several choices, in whatever order they come', async () => {
    const start = (id: string, index: number) => delta(id, { role: 'assistant', content: '' }, null, index)
    const say = (id: string, index: number, content: string) => delta(id, { content }, null, index)
    lab.upstream.script(
      cutAfter(start('a', 0), start('a', 1), say('a', 0, 'red'), say('a', 1, 'blue sk')),
      whole(
        start('b', 1),
        say('b', 1, 'blue sky'),
        start('b', 0),
        say('b', 0, 'red rose'),
        delta('b', {}, 'stop', 0),
        delta('b', {}, 'stop', 1),
      ),
    )
    const read = await readStream(lab.start('continue', { deployments: [prefilling, prefilling] }), { n: 2 })
    expect(read).toMatchObject({ done: true, error: undefined })
    expect([textOf(read.chunks, 0), textOf(read.chunks, 1)]).toEqual(['red rose', 'blue sky'])
    expect(lab.upstream.requests[1]?.body).toMatchObject({ messages: question.messages })
  })

  it('also works for text completions', async () => {
    lab.upstream.script('cut-6')
    const gateway = lab.start('restart')
    const chunks: string[] = []
    const request = { model: 'fast', prompt: question.messages[0]?.content ?? '', stream: true }
    for await (const chunk of gateway.stream('completions', request, {
      id: 'user-1',
      role: 'member',
      models: 'all',
      scopes: [],
    })) {
      chunks.push(chunk.choices[0]?.text ?? '')
    }
    expect(chunks.join('')).toBe(fullText)
    expect(lab.upstream.requests).toHaveLength(2)
  })
})

const prefilling = { capabilities: { assistantPrefill: true } }

describe('a stream that is continued', () => {
  const begun = [
    delta('a', { role: 'assistant', content: '' }),
    delta('a', { content: 'Once upon' }),
    delta('a', { content: ' a time \n' }),
  ]
  const rest = (...texts: string[]): string[] => [
    delta('b', { role: 'assistant', content: '' }),
    ...texts.map((content) => delta('b', { content })),
    delta('b', {}, 'stop'),
  ]

  it('sends what was sent as the last message of the assistant, with what is left of the tokens', async () => {
    lab.upstream.script(cutAfter(...begun), whole(...rest(' \nthere', ' was')))
    const read = await readStream(lab.start('continue', { deployments: [prefilling, prefilling] }), { max_tokens: 100 })
    expectCoherent(read)
    expect(textOf(read.chunks)).toBe('Once upon a time \nthere was')
    const { messages, max_tokens: most } = (lab.upstream.requests[1]?.body ?? {}) as JsonObject
    expect(messages).toEqual([...question.messages, { role: 'assistant', content: 'Once upon a time' }])
    expect(most).toBeGreaterThan(90)
    expect(most).toBeLessThan(100)
  })

  it('keeps the seam as it is where the rest does not repeat its white space', async () => {
    lab.upstream.script(cutAfter(...begun), whole(...rest('there', ' was')))
    const read = await readStream(lab.start('continue', { deployments: [prefilling, prefilling] }))
    expect(textOf(read.chunks)).toBe('Once upon a time \nthere was')
  })

  it.each([
    ['a deployment of which nobody said that it continues', {}, {}],
    ['a deployment that is said not to', { capabilities: { assistantPrefill: false } }, {}],
    ['an answer in a format', prefilling, { response_format: { type: 'json_object' } }],
    ['an answer that was thought about', prefilling, { reasoning_effort: 'high' }],
  ])('is begun anew for %s', async (_, deployment, request) => {
    lab.upstream.script(cutAfter(...begun), whole(...rest('Once upon a time \n', 'there was')))
    const read = await readStream(lab.start('continue', { deployments: [deployment, deployment] }), request)
    expectCoherent(read)
    expect(textOf(read.chunks)).toBe('Once upon a time \nthere was')
    expect(lab.upstream.requests[1]?.body).toMatchObject({ messages: question.messages })
  })

  it('is begun anew at a deployment that refuses the beginning of an answer, which the client never hears of', async () => {
    lab.upstream.script(cutAfter(...begun), 'status-400', whole(...rest('Once upon a time \n', 'there was')))
    const read = await readStream(lab.start('continue', { deployments: [prefilling, prefilling] }))
    expectCoherent(read)
    expect(textOf(read.chunks)).toBe('Once upon a time \nthere was')
    expect(lab.upstream.requests.map(({ body }) => (body as { messages: unknown[] }).messages.length)).toEqual([
      1, 2, 1,
    ])
  })

  it.each([
    ['claude-sonnet-4-5', 2, undefined],
    ['claude-opus-4-6', 1, undefined],
  ])('asks %s for what it can do', async (model, messages) => {
    lab.upstream.onRequest(({ body }) => ({
      content: {
        text: (body as { messages: unknown[] }).messages.length === 2 ? 'four five' : 'one two three four five',
      },
    }))
    lab.upstream.script({ fault: 'cut-7', content: { text: 'one two three four five' } })
    const claude = { model: `fake/${model}` }
    const read = await readStream(lab.start('continue', { protocol: 'anthropic', deployments: [claude, claude] }))
    expectCoherent(read)
    expect(lab.upstream.requests.map(({ body }) => (body as { messages: unknown[] }).messages.length)).toEqual([
      1,
      messages,
    ])
  })

  it('marks the message where the family wants that', async () => {
    lab.upstream.script(cutAfter(...begun), whole(...rest('there')))
    const mistral = { model: 'fake/mistral-large-latest' }
    await readStream(lab.start('continue', { deployments: [mistral, mistral] }))
    expect(lab.upstream.requests[1]?.body).toMatchObject({
      messages: [{ role: 'user' }, { role: 'assistant', content: 'Once upon a time', prefix: true }],
    })
  })
})

describe('the bill of a recovered stream', () => {
  const counted = (id: string, content: string, completion: number) =>
    event(id, [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }], {
      usage: { prompt_tokens: 10, completion_tokens: completion, total_tokens: 10 + completion },
    })

  it('adds up what providers told of both halves, where it was asked for', async () => {
    lab.upstream.script(
      cutAfter(counted('a', 'one', 1), counted('a', ' two', 20)),
      whole(counted('b', 'one two three', 3), delta('b', {}, 'stop')),
    )
    const read = await readStream(lab.start('restart'), { stream_options: { include_usage: true } })
    expectCoherent({ ...read, chunks: read.chunks.slice(0, -1) })
    expect(read.chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 20, completion_tokens: 23, total_tokens: 43 },
    })
  })

  it('estimates a half of which nothing was told', async () => {
    lab.upstream.script('cut-9')
    const read = await readStream(lab.start('restart'), { stream_options: { include_usage: true } })
    const { usage } = read.chunks.at(-1) as { usage: Record<string, number> }
    // Eighteen words in the whole answer, about half of them also in the first half.
    expect(usage['prompt_tokens']).toBe(32)
    expect(usage['completion_tokens']).toBeGreaterThan(18 + 4)
    expect(usage['completion_tokens']).toBeLessThan(18 + 14)
    expect(usage['total_tokens']).toBe((usage['prompt_tokens'] ?? 0) + (usage['completion_tokens'] ?? 0))
  })

  it('is told of every attempt: why it was made, what it gave, what it took', async () => {
    lab.upstream.script('cut-9')
    const { text, entries, parts } = await lab.run('restart', { request: { stream_options: { include_usage: true } } })
    expect(text).toBe(fullText)
    expect(entries).toMatchObject([
      { reason: 'first', outcome: 'failed', sent: true, failure: { kind: 'upstream_connection' } },
      { reason: 'restart', outcome: 'answered', sent: true, usage: { prompt_tokens: 16, completion_tokens: 18 } },
    ])
    const [first, second] = entries
    expect(second?.receivedCharacters).toBe(fullText.length)
    expect(first?.receivedCharacters).toBeGreaterThan(20)
    expect(first?.receivedCharacters).toBeLessThan(fullText.length - 20)
    expect([...parts.router.state.all].map(({ inFlight }) => inFlight)).toEqual([0, 0])
  })

  it('does not count a provider that was never reached', async () => {
    const nobody = { baseUrl: 'http://127.0.0.1:1' }
    const { entries } = await lab.run('error', { deployments: [nobody, {}] })
    expect(entries.map(({ sent, outcome }) => [sent, outcome])).toEqual([
      [false, 'failed'],
      [true, 'answered'],
    ])
  })

  it('says of a continued stream what was continued, and of a refused one that it was begun anew', async () => {
    const deployments = [prefilling, prefilling]
    lab.upstream.script('cut-9')
    const continued = await lab.run('continue', { deployments })
    expect(continued.entries.map(({ reason }) => reason)).toEqual(['first', 'continue'])
    lab.upstream.reset()
    lab.upstream.script('cut-9', 'status-400')
    const begunAnew = await lab.run('continue', { deployments })
    expect(begunAnew.entries.map(({ reason }) => reason)).toEqual(['first', 'restart'])
  })

  it('holds no fault of a deployment whose answer only differs', async () => {
    lab.upstream.script(
      cutAfter(delta('a', { role: 'assistant', content: 'Good morning' })),
      whole(delta('b', { role: 'assistant', content: 'Good night' }), delta('b', {}, 'stop')),
    )
    const { error, entries, parts } = await lab.run('restart')
    expect(GatewayError.isInstance(error)).toBe(true)
    expect(entries.map(({ outcome }) => outcome)).toEqual(['failed', 'cancelled'])
    expect(parts.router.state.of('deployment-2').consecutiveFailures).toBe(0)
  })
})
