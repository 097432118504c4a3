import { createAwsEventStreamDecoder } from './aws-event-stream.js'
import { createNdjsonDecoder } from './ndjson-decoder.js'
import { createSeparatedDecoder } from './separated-decoder.js'
import { type EventDecoder, createSseDecoder } from './sse-decoder.js'

const decoders: Readonly<Record<string, () => EventDecoder>> = {
  'application/vnd.amazon.eventstream': () => createAwsEventStreamDecoder(),
  'application/x-ndjson': () => createNdjsonDecoder(),
  'application/jsonl': () => createNdjsonDecoder(),
}

/** How events are cut that no content type tells of: `nul`, a text with a zero byte behind it. */
export type Framing = 'nul'

/**
 * The decoder for a stream of a content type, whatever that says where the framing is known; everything that is not
 * known otherwise is read as server-sent events.
 */
export function createEventDecoder(contentType: string | undefined, framing?: Framing): EventDecoder {
  if (framing === 'nul') return createSeparatedDecoder(0, (text) => text)
  const create = decoders[mediaTypeOf(contentType)]
  return create ? create() : createSseDecoder()
}

/** A content type in lower case, without parameters; empty where there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}
