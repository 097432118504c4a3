import { isAscii } from 'node:buffer'

// Below this, in bytes, JSON.parse is quick enough.
const shortestBody = 128 * 1024
// Beyond this, in bytes, what is left to parse takes longer this way than it would as a whole.
const longestRest = 128 * 1024
const shortestData = 4 * 1024
const marker = ';base64,'
const quote = 0x22
const backslash = 0x5c
const colon = 0x3a
const space = 0x20

interface Span {
  /** Behind the opening quote. */
  readonly start: number
  /** At the closing quote. */
  readonly end: number
}

/**
 * Parses a body that is all but filled by data URLs: those become slices of one text, never copied, and only the rest
 * is parsed. Undefined for any other body, which the caller parses as a whole. What stands inside of a data URL is not
 * looked at, so a control character there, which JSON forbids, is let through.
 * @throws SyntaxError, RangeError as JSON.parse does
 */
export function parseAroundData(body: Uint8Array, decode: (bytes: Uint8Array) => string): unknown {
  if (body.byteLength < shortestBody) return undefined
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const spans = findData(bytes)
  const taken = spans.reduce((sum, { start, end }) => sum + end - start, 0)
  if (spans.length === 0 || bytes.length - taken > longestRest) return undefined
  const rest = cut(bytes, spans)
  if (rest === undefined) return undefined
  const text = bytes.toString('latin1')
  return JSON.parse(decode(rest), (_name, value: unknown) => {
    if (typeof value !== 'string' || value.charCodeAt(0) !== 0) return value
    const span = spans[Number(value.slice(1))]
    return span ? text.slice(span.start, span.end) : value
  })
}

function findData(bytes: Buffer): readonly Span[] {
  const spans: Span[] = []
  for (let at = bytes.indexOf(marker); at !== -1;) {
    const start = bytes.lastIndexOf(quote, at) + 1
    const end = bytes.indexOf(quote, at)
    if (end === -1) break
    if (isCuttable(bytes, start, end)) spans.push({ start, end })
    at = bytes.indexOf(marker, end)
  }
  return spans
}

/** A value, not a member's name, that starts at a quote that is no escaped one, and means the very bytes it has. */
function isCuttable(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < shortestData || start === 0 || bytes[start - 2] === backslash) return false
  const data = bytes.subarray(start, end)
  if (!isAscii(data) || data.includes(backslash)) return false
  let next = end + 1
  while ((bytes[next] ?? colon) <= space) next += 1
  return bytes[next] !== colon
}

/** The bytes with a placeholder, NUL and the span's number, for each span; undefined where they hold a NUL themselves. */
function cut(bytes: Buffer, spans: readonly Span[]): Buffer | undefined {
  const pieces: Buffer[] = []
  let from = 0
  for (const [number, { start, end }] of spans.entries()) {
    pieces.push(bytes.subarray(from, start), Buffer.from(`\\u0000${number}`))
    from = end
  }
  pieces.push(bytes.subarray(from))
  const holdsNul = pieces.some((piece, at) => at % 2 === 0 && piece.includes('\\u0000'))
  return holdsNul ? undefined : Buffer.concat(pieces)
}
