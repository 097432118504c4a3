import { describe, expect, it } from 'vitest'
import { openParts } from '../../src/call/read-parts.js'
import { GatewayError } from '../../src/errors.js'
import type { StreamDecoder, StreamPart } from '../../src/protocols/protocol.js'
import { CallSignal } from '../../src/upstream/call-signal.js'
import { ResponseBody } from '../../src/upstream/response-body.js'
import type { UpstreamEvent } from '../../src/upstream/message.js'
import { FakeClock } from '../support/fake-clock.js'

const timeouts = { connect: 0, headers: 0, firstToken: 0, idle: 0, total: 0 }

/** A body of these pieces that knows whether it was left. */
class Body implements AsyncIterableIterator<Buffer> {
  readonly #pieces: readonly string[]
  #position = 0
  left = 0

  constructor(pieces: readonly string[]) {
    this.#pieces = pieces
  }

  next(): Promise<IteratorResult<Buffer>> {
    const piece = this.#pieces[this.#position++]
    return Promise.resolve(
      piece === undefined ? { done: true, value: undefined } : { done: false, value: Buffer.from(piece) },
    )
  }

  return(): Promise<IteratorResult<Buffer>> {
    this.left += 1
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** Gives every event's data as content, but nothing for `quiet` and an error for `broken`, or later for `lost`. */
class Decoder implements StreamDecoder<string> {
  #isLost = false
  readonly usage = undefined

  get progress(): 'open' {
    if (this.#isLost) throw new GatewayError('internal', 'How far it is, is not known.')
    return 'open'
  }

  push({ data }: UpstreamEvent): readonly StreamPart<string>[] {
    this.#isLost = data.startsWith('lost')
    if (data === 'broken') throw new GatewayError('upstream_invalid', 'Not an event.')
    return data.endsWith('quiet') ? [] : [{ chunk: undefined, forward: { event: '', data, frame: undefined } }]
  }

  end(): readonly StreamPart<string>[] {
    return []
  }
}

function open(
  body: AsyncIterable<Buffer>,
  signal = new CallSignal(new FakeClock(), 0),
  deadlines = timeouts,
): ReturnType<typeof openParts<string>> {
  return openParts({ status: 200, headers: {}, body }, new Decoder(), deadlines, signal)
}

const toEvent = (data: string): string => `data: ${data}\n\n`

async function read(parts: Awaited<ReturnType<typeof open>>): Promise<readonly string[]> {
  const words: string[] = []
  for await (const batch of parts) for (const { forward } of batch) words.push(forward?.data ?? '')
  return words
}

describe('a stream that is read', () => {
  it('gives what came before its first content once, and in order', async () => {
    const parts = await open(new Body([toEvent('quiet'), toEvent('one') + toEvent('two'), toEvent('three')]))
    expect(await read(parts)).toEqual(['one', 'two', 'three'])
  })

  it('goes on behind many pieces that hold nothing', async () => {
    const quiet = Array.from({ length: 50_000 }, () => toEvent('quiet'))
    const body = new Body([toEvent('one'), ...quiet, toEvent('two')])
    expect(await read(await open(body))).toEqual(['one', 'two'])
  })

  it('closes the connection of what cannot be decoded, and is over then', async () => {
    const body = new Body([toEvent('one'), toEvent('broken'), toEvent('two')])
    const iterator = (await open(body))[Symbol.asyncIterator]()
    await iterator.next()
    await expect(iterator.next()).rejects.toThrow('Not an event.')
    expect(body.left).toBe(1)
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  it('closes the connection where it is left, and gives nothing more', async () => {
    const body = new Body([toEvent('one'), toEvent('two')])
    const iterator = (await open(body))[Symbol.asyncIterator]()
    await iterator.return?.()
    expect(body.left).toBe(1)
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  it('has its content in time however late that is read', async () => {
    const clock = new FakeClock()
    const signal = new CallSignal(clock, 0)
    const missed: unknown[] = []
    signal.listen((error) => missed.push(error))
    const parts = await open(new Body([toEvent('one'), toEvent('two')]), signal, { ...timeouts, firstToken: 1_000 })
    clock.advance(2_000)
    expect(missed).toEqual([])
    expect(await read(parts)).toEqual(['one', 'two'])
  })

  it('gives each of several who ask at once a piece of its own, also behind what holds nothing', async () => {
    const body = new ResponseBody({ pause() {}, resume() {}, abort() {} })
    body.add(Buffer.from(toEvent('one')))
    const iterator = (await open(body))[Symbol.asyncIterator]()
    await iterator.next()
    const asked = [iterator.next(), iterator.next(), iterator.next(), iterator.next()]
    for (const data of ['quiet', 'two', 'quiet', 'three']) {
      await new Promise(setImmediate)
      body.add(Buffer.from(toEvent(data)))
    }
    body.close()
    const given = await Promise.all(asked)
    expect(given.map(({ value }) => value?.[0]?.forward?.data)).toEqual(['two', 'three', undefined, undefined])
  })

  it('gives nothing more to several who ask at once where it breaks off', async () => {
    const body = new ResponseBody({ pause() {}, resume() {}, abort() {} })
    body.add(Buffer.from(toEvent('one')))
    const iterator = (await open(body))[Symbol.asyncIterator]()
    await iterator.next()
    const asked = [iterator.next(), iterator.next()]
    body.fail(new GatewayError('upstream_connection', 'Broken.'))
    await expect(asked[0]).rejects.toThrow('Broken.')
    expect(await asked[1]).toEqual({ done: true, value: undefined })
  })

  it.each(['lost', 'lost quiet'])('rejects, and never throws, where the decoder does later: %s', async (event) => {
    const body = new Body([toEvent('one'), toEvent(event), toEvent('two')])
    const iterator = (await open(body))[Symbol.asyncIterator]()
    const told: unknown[] = []
    for (let read = 0; read < 3; read += 1) await iterator.next().catch((error: unknown) => told.push(error))
    expect(told).toEqual([expect.objectContaining({ kind: 'internal' })])
    expect(body.left).toBe(1)
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  it('is closed where it fails before content', async () => {
    const body = new Body([toEvent('broken'), toEvent('one')])
    await expect(open(body)).rejects.toThrow('Not an event.')
    expect(body.left).toBe(1)
  })
})
