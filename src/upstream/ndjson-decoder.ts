import { GatewayError } from '../errors.js'
import type { UpstreamEvent } from './message.js'
import { type EventDecoder, defaultMaxEventBytes } from './sse-decoder.js'

const lineFeed = 10

/** A decoder of newline-delimited JSON (`application/x-ndjson`): one event a line, blank lines skipped. */
export function createNdjsonDecoder(maxEventBytes = defaultMaxEventBytes): EventDecoder {
  let pending: Buffer[] = []
  let pendingBytes = 0

  const toEvent = (line: Buffer): UpstreamEvent[] => {
    const data = line.toString('utf8').trim()
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
      for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, start)) {
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
