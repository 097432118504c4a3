import { parseJson } from '../../src/wire/json.js'

/** One event of a whole SSE text. */
export interface SseEvent {
  readonly event: string
  readonly data: string
}

/**
 * Reads a whole SSE text as https://html.spec.whatwg.org/multipage/server-sent-events.html says, in the plainest way;
 * on purpose not the decoder under test.
 */
export function readSse(text: string): readonly SseEvent[] {
  const events: SseEvent[] = []
  for (const block of text.split(/(?:\r\n|\n|\r)(?:\r\n|\n|\r)+/)) {
    const data: string[] = []
    let event = ''
    for (const line of block.split(/\r\n|\n|\r/)) {
      const colon = line.indexOf(':')
      const field = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (field === 'data') data.push(value)
      if (field === 'event') event = value
    }
    if (data.length > 0) events.push({ event, data: data.join('\n') })
  }
  return events
}

/** The JSON payloads of a stream, in order, whether it is SSE or one JSON list; `[DONE]` is left out. */
export function payloadsOf(text: string, format: string): readonly unknown[] {
  if (format === 'json' || format === 'eventstream') {
    const body = parseJson(text)
    return Array.isArray(body) ? body : [body]
  }
  if (format === 'ndjson') return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [parseJson(line)]))
  return readSse(text)
    .filter(({ data }) => data.trim() !== '' && data.trim() !== '[DONE]')
    .map(({ data }) => parseJson(data))
}
