import { EventStreamCodec } from '@smithy/eventstream-codec'
import { isObject, parseJson } from '../../src/wire/json.js'

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text),
)

/**
 * The events of a recorded AWS event stream, each as `{ <name>: <payload> }`, and what InvokeModel wraps as the JSON
 * that is inside; read by AWS's own decoder.
 */
export function awsPayloadsOf(bytes: Buffer): readonly unknown[] {
  const payloads: unknown[] = []
  for (let from = 0; from < bytes.length;) {
    const length = bytes.readUInt32BE(from)
    const { headers, body } = codec.decode(bytes.subarray(from, from + length))
    payloads.push(toPayload(String(headers[':event-type']?.value), parseJson(Buffer.from(body).toString('utf8'))))
    from += length
  }
  return payloads
}

function toPayload(name: string, payload: unknown): unknown {
  const bytes = isObject(payload) ? payload['bytes'] : undefined
  if (name !== 'chunk' || typeof bytes !== 'string') return { [name]: payload }
  return parseJson(Buffer.from(bytes, 'base64').toString('utf8'))
}
