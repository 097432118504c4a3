import { awsStreamError } from '../../protocols/aws-failure.js'
import { OuterDecoder } from '../../protocols/outer-decoder.js'
import type { StreamDecoder, StreamPart } from '../../protocols/protocol.js'
import { createNdjsonDecoder } from '../../upstream/ndjson-decoder.js'
import { createSseDecoder, type EventDecoder } from '../../upstream/sse-decoder.js'

const openingBrace = 123

/** What a container streams, by its first byte: JSON lines, or server-sent events. */
function decoderFor(bytes: Buffer): EventDecoder {
  const first = bytes.find((byte) => byte > 32)
  return first === openingBrace ? createNdjsonDecoder() : createSseDecoder()
}

/**
 * Reads a container's own stream out of the parts of InvokeEndpointWithResponseStream, which are cut anywhere, also
 * within a character: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_PayloadPart.html
 */
export function overPayloadParts<Chunk>(inner: StreamDecoder<Chunk>, provider: string): StreamDecoder<Chunk> {
  let events: EventDecoder | undefined
  const decode = (read: ReturnType<EventDecoder['push']>): readonly StreamPart<Chunk>[] =>
    read.flatMap((event) => inner.push(event))
  return new OuterDecoder(inner, {
    push(event) {
      const error = awsStreamError(event, provider)
      if (error) throw error
      if (event.event !== 'PayloadPart' || event.data === '') return []
      const bytes = Buffer.from(event.data, 'latin1')
      events ??= decoderFor(bytes)
      return decode(events.push(bytes))
    },
    end: () => [...(events ? decode(events.end()) : []), ...inner.end()],
  })
}
