import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Gateway } from '../../src/index.js'
import { createParts } from '../../src/gateway/create-parts.js'
import { runStream } from '../../src/call/run-stream.js'
import { CallTrail } from '../../src/router/trail.js'
import type { ScriptedAnswer } from '../../src/testing/script.js'
import { delta, fullText, inFlightOf, question, readStream, recoverLab, textOf } from '../call/recover-lab.js'
import { anyCaller } from '../support/deployment.js'
import { fakeProvider } from '../../src/testing/index.js'
import { expectNothingUnhandled } from './faulty-host.js'

const lab = recoverLab()

expectNothingUnhandled()

const prefilling = { capabilities: { assistantPrefill: true } }
const many = Array.from({ length: 6 }, () => prefilling)
// Nothing rests, so that every try of a test finds all deployments.
const patient = { retries: 6, routing: { cooldown: false as const, maxAttempts: 8 } }
const texts = ['Grüße, 世界! 👩‍👩‍👧 says "hi"\n and   leaves. 🇫🇷 fin', 'Grüße, 世界! 👩‍👩‍👧 asks why\t — and stays. ✓ end']

interface Answer {
  /** Which text. */
  readonly variant: number
  /** Where it is cut into events, and where the connection breaks, as shares of the whole. */
  readonly splits: readonly number[]
  readonly cut: number
}

/** The stream of a text, cut into events at code points. */
function streamOf(text: string, splits: readonly number[], id: string): Buffer {
  const points = Array.from(text)
  const ends = [...new Set(splits.map((share) => Math.floor(share * points.length))), points.length].toSorted(
    (a, b) => a - b,
  )
  const pieces = ends.map((end, at) => points.slice(ends[at - 1] ?? 0, end).join(''))
  const events = [
    delta(id, { role: 'assistant', content: '' }),
    ...pieces.filter((piece) => piece !== '').map((content) => delta(id, { content })),
    delta(id, {}, 'stop'),
    'data: [DONE]\n\n',
  ]
  return Buffer.from(events.join(''))
}

function toScript(text: string, { splits, cut }: Answer, id: string): ScriptedAnswer {
  const bytes = streamOf(text, splits, id)
  const end = Math.floor(cut * bytes.length)
  return cut === 1 ? { chunks: [bytes] } : { chunks: [bytes.subarray(0, end)], fault: 'cut-1' }
}

const share = fc.integer({ min: 0, max: 1_000 }).map((thousandths) => thousandths / 1_000)
const answers = fc.array(
  fc.record({
    variant: fc.constantFrom(0, 1),
    splits: fc.array(share, { maxLength: 8 }),
    cut: fc.oneof(share, fc.constant(1)),
  }),
  { minLength: 1, maxLength: 5 },
)
const healthy: Answer = { variant: 0, splits: [0.5], cut: 1 }

describe.each(['restart', 'continue'] as const)('wherever streams break off (%s)', (midStream) => {
  it('the client reads one whole answer, or an explicit error', { timeout: 60_000 }, async () => {
    const gateway = lab.start(midStream, { ...patient, deployments: many })
    const outcomes = { whole: 0, error: 0, recovered: 0 }
    await fc.assert(
      fc.asyncProperty(answers, async (given) => {
        lab.upstream.reset()
        let asked = 0
        lab.upstream.onRequest(({ body }) => {
          const answer = given[asked] ?? healthy
          asked += 1
          const text = texts[answer.variant] ?? ''
          const { messages } = body as { messages: readonly { role: string; content: string }[] }
          const last = messages.at(-1)
          const begun = last?.role === 'assistant' ? last.content : ''
          // A model continues whatever it is given.
          return toScript(text.startsWith(begun) ? text.slice(begun.length) : ` ... ${text}`, answer, `id-${asked}`)
        })
        const { chunks, error, done } = await readStream(gateway)
        const text = textOf(chunks)
        expect(done).toBe(error === undefined)
        if (!done) expect(texts.some((whole) => whole.startsWith(text))).toBe(true)
        else if (midStream === 'restart') expect(texts).toContain(text)
        else if (given.every(({ variant }) => variant === 0)) expect(text).toBe(texts[0])
        expect(new Set(chunks.map(({ id, created }) => `${String(id)} ${String(created)}`)).size).toBe(1)
        outcomes[done ? 'whole' : 'error'] += 1
        if (done && asked > 1) outcomes.recovered += 1
      }),
      { numRuns: 150, seed: 7 },
    )
    // The property says little unless all of it happened.
    expect(outcomes.whole).toBeGreaterThan(20)
    expect(outcomes.recovered).toBeGreaterThan(10)
    if (midStream === 'restart') expect(outcomes.error).toBeGreaterThan(5)
  })

  it('no byte of the answer is lost or doubled at any position of one cut', { timeout: 60_000 }, async () => {
    const gateway = lab.start(midStream, { ...patient, deployments: many })
    const [text = ''] = texts
    const splits = [0.2, 0.4, 0.6, 0.8]
    const { length } = streamOf(text, splits, 'a')
    for (let end = 0; end < length; end += 5) {
      lab.upstream.reset()
      lab.upstream.script({ chunks: [streamOf(text, splits, 'a').subarray(0, end)], fault: 'cut-1' })
      lab.upstream.onRequest(({ body }) => {
        const last = (body as { messages: readonly { role: string; content: string }[] }).messages.at(-1)
        return toScript(last?.role === 'assistant' ? text.slice(last.content.length) : text, healthy, 'b')
      })
      const { chunks, error, done } = await readStream(gateway)
      expect([end, textOf(chunks), error, done]).toEqual([end, text, undefined, true])
    }
  })
})

describe('faults in the middle of a stream', () => {
  // S08, S09.
  it.each([
    ['cut at 40 of 60 tokens', 'cut-40'],
    ['stalled', 'stall-40'],
  ])('%s: the answer is completed, and the tokens of both halves are counted', async (_, fault) => {
    lab.upstream.script(fault)
    const content = Array.from({ length: 58 }, (__, at) => `word${at}`).join(' ')
    const own = { messages: [{ role: 'user', content }], stream_options: { include_usage: true } }
    const read = await readStream(lab.start('restart', { timeouts: { idle: 200 } }), own)
    expect(read).toMatchObject({ done: true, error: undefined })
    expect(textOf(read.chunks)).toBe(`You said: ${content}`)
    expect(read.chunks.at(-1)).toMatchObject({ usage: { prompt_tokens: 116 } })
    expect(read.chunks.filter(({ usage }) => usage)).toHaveLength(1)
  })

  // S14.
  it('cut, and a fallback that refuses the beginning of an answer: the refusal never reaches the client', async () => {
    lab.upstream.onRequest(({ body }) => {
      const { messages } = body as { messages: readonly { role: string }[] }
      return messages.at(-1)?.role === 'assistant' ? { status: 400 } : undefined
    })
    lab.upstream.script('cut-9')
    const gateway = lab.start('continue', {
      deployments: [{}, { modelName: 'spare', ...prefilling }],
      retries: 0,
      routing: { fallbacks: { fast: ['spare'] } },
    })
    const read = await readStream(gateway)
    expect(read).toMatchObject({ done: true, error: undefined })
    expect(textOf(read.chunks)).toBe(fullText)
  })
})

describe('a client that leaves', () => {
  it.each([
    ['while the second attempt is waited for', 'hang'],
    ['while the second attempt repeats what was sent', 'trickle-2000ms'],
  ])('%s closes it within 100 ms, and nothing else is asked', { retry: 2 }, async (_, fault) => {
    lab.upstream.script('cut-9', fault)
    const leaving = new AbortController()
    const read = readStream(lab.start('restart', { deployments: many }), {}, leaving.signal)
    const second = await lab.upstream.received(2)
    const leftAt = Date.now()
    leaving.abort()
    expect((await read).done).toBe(false)
    await second.closed
    expect((second.abortedAt ?? Number.POSITIVE_INFINITY) - leftAt).toBeLessThan(100)
    expect(lab.upstream.requests).toHaveLength(2)
  })

  it('by leaving its loop ends the second attempt as well', async () => {
    lab.upstream.script('cut-9', 'hang')
    const { call: parts } = createParts({
      providers: [fakeProvider(lab.upstream.url)],
      models: [1, 2].map((order) => ({ modelName: 'fast', model: 'fake/demo', order, id: `deployment-${order}` })),
      auth: 'none',
      routing: { midStream: 'restart' },
    })
    const trail = new CallTrail()
    const context = { caller: anyCaller, requestId: 'req_1', signal: undefined, headers: {}, trail }
    const batches = (await runStream('chat', question, context, parts)).parts[Symbol.asyncIterator]()
    const reading = (async () => {
      for (;;) if ((await batches.next()).done) return
    })()
    const failed = expect(reading).rejects.toMatchObject({ kind: 'client_closed' })
    const second = await lab.upstream.received(2)
    await batches.return?.()
    await failed
    await second.closed
    expect(second.aborted).toBe(true)
    expect(trail.entries.map(({ outcome }) => outcome)).toEqual(['failed', 'cancelled'])
    expect([...parts.router.state.all].map(({ inFlight }) => inFlight)).toEqual([0, 0])
    await parts.client.close()
  })
})

describe('under load', () => {
  it(
    'with faults, hedges and clients that leave, every answer is whole or an error, and nothing stays in flight',
    { timeout: 60_000 },
    async () => {
      const faults = [
        '',
        '',
        'cut-9',
        'stall-7',
        'error-mid-stream-5',
        'status-503',
        'slow-60ms',
        'hang',
        'cut-1',
        'trickle-3ms',
      ]
      let asked = 0
      lab.upstream.onRequest(() => {
        asked += 1
        const fault = faults[(asked * 7) % faults.length] ?? ''
        return fault === '' ? undefined : { fault }
      })
      const options = {
        ...patient,
        deployments: many,
        timeouts: { idle: 150, headers: 400, firstToken: 400 },
        routing: { ...patient.routing, hedging: { afterMs: 30 } },
      }
      const gateway = lab.start('restart', options)
      const outcomes = { whole: 0, error: 0, left: 0 }
      const one = async (number: number): Promise<void> => {
        const leaving = new AbortController()
        if (number % 10 === 0) setTimeout(() => leaving.abort(), number % 70)
        outcomes[await readOnce(gateway, leaving)] += 1
      }
      for (let round = 0; round < 10; round += 1) {
        await Promise.all(Array.from({ length: 40 }, (_, at) => one(round * 40 + at)))
      }
      expect(outcomes.whole).toBeGreaterThan(250)
      await expect.poll(() => inFlightOf(gateway)).toEqual(many.map(() => 0))
      await expect.poll(() => lab.upstream.requests.filter(({ aborted }) => aborted).length).toBeGreaterThan(0)
    },
  )
})

async function readOnce(gateway: Gateway, leaving: AbortController): Promise<'whole' | 'error' | 'left'> {
  let text = ''
  try {
    for await (const chunk of gateway.stream('chat', question, anyCaller, { signal: leaving.signal })) {
      text += chunk.choices[0]?.delta.content ?? ''
    }
  } catch {
    expect(fullText.startsWith(text)).toBe(true)
    return leaving.signal.aborted ? 'left' : 'error'
  }
  expect(text).toBe(fullText)
  return 'whole'
}
