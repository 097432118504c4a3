import { crc32 } from 'node:zlib'
import { GatewayError } from '../errors.js'
import type { UpstreamEvent } from './message.js'
import { type EventDecoder, defaultMaxEventBytes } from './sse-decoder.js'

const preludeBytes = 12
const checksumBytes = 4
// AWS sends at most 128 KiB of headers: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
const maxHeaderBytes = 128 * 1024

/** Length of a header's value by its type; strings and byte arrays (7, 6) tell their own. */
const fixedLengths: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 }

/**
 * A decoder of `application/vnd.amazon.eventstream`, both checksums of every message checked. An event's name is its
 * `:event-type`; a message that is an exception is called `exception:<type>`, an error `error:<code>` with `{ message }`
 * as data. Data is text, but raw bytes (`application/octet-stream`) come one character a byte (Latin-1), since they may
 * be cut within a character.
 */
export function createAwsEventStreamDecoder(maxEventBytes = defaultMaxEventBytes): EventDecoder {
  let pending: Buffer[] = []
  let pendingBytes = 0
  let wanted = preludeBytes
  const readHeaders = createHeaderReader()

  const join = (): Buffer => {
    const [only] = pending
    return pending.length === 1 && only ? only : Buffer.concat(pending, pendingBytes)
  }
  const keep = (rest: Buffer): void => {
    pending = rest.length === 0 ? [] : [rest]
    pendingBytes = rest.length
  }

  return {
    push(bytes) {
      pending.push(bytes)
      pendingBytes += bytes.length
      // A long message is joined once, when it is whole.
      if (pendingBytes < wanted) return []
      let buffer = join()
      const events: UpstreamEvent[] = []
      for (;;) {
        wanted = preludeBytes
        if (buffer.length < preludeBytes) break
        wanted = readLength(buffer, maxEventBytes)
        if (buffer.length < wanted) break
        events.push(readMessage(buffer.subarray(0, wanted), readHeaders))
        buffer = buffer.subarray(wanted)
      }
      keep(buffer)
      return events
    },
    end() {
      if (pendingBytes === 0) return []
      throw new GatewayError('stream_truncated', 'The provider ended the stream within a message.')
    },
  }
}

/** The length of the message that begins here; its prelude is whole. */
function readLength(buffer: Buffer, maxEventBytes: number): number {
  const length = buffer.readUInt32BE(0)
  const headers = buffer.readUInt32BE(4)
  if (crc32(buffer.subarray(0, 8)) !== buffer.readUInt32BE(8)) throw broken('the checksum of a prelude is wrong')
  if (length > maxEventBytes) {
    throw new GatewayError('upstream_invalid', `The provider sent an event of more than ${maxEventBytes} bytes.`)
  }
  if (headers > maxHeaderBytes || length < preludeBytes + headers + checksumBytes) {
    throw broken('the lengths of a message contradict each other')
  }
  return length
}

function readMessage(message: Buffer, readHeaders: HeaderReader): UpstreamEvent {
  const end = message.length - checksumBytes
  if (crc32(message.subarray(0, end)) !== message.readUInt32BE(end)) {
    throw broken('the checksum of a message is wrong')
  }
  const headersEnd = preludeBytes + message.readUInt32BE(4)
  const headers = readHeaders(message.subarray(preludeBytes, headersEnd))
  const payload = message.subarray(headersEnd, end)
  switch (headers.get(':message-type')) {
    case 'exception':
      return toEvent(`exception:${headers.get(':exception-type') ?? ''}`, payload.toString('utf8'))
    case 'error': {
      const data = JSON.stringify({ message: headers.get(':error-message') ?? '' })
      return toEvent(`error:${headers.get(':error-code') ?? ''}`, data)
    }
    default: {
      const isRaw = headers.get(':content-type') === 'application/octet-stream'
      return toEvent(headers.get(':event-type') ?? '', payload.toString(isRaw ? 'latin1' : 'utf8'))
    }
  }
}

function toEvent(event: string, data: string): UpstreamEvent {
  return { event, data, frame: undefined }
}

type HeaderReader = (bytes: Buffer) => ReadonlyMap<string, string>

/** Nearly all messages of a stream have the headers of the one before. */
function createHeaderReader(): HeaderReader {
  let lastBytes = Buffer.alloc(0)
  let last: ReadonlyMap<string, string> = new Map()
  return (bytes) => {
    if (bytes.equals(lastBytes)) return last
    last = parseHeaders(bytes)
    lastBytes = Buffer.from(bytes)
    return last
  }
}

/** The headers that hold text; those of other types say nothing to us. */
function parseHeaders(bytes: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  let position = 0
  const take = (length: number): Buffer => {
    const part = bytes.subarray(position, position + length)
    if (part.length < length) throw broken('a header is cut off')
    position += length
    return part
  }
  while (position < bytes.length) {
    const name = take(take(1).readUInt8(0)).toString('utf8')
    const type = take(1).readUInt8(0)
    const length = fixedLengths[type] ?? (type === 6 || type === 7 ? take(2).readUInt16BE(0) : undefined)
    if (length === undefined) throw broken('a header has a type that does not exist')
    const value = take(length)
    if (type === 7) headers.set(name, value.toString('utf8'))
  }
  return headers
}

function broken(what: string): GatewayError {
  return new GatewayError('upstream_invalid', `The provider sent a broken event stream: ${what}.`)
}
