import type { Protocol } from '../protocol.js'
import { createResponsesCodec } from './chat.js'
import { responsesFailure } from './failure.js'
import type { ResponsesOptions } from './options.js'

/** OpenAI's Responses API as the way to chat. */
export function responsesProtocol(options: ResponsesOptions = {}): Protocol {
  return { name: 'openai-responses', codecs: { chat: createResponsesCodec(options) }, failure: responsesFailure }
}
