import { GatewayError } from '../errors.js'
import type { UpstreamEvent } from './message.js'

const lineFeed = 10
const carriageReturn = 13
const colon = 58
const space = 32
const byteOrderMark = '\uFEFF'

/** Turns a stream's bytes into events; pieces may be cut anywhere, also inside a character. */
export interface EventDecoder {
  /** @throws GatewayError upstream_invalid where one event exceeds the limit */
  push(bytes: Buffer): readonly UpstreamEvent[]
  /** The bytes ended; an event without its final blank line still counts. */
  end(): readonly UpstreamEvent[]
}

/** Longest event, in bytes, that is held in memory unless told otherwise: images arrive in single events. */
export const defaultMaxEventBytes = 32 * 1024 * 1024

/**
 * A decoder of `text/event-stream` (https://html.spec.whatwg.org/multipage/server-sent-events.html): LF, CRLF and CR,
 * comments, several data lines, a byte order mark. Characters are decoded per line, so none is ever cut.
 */
export function createSseDecoder(maxEventBytes = defaultMaxEventBytes): EventDecoder {
  return new SseDecoder(maxEventBytes)
}

class SseDecoder implements EventDecoder {
  readonly #maxEventBytes: number
  #pending: Buffer[] = []
  #pendingBytes = 0
  #skipLineFeed = false
  #event = ''
  #data: string[] = []
  #dataLength = 0
  #atStart = true

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes
  }

  push(bytes: Buffer): readonly UpstreamEvent[] {
    const buffer = this.#join(bytes)
    if (buffer === undefined) return []
    const events: UpstreamEvent[] = []
    let position = 0
    if (this.#skipLineFeed && buffer.length > 0) {
      if (buffer[0] === lineFeed) position = 1
      this.#skipLineFeed = false
    }
    let nextReturn = buffer.indexOf(carriageReturn, position)
    while (position < buffer.length) {
      const nextFeed = buffer.indexOf(lineFeed, position)
      if (nextReturn !== -1 && nextReturn < position) nextReturn = buffer.indexOf(carriageReturn, position)
      if (nextFeed === -1 && nextReturn === -1) break
      const endsWithReturn = nextReturn !== -1 && (nextFeed === -1 || nextReturn < nextFeed)
      const lineEnd = endsWithReturn ? nextReturn : nextFeed
      if (!endsWithReturn && this.#isWholeEvent(buffer, position, lineEnd)) {
        events.push({
          event: '',
          data: buffer.toString('utf8', position + 6, lineEnd),
          // One event per piece is the rule, and a view costs as much as the rest of this.
          frame: position === 0 && lineEnd + 2 === buffer.length ? buffer : buffer.subarray(position, lineEnd + 2),
        })
        position = lineEnd + 2
        continue
      }
      this.#line(buffer.toString('utf8', position, lineEnd), events)
      position = lineEnd + 1
      if (!endsWithReturn) continue
      if (position === buffer.length) this.#skipLineFeed = true
      else if (buffer[position] === lineFeed) position += 1
    }
    this.#keep(buffer, position)
    return events
  }

  end(): readonly UpstreamEvent[] {
    const events: UpstreamEvent[] = []
    if (this.#pendingBytes > 0) this.#line(Buffer.concat(this.#pending).toString('utf8'), events)
    this.#pending = []
    this.#pendingBytes = 0
    this.#dispatch(events)
    return events
  }

  /** What was kept plus the new bytes, or undefined while no line ends in them: so a long line is joined only once. */
  #join(bytes: Buffer): Buffer | undefined {
    if (this.#pendingBytes === 0) return bytes
    if (bytes.indexOf(lineFeed) === -1 && bytes.indexOf(carriageReturn) === -1) {
      this.#keep(bytes, 0)
      return undefined
    }
    const joined = Buffer.concat([...this.#pending, bytes])
    this.#pending = []
    this.#pendingBytes = 0
    return joined
  }

  #keep(buffer: Buffer, from: number): void {
    if (from >= buffer.length) return
    this.#pending.push(from === 0 ? buffer : buffer.subarray(from))
    this.#pendingBytes += buffer.length - from
    this.#checkSize(this.#pendingBytes + this.#dataLength)
  }

  /** `data: <one line>\n\n` with nothing before it: the form that nearly every event has, and that we write ourselves. */
  #isWholeEvent(buffer: Buffer, start: number, lineEnd: number): boolean {
    return (
      buffer[lineEnd + 1] === lineFeed &&
      this.#data.length === 0 &&
      this.#event === '' &&
      lineEnd - start > 6 &&
      buffer[start] === 100 &&
      buffer[start + 1] === 97 &&
      buffer[start + 2] === 116 &&
      buffer[start + 3] === 97 &&
      buffer[start + 4] === colon &&
      buffer[start + 5] === space
    )
  }

  #line(text: string, events: UpstreamEvent[]): void {
    const line = this.#atStart && text.startsWith(byteOrderMark) ? text.slice(1) : text
    this.#atStart = false
    if (line === '') return this.#dispatch(events)
    const separator = line.indexOf(':')
    if (separator === 0) return
    const field = separator === -1 ? line : line.slice(0, separator)
    const from = separator === -1 ? line.length : line[separator + 1] === ' ' ? separator + 2 : separator + 1
    if (field === 'event') this.#event = line.slice(from)
    if (field !== 'data') return
    this.#data.push(line.slice(from))
    this.#dataLength += line.length
    this.#checkSize(this.#dataLength)
  }

  #dispatch(events: UpstreamEvent[]): void {
    if (this.#data.length > 0) events.push({ event: this.#event, data: this.#data.join('\n'), frame: undefined })
    this.#event = ''
    this.#data = []
    this.#dataLength = 0
  }

  #checkSize(bytes: number): void {
    if (bytes <= this.#maxEventBytes) return
    throw new GatewayError('upstream_invalid', `The provider sent an event of more than ${this.#maxEventBytes} bytes.`)
  }
}
