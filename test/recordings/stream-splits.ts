import type { ZodType } from 'zod'
import type { Deployment } from '../../src/deployment.js'
import { toGatewayError } from '../../src/errors.js'
import type { Codec, Exchange as CodecExchange, StreamPart } from '../../src/protocols/protocol.js'
import { createEventDecoder } from '../../src/upstream/framing.js'
import { isObject, parseJson, type JsonObject } from '../../src/wire/json.js'
import type { Operations, StreamOperation } from '../../src/wire/operations.js'
import { cutAtRandom, cutEverywhere } from './random.js'

// Byte by byte only where that stays cheap.
const smallBytes = 6_000

/** A recorded stream and the request that it answers. */
export interface RecordedStream {
  readonly deployment: Deployment
  readonly request: JsonObject
  readonly bytes: Buffer
  readonly contentType: string
}

/**
 * Decodes one stream whole and cut in many ways, and tells whether the result depends on the cuts; one line a breach.
 * Requests that `schema` refuses have no answer to decode.
 */
export function splitDifferences<K extends StreamOperation>(
  codec: Codec<K> | undefined,
  schema: ZodType<Operations[K]['request']>,
  { deployment, request, bytes, contentType }: RecordedStream,
  random: () => number,
): readonly string[] {
  const { data } = schema.safeParse(request)
  if (!codec || data === undefined) return []
  const exchange = { request: data, deployment, id: 'a'.repeat(24), created: 1 }
  const whole = decode(codec, exchange, [bytes], contentType)
  const cuts = [
    cutAtRandom(bytes, random),
    cutAtRandom(bytes, random),
    ...(bytes.length < smallBytes ? [cutEverywhere(bytes)] : []),
  ]
  return cuts.flatMap((pieces) => {
    const cut = decode(codec, exchange, pieces, contentType)
    return cut === whole
      ? []
      : [`cut into ${pieces.length} pieces it decodes otherwise: ${firstDifference(whole, cut)}`]
  })
}

/** What comes out of a stream as one text: every chunk on a line, then the error that ended it, if one did. */
function decode<K extends StreamOperation>(
  codec: Codec<K>,
  exchange: CodecExchange<K>,
  pieces: readonly Buffer[],
  contentType: string,
): string {
  const events = createEventDecoder(contentType)
  const decoder = codec.decodeStream?.(exchange)
  if (!decoder) return 'cannot stream'
  const lines: string[] = []
  const take = (parts: readonly StreamPart<unknown>[]) => {
    for (const { chunk, forward } of parts) {
      lines.push(canonicalText(forward ? parseJson(forward.data) : chunk))
    }
  }
  try {
    for (const piece of pieces) {
      for (const event of events.push(piece)) take(decoder.push(event))
    }
    for (const event of events.end()) take(decoder.push(event))
    take(decoder.end())
  } catch (thrown) {
    const { kind, message } = toGatewayError(thrown)
    lines.push(`${kind}: ${message}`)
  }
  return lines.join('\n')
}

// Random characters against traffic analysis, of OpenAI and Mistral; they are nobody's content.
const paddings = ['obfuscation', 'p']

/** One text for equal chunks: an event that a cut kept from being forwarded as it came is written again by us. */
function canonicalText(chunk: unknown): string {
  return JSON.stringify(chunk, (_key, value: unknown) => {
    if (!isObject(value)) return value
    const members = Object.entries(value).filter(([key, member]) => member !== null && !paddings.includes(key))
    return Object.fromEntries(members.toSorted(([left], [right]) => (left < right ? -1 : 1)))
  })
}

function firstDifference(whole: string, cut: string): string {
  const [left, right] = [whole.split('\n'), cut.split('\n')]
  const index = left.findIndex((line, position) => line !== right[position])
  const [was, due] = [right[index] ?? '', left[index] ?? '']
  const differs = due.split('').findIndex((letter, position) => letter !== was[position])
  const start = Math.max(0, differs - 60)
  return `${was.slice(start, start + 150)} where ${due.slice(start, start + 150)} was due`
}
