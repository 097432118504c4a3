import { describe, expect, it } from 'vitest'
import {
  createIdempotency,
  type Idempotency,
  type IdempotencyOptions,
  type IdempotentReplay,
} from '../../src/cache/idempotency.js'
import type { IdempotentCall } from '../../src/cache/idempotent-call.js'
import { fromStored } from '../../src/cache/stored-whole.js'
import { replayLines, type StreamPiece } from '../../src/cache/stream-text.js'
import { GatewayError } from '../../src/errors.js'
import type { Caller } from '../../src/ports.js'
import type { JsonObject } from '../../src/wire/json.js'
import { anyCaller, deploymentOf } from '../support/deployment.js'
import { FakeClock } from '../support/fake-clock.js'
import { completionOf, piecesOf } from './cache-fixture.js'
import { createGate, FakeStore, settle, silent } from './fake-store.js'

type Begun = IdempotentReplay | IdempotentCall

interface Asking {
  readonly key?: string
  readonly caller?: Caller
  readonly request?: JsonObject
  readonly streamed?: boolean
  readonly signal?: AbortSignal
}

/** Processes that share a store and, for the test, a clock. */
class World {
  readonly clock = new FakeClock()
  readonly store = new FakeStore(this.clock)
  readonly one: Idempotency
  readonly other: Idempotency
  readonly #options: IdempotencyOptions
  #ids = 0

  constructor(options: IdempotencyOptions = {}) {
    this.#options = options
    this.one = this.processOn(this.clock)
    this.other = this.processOn(this.clock)
  }

  processOn(clock: FakeClock): Idempotency {
    const createId = (): string => `id${(this.#ids += 1)}`
    return createIdempotency(this.#options, { store: this.store, clock, logger: silent, createId })
  }

  /** Lets time pass in small steps, so that whoever polls can. */
  async pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 50) {
      this.clock.advance(50)
      await settle()
    }
  }
}

class Asked {
  begun: Begun | undefined
  error: unknown

  constructor(promise: Promise<Begun>) {
    promise.then(
      (begun) => (this.begun = begun),
      (error: unknown) => (this.error = error),
    )
  }
}

async function ask(idempotency: Idempotency, asking: Asking = {}): Promise<Asked> {
  const { key = 'key-1', caller = anyCaller, request = { model: 'm' }, streamed = false, signal } = asking
  const asked = new Asked(idempotency.begin({ key, caller, request, streamed, operation: 'chat', signal }))
  await settle()
  return asked
}

function callOf({ begun, error }: Asked): IdempotentCall {
  if (begun?.status !== 'run') throw new Error(`no call to make: ${begun?.status}`, { cause: error })
  return begun
}

function contentOf({ begun }: Asked): string | null | undefined {
  if (begun?.status !== 'replay') return undefined
  return fromStored<'chat'>(begun.source)?.body.choices[0]?.message.content
}

const answer = (content: string): { body: ReturnType<typeof completionOf>; written: undefined } => ({
  body: completionOf(content),
  written: undefined,
})
const origin = deploymentOf({ id: 'd1' })
const clientClosed = new GatewayError('client_closed', 'gone')

async function answered(world: World, content = 'a'): Promise<void> {
  callOf(await ask(world.one)).keep(answer(content), origin)
  await settle()
}

describe('the same key again', () => {
  it('later gives the stored answer, byte for byte', async () => {
    const world = new World()
    const written = '{ "choices": [ ] }'
    callOf(await ask(world.one)).keep({ body: completionOf('x'), written }, origin)
    await settle()
    const { begun } = await ask(world.one)
    if (begun?.status !== 'replay') throw new Error('a replay was expected')
    expect(fromStored(begun.source)?.written).toBe(written)
    expect(begun.source).toMatchObject({ deployment: 'd1', provider: 'openai', model: 'gpt-test' })
  })

  it('in another process gives it too', async () => {
    const world = new World()
    await answered(world)
    expect(contentOf(await ask(world.other))).toBe('a')
  })

  it('at the same time waits for the one call', async () => {
    const world = new World()
    const all = await Promise.all([world.one, world.one, world.one, world.other, world.other].map((one) => ask(one)))
    const calls = all.filter(({ begun }) => begun?.status === 'run')
    expect(calls).toHaveLength(1)
    const [first] = calls
    if (first) callOf(first).keep(answer('once'), origin)
    await world.pass(2_000)
    expect(all.filter((asked) => contentOf(asked) === 'once')).toHaveLength(4)
    expect(world.clock.pending).toBe(0)
  })

  it('after 24 hours is a new one', async () => {
    const world = new World()
    await answered(world)
    world.clock.advance(24 * 60 * 60 * 1000 - 1)
    expect(contentOf(await ask(world.one))).toBe('a')
    world.clock.advance(1)
    expect((await ask(world.one)).begun?.status).toBe('run')
  })

  it('of another caller is another key', async () => {
    const world = new World()
    await answered(world)
    expect((await ask(world.one, { caller: { ...anyCaller, id: 'user-2' } })).begun?.status).toBe('run')
  })

  it('with members in another order is the same request', async () => {
    const world = new World()
    const first = await ask(world.one, { request: { model: 'm', seed: 1 } })
    callOf(first).keep(answer('a'), origin)
    await settle()
    expect(contentOf(await ask(world.one, { request: { seed: 1, model: 'm' } }))).toBe('a')
  })

  it.each([
    ['answered', true],
    ['still under way', false],
  ])('with another request is a 422, the first being %s', async (_, isAnswered) => {
    const world = new World()
    const call = callOf(await ask(world.one))
    if (isAnswered) call.keep(answer('a'), origin)
    await settle()
    for (const process of [world.one, world.other]) {
      for (const other of [{ request: { model: 'm', seed: 2 } }, { streamed: true }]) {
        const { error } = await ask(process, other)
        expect(error).toMatchObject({ status: 422, code: 'idempotency_key_reused', param: 'Idempotency-Key' })
      }
    }
  })
})

describe('a stream with a key', () => {
  it('is kept and replayed', async () => {
    const world = new World()
    const call = callOf(await ask(world.one, { streamed: true }))
    const pieces = piecesOf('a', 'b')
    for (const piece of pieces) call.collect([piece])
    call.complete(origin)
    call.release()
    await settle()
    const { begun } = await ask(world.other, { streamed: true })
    if (begun?.status !== 'replay') throw new Error('a replay was expected')
    const replayed: StreamPiece[] = []
    for await (const batch of replayLines(begun.source.text)) replayed.push(...batch)
    expect(replayed.map(({ chunk, forward }) => chunk ?? forward?.data)).toEqual(
      pieces.map(({ chunk, forward }) => chunk ?? forward?.data),
    )
  })

  it('that was cut frees the key', async () => {
    const world = new World()
    const call = callOf(await ask(world.one, { streamed: true }))
    call.collect(piecesOf('a').slice(0, 2))
    call.complete(origin)
    call.release()
    await settle()
    expect((await ask(world.other, { streamed: true })).begun?.status).toBe('run')
  })

  it('too large to be kept is not asked, and paid for, again', async () => {
    const world = new World({ maxEntryBytes: 1_000 })
    const call = callOf(await ask(world.one, { streamed: true }))
    call.collect(piecesOf('a'.repeat(2_000)))
    call.complete(origin)
    await settle()
    const lost = { status: 409, code: 'idempotency_answer_too_large' }
    expect((await ask(world.one, { streamed: true })).error).toMatchObject(lost)
    callOf(await ask(world.one, { key: 'key-2' })).keep(answer('a'.repeat(2_000)), origin)
    await settle()
    expect((await ask(world.other, { key: 'key-2' })).error).toMatchObject(lost)
  })
})

describe('a call that fails', () => {
  it.each(['rate_limited', 'timeout', 'upstream_error', 'client_closed', 'invalid_request'] as const)(
    'with %s frees the key',
    async (kind) => {
      const world = new World()
      const call = callOf(await ask(world.one))
      call.fail(new GatewayError(kind, 'no'))
      call.release()
      await settle()
      expect((await ask(world.other)).begun?.status).toBe('run')
      expect(world.clock.pending).toBe(1)
    },
  )

  it.each(['content_policy', 'context_window'] as const)('with %s would fail again, and does', async (kind) => {
    const world = new World()
    const upstream = { provider: 'openai', status: 400, code: 'c' }
    const call = callOf(await ask(world.one))
    call.fail(new GatewayError(kind, 'no', { param: 'messages', upstream, code: 'own' }))
    call.release()
    await settle()
    for (const process of [world.one, world.other]) {
      const { error } = await ask(process)
      expect(error).toBeInstanceOf(GatewayError)
      expect(error).toMatchObject({ kind, message: 'no', param: 'messages', upstream, code: 'own', status: 400 })
    }
  })

  it('lets those that wait try one at a time, in every process', async () => {
    const world = new World()
    const all = await Promise.all([world.one, world.one, world.one, world.other, world.other].map((one) => ask(one)))
    const running = new Set<IdempotentCall>()
    for (let round = 1; round <= all.length; round += 1) {
      const calls = all.flatMap(({ begun }) => (begun?.status === 'run' ? [begun] : []))
      expect(calls).toHaveLength(round)
      for (const call of calls.filter((one) => !running.has(one))) {
        running.add(call)
        call.fail(new GatewayError('upstream_error', 'no'))
      }
      await world.pass(2_000)
    }
  })

  it('because its client left hands over to who waits', async () => {
    const world = new World()
    const call = callOf(await ask(world.one))
    const follower = await ask(world.one)
    call.fail(clientClosed)
    await settle()
    expect(follower.begun?.status).toBe('run')
  })
})

describe('who waits for a key', () => {
  it('gets a 409 when that takes too long', async () => {
    const world = new World({ waitMs: 3_000 })
    await ask(world.one)
    const [here, elsewhere] = [await ask(world.one), await ask(world.other)]
    await world.pass(4_000)
    for (const { error } of [here, elsewhere]) {
      expect(error).toMatchObject({ status: 409, code: 'idempotency_in_progress', retryAfterMs: 1_000 })
    }
  })

  it('may leave', async () => {
    const world = new World()
    const call = callOf(await ask(world.one))
    const leaving = new AbortController()
    const waits = [
      await ask(world.one, { signal: leaving.signal }),
      await ask(world.other, { signal: leaving.signal }),
      await ask(world.other),
    ]
    leaving.abort()
    await world.pass(100)
    expect(waits.map(({ error }) => error)).toMatchObject([
      { kind: 'client_closed' },
      { kind: 'client_closed' },
      undefined,
    ])
    call.keep(answer('a'), origin)
    await world.pass(2_000)
    expect(waits.map(contentOf)).toEqual([undefined, undefined, 'a'])
    expect(world.clock.pending).toBe(0)
  })
})

describe('a claim', () => {
  it('is kept up while the call runs, however long', async () => {
    const world = new World({ claimMs: 3_000, waitMs: 60_000 })
    const call = callOf(await ask(world.one))
    const elsewhere = await ask(world.other)
    await world.pass(20_000)
    expect(elsewhere.begun).toBeUndefined()
    call.keep(answer('late'), origin)
    await world.pass(1_000)
    expect(contentOf(elsewhere)).toBe('late')
    expect(world.clock.pending).toBe(0)
  })

  it('of a process that died ends, and another takes over', async () => {
    const world = new World({ claimMs: 3_000 })
    // Its clock stands still from now on, so it renews nothing.
    await ask(world.processOn(new FakeClock()))
    const elsewhere = await ask(world.other)
    await world.pass(2_500)
    expect(elsewhere.begun).toBeUndefined()
    await world.pass(2_500)
    expect(elsewhere.begun?.status).toBe('run')
  })

  it('that was lost to another call is not taken back from it', async () => {
    const world = new World()
    const call = callOf(await ask(world.one))
    world.store.values.clear()
    const second = callOf(await ask(world.other))
    call.release()
    await settle()
    expect(world.store.values.size).toBe(1)
    second.keep(answer('b'), origin)
    await settle()
    expect(contentOf(await ask(world.one))).toBe('b')
  })

  it.each(['get', 'set'] as const)('is not renewed over the answer, whose %s was slow', async (method) => {
    const world = new World({ claimMs: 3_000 })
    const call = callOf(await ask(world.one))
    const gate = createGate()
    world.store.gates = { [method]: gate.closed }
    world.clock.advance(1_000)
    await settle()
    world.store.gates = {}
    call.keep(answer('a'), origin)
    await settle()
    gate.open()
    await settle()
    expect(contentOf(await ask(world.other))).toBe('a')
    expect(world.clock.pending).toBe(0)
  })
})

describe('a store that is down', () => {
  it('keeps nobody from an answer, nor two that come together from sharing it', async () => {
    const world = new World()
    world.store.failure = new Error('down')
    const first = await ask(world.one)
    const second = await ask(world.one)
    expect(second.begun).toBeUndefined()
    callOf(first).keep(answer('a'), origin)
    await settle()
    expect(contentOf(second)).toBe('a')
    expect((await ask(world.one)).begun?.status).toBe('run')
  })

  it('that breaks down meanwhile ends the waiting', async () => {
    const world = new World()
    await ask(world.one)
    const elsewhere = await ask(world.other)
    world.store.failure = new Error('down')
    await world.pass(200)
    expect(elsewhere.begun?.status).toBe('run')
  })

  it.each(['garbage', '', '{"key":"x"}\n', '{"state":"running"}\n'])('or holds %j counts as empty', async (value) => {
    const world = new World()
    await answered(world, 'old')
    for (const held of world.store.values.values()) held.value = value
    callOf(await ask(world.one)).keep(answer('new'), origin)
    await settle()
    expect(contentOf(await ask(world.other))).toBe('new')
  })

  it('has lost the end of an answer: the request is made again', async () => {
    const world = new World()
    await answered(world)
    for (const held of world.store.values.values()) held.value = held.value.slice(0, -5)
    expect((await ask(world.one)).begun?.status).toBe('run')
  })
})

describe('a key', () => {
  it.each(['', 'a b', 'ü', 'a\nb', 'x'.repeat(256)])('like %j is a 400', async (key) => {
    const { error } = await ask(new World().one, { key })
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', param: 'Idempotency-Key' })
  })

  it.each(['x'.repeat(255), '"8e03978e-40d5-43dd-bc93-6894a57f9324"', 'a:b/c+d='])('like %j is taken', async (key) => {
    expect((await ask(new World().one, { key })).begun?.status).toBe('run')
  })

  it('is a 400 for a request that cannot be compared', async () => {
    const { error } = await ask(new World().one, { request: { model: 'm', when: new Date() } })
    expect(error).toMatchObject({ status: 400, param: 'Idempotency-Key' })
  })
})
