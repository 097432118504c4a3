import { describe, expect, it } from 'vitest'
import { createHedging, mayHedge } from '../../src/call/hedge.js'
import type { LedgerEntry } from '../../src/index.js'
import type { HedgingOptions } from '../../src/router/options.js'
import { DeploymentState } from '../../src/router/deployment-state.js'
import { toModelGroup } from '../../src/router/model-group.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { anyCaller, deploymentOf } from '../support/deployment.js'
import { FakeClock } from '../support/fake-clock.js'
import { delta, fullText, inFlightOf, question, readStream, recoverLab, textOf, whole } from './recover-lab.js'

const lab = recoverLab()

describe('the delay of a hedge', () => {
  function groupOf(options: HedgingOptions) {
    const clock = new FakeClock()
    const states = [new DeploymentState('a'), new DeploymentState('b')] as const
    const group = toModelGroup(
      'fast',
      states.map(({ id }) => deploymentOf({ id })),
      (id) => states.find((state) => state.id === id) ?? states[0],
    )
    return { clock, states, group, hedging: createHedging(options, clock) }
  }

  it('is the quantile of what the whole group took lately, streams and whole answers each for itself', () => {
    const { clock, states, group, hedging } = groupOf({})
    for (let ms = 1; ms <= 50; ms += 1) {
      states[0].firstToken.add(ms, clock.now())
      states[1].firstToken.add(50 + ms, clock.now())
    }
    expect(hedging.delayFor(group, true)).toBe(96)
    expect(hedging.delayFor(group, false)).toBeUndefined()
  })

  it('is unknown with too few samples, and known a second later', () => {
    const { clock, states, group, hedging } = groupOf({ quantile: 0.5, minimumSamples: 2 })
    states[0].whole.add(10, clock.now())
    expect(hedging.delayFor(group, false)).toBeUndefined()
    states[1].whole.add(30, clock.now())
    clock.advance(999)
    expect(hedging.delayFor(group, false)).toBeUndefined()
    clock.advance(1)
    expect(hedging.delayFor(group, false)).toBe(30)
  })

  it('is what the host says', () => {
    const { group, hedging } = groupOf({ afterMs: 7 })
    expect(hedging.delayFor(group, true)).toBe(7)
  })
})

describe('a request', () => {
  it('is not made twice where its tools run at the provider', () => {
    expect(mayHedge({})).toBe(true)
    expect(mayHedge({ tools: [{ type: 'function', function: { name: 'f' } }] })).toBe(true)
    expect(mayHedge({ tools: [{ type: 'function', function: { name: 'f' } }, { type: 'mcp' }] })).toBe(false)
  })
})

const routing = { hedging: { afterMs: 40 } }

describe.each([true, false])('a slow call (stream: %s)', (stream) => {
  const text = async (fault: readonly (string | { fault: string; content: { text: string } })[], own: object = {}) => {
    lab.upstream.script(...fault)
    const gateway = lab.start('error', { routing, ...own })
    if (stream) {
      const read = await readStream(gateway)
      return { text: textOf(read.chunks), error: read.error, done: read.done }
    }
    const answer = await gateway.call('chat', { ...question, stream: false }, anyCaller)
    return { text: answer.choices[0]?.message.content, error: undefined, done: true }
  }

  it('is answered by a second deployment, and the first is cancelled within 100 ms', { retry: 2 }, async () => {
    lab.upstream.script('slow-5000ms')
    const gateway = lab.start('error', { routing })
    const answer: unknown = stream
      ? (await gateway.stream('chat', question, anyCaller)[Symbol.asyncIterator]().next()).value
      : await gateway.call('chat', { ...question, stream: false }, anyCaller)
    const answeredAt = Date.now()
    expect(answer).toMatchObject({ choices: [{ index: 0 }] })
    const [slow, quick] = lab.upstream.requests
    await slow?.closed
    expect((slow?.abortedAt ?? Number.POSITIVE_INFINITY) - answeredAt).toBeLessThan(100)
    expect(quick?.aborted).toBe(false)
  })

  it('gets the whole of one answer', async () => {
    expect(await text(['slow-5000ms'])).toEqual({ text: fullText, error: undefined, done: true })
    expect(lab.upstream.requests).toHaveLength(2)
  })

  it('is answered by the first deployment where that is sooner, and the second is cancelled', async () => {
    expect(await text(['slow-200ms', 'slow-5000ms'])).toMatchObject({ text: fullText, done: true })
    const second = lab.upstream.requests[1]
    await second?.closed
    expect(second?.aborted).toBe(true)
  })

  it('is asked once where it answers in time', async () => {
    expect(await text([], { routing: { hedging: { afterMs: 2_000 } } })).toMatchObject({ text: fullText })
    expect(lab.upstream.requests).toHaveLength(1)
  })

  it('is asked once where there is no other deployment, or no attempt left', async () => {
    await text(['slow-100ms'], { deployments: [{}] })
    expect(lab.upstream.requests).toHaveLength(1)
    lab.upstream.reset()
    await text(['slow-100ms'], { routing: { ...routing, maxAttempts: 1 } })
    expect(lab.upstream.requests).toHaveLength(1)
  })

  it('waits for the other attempt where one fails', async () => {
    expect(await text(['slow-150ms', 'status-503'])).toMatchObject({ text: fullText, done: true })
    lab.upstream.reset()
    expect(await text(['slow-80ms+status-503', 'slow-150ms'])).toMatchObject({ text: fullText, done: true })
    expect(lab.upstream.requests).toHaveLength(2)
  })

  it('goes to a third deployment where both fail', async () => {
    const deployments = [{}, {}, {}]
    expect(await text(['slow-80ms+status-503', 'slow-80ms+status-500'], { deployments })).toMatchObject({
      text: fullText,
    })
    expect(lab.upstream.requests).toHaveLength(3)
  })

  it('is no longer waited for where the first deployment finds fault with the request', async () => {
    lab.upstream.script('slow-80ms+status-400', 'slow-5000ms')
    const gateway = lab.start('error', { routing })
    const failure = stream
      ? (async () => {
          for await (const chunk of gateway.stream('chat', question, anyCaller)) expect(chunk).toBeUndefined()
        })()
      : gateway.call('chat', { ...question, stream: false }, anyCaller)
    await expect(failure).rejects.toMatchObject({ status: 400 })
    const second = lab.upstream.requests[1]
    await second?.closed
    expect(second?.aborted).toBe(true)
  })

  it('ends both attempts when the client leaves', { retry: 2 }, async () => {
    lab.upstream.script('hang', 'hang')
    const leaving = new AbortController()
    const gateway = lab.start('error', { routing })
    const failure = stream
      ? gateway.stream('chat', question, anyCaller, { signal: leaving.signal })[Symbol.asyncIterator]().next()
      : gateway.call('chat', { ...question, stream: false }, anyCaller, { signal: leaving.signal })
    const rejected = expect(failure).rejects.toMatchObject({ kind: 'client_closed' })
    await lab.upstream.received(2)
    const leftAt = Date.now()
    leaving.abort()
    await rejected
    for (const request of lab.upstream.requests) {
      await request.closed
      expect((request.abortedAt ?? Number.POSITIVE_INFINITY) - leftAt).toBeLessThan(100)
    }
  })
})

describe('the bill of a hedge', () => {
  it('has a row for the attempt that lost once the provider had accepted it, as it may bill that', async () => {
    lab.upstream.script('first-token-5000ms')
    const billed: LedgerEntry[] = []
    const gateway = lab.start('error', {
      routing,
      deployments: [{ prices: { input: 1, output: 2 } }, { prices: { input: 1, output: 2 } }],
      stores: { ledger: createMemoryLedger() },
      spend: { onUsage: (entries) => void billed.push(...entries) },
    })
    expect(textOf((await readStream(gateway)).chunks)).toBe(fullText)
    await expect.poll(() => billed.length).toBe(2)
    const [won, lost] = [false, true].map((aborted) => billed.find((entry) => entry.aborted === aborted))
    expect(won).toMatchObject({ estimated: false, status: 200 })
    expect(lost).toMatchObject({ estimated: true, callId: won?.callId })
    expect(lost?.deployment).not.toBe(won?.deployment)
    for (const entry of billed) expect(entry.cost).toBeGreaterThan(0n)
  })
})

describe('a hedged stream', () => {
  it('goes on under the winner’s signal, which the total deadline and the idle deadline end', async () => {
    lab.upstream.script('slow-5000ms', 'stall-6')
    const read = await readStream(lab.start('error', { routing, timeouts: { idle: 200 } }))
    expect(read).toMatchObject({ done: false, error: { code: 'idle_timeout' } })
    lab.upstream.reset()
    lab.upstream.script('slow-5000ms', 'stall-6')
    const total = await readStream(lab.start('error', { routing, timeouts: { idle: 5_000, total: 500 } }))
    expect(total).toMatchObject({ done: false, error: { code: 'total_timeout' } })
  })

  it('is not recovered after the total deadline of the call', async () => {
    lab.upstream.script('slow-5000ms', 'stall-6')
    const timeouts = { idle: 5_000, total: 500 }
    const { error, entries } = await lab.run('restart', { routing, timeouts, deployments: [{}, {}, {}] })
    expect(error).toMatchObject({ code: 'total_timeout' })
    expect(entries).toHaveLength(2)
  })

  it('counts only the winner as in flight', async () => {
    lab.upstream.script('slow-5000ms', 'trickle-100ms')
    const gateway = lab.start('error', { routing })
    const chunks = gateway.stream('chat', question, anyCaller)[Symbol.asyncIterator]()
    await chunks.next()
    expect(await inFlightOf(gateway)).toEqual([0, 1])
    await chunks.return?.()
    expect(await inFlightOf(gateway)).toEqual([0, 0])
  })

  it('is recovered where the winner breaks off', async () => {
    lab.upstream.script('slow-5000ms', 'cut-9')
    const read = await readStream(lab.start('restart', { routing, deployments: [{}, {}, {}] }))
    expect(read).toMatchObject({ done: true, error: undefined })
    expect(textOf(read.chunks)).toBe(fullText)
  })

  it('tells each error without the key of the deployment that gave it', async () => {
    const quote = (key: string) => ({ delayMs: 80, status: 401, body: { error: { message: `bad key ${key}` } } })
    lab.upstream.script(quote('secret-of-one'), quote('secret-of-two'))
    const deployments = [{ apiKey: 'secret-of-one' }, { apiKey: 'secret-of-two' }]
    const { error, entries } = await lab.run('error', { deployments, routing })
    expect(
      [error, ...entries.map(({ failure }) => failure)].map((failure) => (failure as Error).message).join(),
    ).not.toContain('secret-of')
    expect(entries.map(({ outcome }) => outcome)).toEqual(['failed', 'failed'])
  })

  it('shows the loser on the trail as cancelled, sent but without an answer', async () => {
    lab.upstream.script('slow-5000ms', whole(delta('b', { role: 'assistant', content: 'Hi' }), delta('b', {}, 'stop')))
    const { text, entries, parts } = await lab.run('error', { routing })
    expect(text).toBe('Hi')
    expect(entries).toMatchObject([
      {
        deployment: 'deployment-1',
        reason: 'first',
        outcome: 'cancelled',
        sent: true,
        failure: undefined,
        usage: undefined,
      },
      { deployment: 'deployment-2', reason: 'hedge', outcome: 'answered', sent: true },
    ])
    expect([...parts.router.state.all].map(({ inFlight }) => inFlight)).toEqual([0, 0])
  })
})
