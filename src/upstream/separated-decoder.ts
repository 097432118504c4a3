import { GatewayError } from '../errors.js'
import type { UpstreamEvent } from './message.js'
import { type EventDecoder, defaultMaxEventBytes } from './sse-decoder.js'

/**
 * A decoder of texts with one byte behind each, and perhaps none behind the last: one event a text, empty ones skipped.
 * @param read makes an event's data of a text
 */
export function createSeparatedDecoder(
  separator: number,
  read: (text: string) => string,
  maxEventBytes = defaultMaxEventBytes,
): EventDecoder {
  let pending: Buffer[] = []
  let pendingBytes = 0

  const toEvent = (piece: Buffer): UpstreamEvent[] => {
    const data = read(piece.toString('utf8'))
    return data === '' ? [] : [{ event: '', data, frame: undefined }]
  }
  const keep = (rest: Buffer): void => {
    if (rest.length === 0) return
    pending.push(rest)
    pendingBytes += rest.length
    if (pendingBytes <= maxEventBytes) return
    throw new GatewayError('upstream_invalid', `The provider sent an event of more than ${maxEventBytes} bytes.`)
  }
  const take = (): Buffer => {
    const whole = Buffer.concat(pending)
    pending = []
    pendingBytes = 0
    return whole
  }

  return {
    push(bytes) {
      const events: UpstreamEvent[] = []
      let start = 0
      for (let end = bytes.indexOf(separator); end !== -1; end = bytes.indexOf(separator, start)) {
        keep(bytes.subarray(start, end))
        events.push(...toEvent(take()))
        start = end + 1
      }
      keep(bytes.subarray(start))
      return events
    },
    end: () => toEvent(take()),
  }
}
