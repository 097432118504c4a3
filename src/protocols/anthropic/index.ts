import type { Protocol } from '../protocol.js'
import { chatCodec } from './chat.js'
import { messagesFailure } from './failure.js'

/** Anthropic's Messages API, also spoken by other vendors' servers. Credentials are the provider's business. */
export const anthropicProtocol: Protocol = {
  name: 'anthropic',
  codecs: { chat: chatCodec },
  failure: messagesFailure,
}
