import { describe, expect, it } from 'vitest'
import { type StreamTap, TappedStream } from '../../src/call/tap-stream.js'
import type { StreamPart } from '../../src/protocols/protocol.js'

type Batch = readonly StreamPart<string>[]

const part = (chunk: string): StreamPart<string> => ({ chunk, forward: undefined })
const forwarded = (data: string): StreamPart<string> => ({
  chunk: undefined,
  forward: { event: '', data, frame: undefined },
})

async function* batches(list: readonly Batch[], thrown?: Error): AsyncGenerator<Batch, undefined> {
  yield* list
  if (thrown) throw thrown
}

/** Notes what it is told; takes out every chunk that begins with `-`. */
class Notes implements StreamTap<string> {
  readonly told: string[] = []
  rest: AsyncGenerator<Batch, undefined> | undefined

  see(batch: Batch): void {
    this.told.push(`saw ${batch.length}`)
  }
  async resume(): Promise<AsyncGenerator<Batch, undefined> | undefined> {
    const { rest } = this
    this.rest = undefined
    return rest
  }
  accept(chunk: string): boolean {
    return !chunk.startsWith('-')
  }
  ended(): void {
    this.told.push('ended')
  }
  left(): void {
    this.told.push('left')
  }
  failed(thrown: unknown): unknown {
    this.told.push('failed')
    return thrown
  }
}

async function read(stream: TappedStream<string>): Promise<readonly (string | undefined)[]> {
  const words: (string | undefined)[] = []
  for await (const batch of stream) for (const { chunk, forward } of batch) words.push(chunk ?? forward?.data)
  return words
}

describe('a stream that is watched', () => {
  it('is told of every batch, and leaves out what is not accepted', async () => {
    const notes = new Notes()
    const source = batches([
      [forwarded('a'), forwarded('b')],
      [part('-c'), part('d'), forwarded('e')],
    ])
    expect(await read(new TappedStream(source, notes))).toEqual(['a', 'b', 'd', 'e'])
    expect(notes.told).toEqual(['saw 2', 'saw 3', 'ended'])
  })

  it('goes on behind many batches that nothing is left of', async () => {
    const notes = new Notes()
    const nothing = Array.from({ length: 50_000 }, () => [part('-')])
    expect(await read(new TappedStream(batches([[part('a')], ...nothing, [part('b')]]), notes))).toEqual(['a', 'b'])
    expect(notes.told.at(-1)).toBe('ended')
  })

  it('goes on with the rest where there is one, also behind batches that nothing is left of', async () => {
    const notes = new Notes()
    notes.rest = batches([[part('-')], [part('b')]])
    const source = batches([[part('a')], [part('-')]], new Error('cut'))
    expect(await read(new TappedStream(source, notes))).toEqual(['a', 'b'])
    expect(notes.told.at(-1)).toBe('ended')
  })

  it('fails once with what it was given instead', async () => {
    const notes = new Notes()
    const stream = new TappedStream(batches([[part('a')]], new Error('cut')), notes)
    await stream.next()
    await expect(stream.next()).rejects.toThrow('cut')
    expect(notes.told).toEqual(['saw 1', 'failed'])
  })

  it('fails where whoever watches does', async () => {
    const notes = new Notes()
    notes.see = () => {
      throw new Error('no room')
    }
    await expect(new TappedStream(batches([[part('a')]]), notes).next()).rejects.toThrow('no room')
    expect(notes.told).toEqual(['failed'])
  })

  it('tells that its reader left', async () => {
    const notes = new Notes()
    const stream = new TappedStream(batches([[part('a')], [part('b')]]), notes)
    await stream.next()
    await stream.return()
    expect(notes.told).toEqual(['saw 1', 'left'])
  })
})
