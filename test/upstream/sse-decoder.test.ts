import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { UpstreamEvent } from '../../src/upstream/message.js'
import { createSseDecoder } from '../../src/upstream/sse-decoder.js'

function decodePieces(pieces: readonly Buffer[], maxEventBytes?: number): UpstreamEvent[] {
  const decoder = createSseDecoder(maxEventBytes)
  return [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.end()]
}

const decode = (text: string): { event: string; data: string }[] =>
  decodePieces([Buffer.from(text)]).map(({ event, data }) => ({ event, data }))

const dataOf = (text: string): string[] => decode(text).map(({ data }) => data)

function splitAt(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const cuts = [
    0,
    ...positions.map((position) => position % (bytes.length + 1)).toSorted((a, b) => a - b),
    bytes.length,
  ]
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end))
}

describe('createSseDecoder', () => {
  it.each([
    ['line feeds', 'data: a\n\ndata: b\n\n', ['a', 'b']],
    ['carriage returns with line feeds', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['lone carriage returns', 'data: a\r\rdata: b\r\r', ['a', 'b']],
    ['mixed line ends', 'data: a\r\n\ndata: b\n\r\n', ['a', 'b']],
    ['no space after the colon', 'data:a\n\n', ['a']],
    ['only the first space is taken away', 'data:  a\n\n', [' a']],
    ['several data lines', 'data: a\ndata: b\n\n', ['a\nb']],
    ['a data line without a colon', 'data\ndata: b\n\n', ['\nb']],
    ['comments', ': OPENROUTER PROCESSING\n\ndata: a\n\n:\n\n', ['a']],
    ['a comment within an event', 'data: a\n: ping\ndata: b\n\n', ['a\nb']],
    ['ids and retries', 'id: 1\nretry: 10\ndata: a\n\n', ['a']],
    ['unknown fields', 'foo: bar\ndata: a\n\n', ['a']],
    ['extra blank lines', '\n\n\ndata: a\n\n\n\n', ['a']],
    ['a byte order mark', '\uFEFFdata: a\n\n', ['a']],
    ['no final blank line', 'data: a\n\ndata: b\n', ['a', 'b']],
    ['no final line end', 'data: a\n\ndata: b', ['a', 'b']],
    ['empty data', 'data: \n\ndata: b\n\n', ['', 'b']],
    ['an event without data', 'event: ping\n\ndata: b\n\n', ['b']],
    ['colons in the data', 'data: {"a":"b: c"}\n\n', ['{"a":"b: c"}']],
    ['characters of four bytes', 'data: 北京 👨‍👩‍👧\n\n', ['北京 👨‍👩‍👧']],
  ])('understands %s, however the bytes are cut', (_, text, expected) => {
    expect(dataOf(text)).toEqual(expected)
    const bytes = Buffer.from(text)
    const single = Array.from(bytes, (byte) => Buffer.from([byte]))
    expect(decodePieces(single).map(({ data }) => data)).toEqual(expected)
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(decodePieces(splitAt(bytes, [cut])).map(({ data }) => data)).toEqual(expected)
    }
  })

  it('gives the name of an event, and forgets it afterwards', () => {
    expect(decode('event: delta\ndata: a\n\ndata: b\n\n')).toEqual([
      { event: 'delta', data: 'a' },
      { event: '', data: 'b' },
    ])
  })

  it('gives the bytes only of events that are written exactly as we write them', () => {
    const frames = (text: string): (string | undefined)[] =>
      decodePieces([Buffer.from(text)]).map(({ frame }) => frame && Buffer.from(frame).toString())
    expect(frames('data: a\n\ndata: b\n\n')).toEqual(['data: a\n\n', 'data: b\n\n'])
    expect(frames('data: a\r\n\r\n')).toEqual([undefined])
    expect(frames('data:a\n\n')).toEqual([undefined])
    expect(frames('event: x\ndata: a\n\n')).toEqual([undefined])
    expect(frames('data: a\ndata: b\n\n')).toEqual([undefined])
    expect(frames('data: a\n')).toEqual([undefined])
  })

  it('refuses an event that outgrows the limit, in one line or in many', () => {
    const line = Buffer.from(`data: ${'x'.repeat(2_000)}`)
    expect(() => decodePieces([line], 1_000)).toThrow(/more than 1000 bytes/)
    const lines = Buffer.from('data: 0123456789\n'.repeat(200))
    expect(() => decodePieces([lines], 1_000)).toThrow(/more than 1000 bytes/)
  })

  it('holds many events that are small each', () => {
    expect(decodePieces([Buffer.from('data: 0123456789\n\n'.repeat(2_000))], 1_000)).toHaveLength(2_000)
  })

  it('decodes any stream alike, whole or cut anywhere', () => {
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r')
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => `data: ${text.replace(/[\r\n]/g, '')}`),
      fc.constantFrom('data', 'data:', ': comment', 'event: x', 'id: 7', '', ''),
    )
    const stream = fc.array(fc.tuple(line, lineEnd), { maxLength: 30 }).map((lines) => lines.flat().join(''))
    fc.assert(
      fc.property(stream, fc.array(fc.nat(400), { maxLength: 12 }), (text, cuts) => {
        const bytes = Buffer.from(text)
        const strip = ({ event, data }: UpstreamEvent): object => ({ event, data })
        expect(decodePieces(splitAt(bytes, cuts)).map(strip)).toEqual(decodePieces([bytes]).map(strip))
      }),
      { numRuns: 500 },
    )
  })
})
