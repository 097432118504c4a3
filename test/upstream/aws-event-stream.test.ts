import { crc32 } from 'node:zlib'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAwsEventStreamDecoder } from '../../src/upstream/aws-event-stream.js'
import { createEventDecoder } from '../../src/upstream/framing.js'
import type { UpstreamEvent } from '../../src/upstream/message.js'
import { awsEvent, awsException, awsMessage, awsPayloadPart } from '../support/aws-event-stream.js'

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text),
)

function decode(pieces: readonly Buffer[], maxEventBytes?: number): UpstreamEvent[] {
  const decoder = createAwsEventStreamDecoder(maxEventBytes)
  return [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.end()]
}

const event = (name: string, data: string): UpstreamEvent => ({ event: name, data, frame: undefined })

describe('the decoder of AWS event streams', () => {
  it('is chosen by the content type', () => {
    const decoder = createEventDecoder('application/vnd.amazon.eventstream')
    expect(decoder.push(awsEvent('messageStart', { role: 'assistant' }))).toEqual([
      event('messageStart', '{"role":"assistant"}'),
    ])
  })

  it("reads what AWS's own encoder writes, with headers of every type, cut anywhere", () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 })
    const message = fc.record({
      type: text,
      data: text,
      flag: fc.boolean(),
      number: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      bytes: fc.uint8Array({ maxLength: 10 }),
    })
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (messages, sizes) => {
          const written = messages.map(({ type, data, flag, number, bytes }) =>
            codec.encode({
              headers: {
                flag: { type: 'boolean', value: flag },
                number: { type: 'integer', value: number },
                at: { type: 'timestamp', value: new Date(number) },
                id: { type: 'uuid', value: '01234567-89ab-cdef-0123-456789abcdef' },
                bytes: { type: 'binary', value: bytes },
                ':message-type': { type: 'string', value: 'event' },
                ':event-type': { type: 'string', value: type },
              },
              body: Buffer.from(data),
            }),
          )
          const whole = Buffer.concat(written)
          const pieces: Buffer[] = []
          for (let from = 0; from < whole.length;) {
            const size = sizes.next().value ?? 1
            pieces.push(whole.subarray(from, from + size))
            from += size
          }
          const expected = messages.map(({ type, data }) => event(type, Buffer.from(data).toString('utf8')))
          expect(decode(pieces)).toEqual(expected)
          expect(decode([whole])).toEqual(expected)
        },
      ),
    )
  })

  it("is written by the tests as AWS's own encoder writes it", () => {
    const headers = {
      ':message-type': { type: 'string', value: 'event' },
      ':event-type': { type: 'string', value: 'x' },
    } as const
    const own = awsMessage({ ':message-type': 'event', ':event-type': 'x' }, 'data')
    expect(own.equals(Buffer.from(codec.encode({ headers, body: Buffer.from('data') })))).toBe(true)
  })

  it('names exceptions and errors', () => {
    const error = awsMessage(
      { ':message-type': 'error', ':error-code': 'InternalError', ':error-message': 'Broken.' },
      '',
    )
    expect(decode([awsException('throttlingException', 'Slow down.'), error])).toEqual([
      event('exception:throttlingException', '{"message":"Slow down."}'),
      event('error:InternalError', '{"message":"Broken."}'),
    ])
  })

  it('keeps raw bytes whole that are cut within a character', () => {
    const bytes = Buffer.from('a北b')
    const events = decode([awsPayloadPart(bytes.subarray(0, 2)), awsPayloadPart(bytes.subarray(2))])
    expect(Buffer.concat(events.map(({ data }) => Buffer.from(data, 'latin1'))).toString()).toBe('a北b')
  })

  it('refuses a message of which one bit is wrong, wherever it is', () => {
    const good = awsEvent('contentBlockDelta', { delta: { text: 'Hello' } })
    for (let at = 0; at < good.length; at += 1) {
      const bad = Buffer.from(good)
      bad[at] = (bad[at] ?? 0) ^ 4
      expect(() => decode([bad]), `byte ${at}`).toThrow(/broken event stream/)
    }
  })

  it('tells a stream that ends within a message', () => {
    const whole = awsEvent('messageStop', { stopReason: 'end_turn' })
    for (const length of [1, 11, 12, whole.length - 1]) {
      expect(() => decode([whole.subarray(0, length)])).toThrow(/within a message/)
    }
  })

  it('holds no message that is larger than allowed', () => {
    const decoder = createAwsEventStreamDecoder(100)
    expect(() => decoder.push(awsEvent('x', 'y'.repeat(200)).subarray(0, 12))).toThrow(/more than 100 bytes/)
  })

  it('refuses lengths that contradict each other', () => {
    const good = awsEvent('x', '')
    const bad = Buffer.from(good)
    bad.writeUInt32BE(good.length, 4)
    bad.writeUInt32BE(crc32(bad.subarray(0, 8)), 8)
    expect(() => decode([bad])).toThrow(/contradict each other/)
  })
})
