import { createSeparatedDecoder } from './separated-decoder.js'
import { type EventDecoder, defaultMaxEventBytes } from './sse-decoder.js'

const lineFeed = 10

/** A decoder of newline-delimited JSON (`application/x-ndjson`): one event a line, blank lines skipped. */
export function createNdjsonDecoder(maxEventBytes = defaultMaxEventBytes): EventDecoder {
  return createSeparatedDecoder(lineFeed, (line) => line.trim(), maxEventBytes)
}
