import type { Codec, Exchange } from '../protocols/protocol.js'
import { replaceMediaUrls } from '../protocols/media-urls.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { MediaFetcher } from '../upstream/media-fetcher.js'
import type { ChatMessage } from '../wire/chat.js'
import type { Operation } from '../wire/operations.js'

/**
 * The exchange with the media that its provider cannot fetch put into the request; the same one where there is none.
 * @throws GatewayError invalid_request for media that cannot be had
 */
export async function inlineMedia<K extends Operation>(
  codec: Codec<K>,
  exchange: Exchange<K>,
  media: MediaFetcher,
  signal: CallSignal,
): Promise<Exchange<K>> {
  const urls = codec.mediaToFetch?.(exchange) ?? []
  if (urls.length === 0 || !hasMessages(exchange.request)) return exchange
  const messages = replaceMediaUrls(exchange.request.messages, await media.fetch(urls, signal))
  return { ...exchange, request: { ...exchange.request, messages } }
}

function hasMessages(request: object): request is { readonly messages: readonly ChatMessage[] } {
  return 'messages' in request && Array.isArray(request.messages)
}
