import { crc32 } from 'node:zlib'

/** Writes one message of `application/vnd.amazon.eventstream`; header values are strings. */
export function awsMessage(headers: Readonly<Record<string, string>>, payload: string | Uint8Array): Buffer {
  const written = Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const [key, text] = [Buffer.from(name), Buffer.from(value)]
      return Buffer.concat([
        Buffer.from([key.length]),
        key,
        Buffer.from([7, text.length >> 8, text.length & 255]),
        text,
      ])
    }),
  )
  const body = Buffer.from(payload)
  const prelude = Buffer.alloc(12)
  prelude.writeUInt32BE(12 + written.length + body.length + 4, 0)
  prelude.writeUInt32BE(written.length, 4)
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8)
  const unsummed = Buffer.concat([prelude, written, body])
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(unsummed))
  return Buffer.concat([unsummed, sum])
}

/** An event with a JSON payload. */
export function awsEvent(type: string, payload: unknown): Buffer {
  const headers = { ':message-type': 'event', ':event-type': type, ':content-type': 'application/json' }
  return awsMessage(headers, JSON.stringify(payload))
}

/** An exception, as the service sends one in the middle of a stream. */
export function awsException(type: string, message: string): Buffer {
  const headers = { ':message-type': 'exception', ':exception-type': type, ':content-type': 'application/json' }
  return awsMessage(headers, JSON.stringify({ message }))
}

/** Raw bytes of a SageMaker stream. */
export function awsPayloadPart(bytes: Uint8Array): Buffer {
  const headers = {
    ':message-type': 'event',
    ':event-type': 'PayloadPart',
    ':content-type': 'application/octet-stream',
  }
  return awsMessage(headers, bytes)
}
