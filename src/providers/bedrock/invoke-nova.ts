import { invokeRequest, textInChunk } from '../../protocols/invoke-envelope.js'
import { mediaUrlsIn } from '../../protocols/media-urls.js'
import type { Codec } from '../../protocols/protocol.js'
import { isObject, type JsonObject, parseJson } from '../../wire/json.js'
import { createConverseStream, decodeConverse, encodeConverse } from './converse.js'

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Here a cache point is a member of the block that it follows in Converse. */
function folded(blocks: unknown): readonly JsonObject[] {
  const written: JsonObject[] = []
  for (const block of objects(blocks)) {
    const last = written.at(-1)
    if (isObject(block['cachePoint']) && last) written[written.length - 1] = { ...last, ...block }
    else written.push(block)
  }
  return written
}

/**
 * Chat with Nova over InvokeModel, whose body is Converse's with a version:
 * https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html
 */
export const invokeNovaCodec: Codec<'chat'> = {
  mediaToFetch: ({ request }) => mediaUrlsIn(request.messages),
  encode(exchange) {
    const { body, plan, droppedParams } = encodeConverse(exchange)
    const { additionalModelRequestFields: fields, ...own } = body
    const topK = isObject(fields) && isObject(fields['inferenceConfig']) ? fields['inferenceConfig'] : {}
    const { inferenceConfig: _nested, ...others } = isObject(fields) ? fields : {}
    const inference = { ...(isObject(own['inferenceConfig']) && own['inferenceConfig']), ...topK }
    const written = {
      schemaVersion: 'messages-v1',
      ...own,
      messages: objects(own['messages']).map(({ content, ...message }) => ({ ...message, content: folded(content) })),
      ...(own['system'] !== undefined && { system: folded(own['system']) }),
      ...others,
      ...(Object.keys(inference).length > 0 && { inferenceConfig: inference }),
    }
    return invokeRequest(plan.id.id, written, exchange.request.stream === true, droppedParams)
  },
  decode: decodeConverse,
  decodeStream(exchange) {
    const { provider } = exchange.deployment
    // Each chunk holds one of Converse's events, by its name.
    return createConverseStream(exchange, (event) => {
      const chunk = parseJson(textInChunk(event, provider) ?? '')
      return isObject(chunk) ? Object.entries(chunk) : []
    })
  },
}
