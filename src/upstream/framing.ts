import { createAwsEventStreamDecoder } from './aws-event-stream.js'
import { createNdjsonDecoder } from './ndjson-decoder.js'
import { type EventDecoder, createSseDecoder } from './sse-decoder.js'

const decoders: Readonly<Record<string, () => EventDecoder>> = {
  'application/vnd.amazon.eventstream': () => createAwsEventStreamDecoder(),
  'application/x-ndjson': () => createNdjsonDecoder(),
  'application/jsonl': () => createNdjsonDecoder(),
}

/** The decoder for a stream of a content type; everything that is not known otherwise is read as server-sent events. */
export function createEventDecoder(contentType: string | undefined): EventDecoder {
  const create = decoders[mediaTypeOf(contentType)]
  return create ? create() : createSseDecoder()
}

/** A content type in lower case, without parameters; empty where there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}
