import type { Codec } from '../protocol.js'
import { toCompletion } from './answer.js'
import { createChatStream } from './chat-stream.js'
import { encodeMessages } from './encode.js'
import { writeJson } from '../../wire/write-json.js'

const apiVersion = '2023-06-01'

/** OpenAI's chat over the Messages API: `POST /v1/messages`, https://platform.claude.com/docs/en/api/messages. */
export const chatCodec: Codec<'chat'> = {
  encode(exchange) {
    const { body, betas, droppedParams } = encodeMessages(exchange)
    return {
      method: 'POST',
      path: '/v1/messages',
      headers: {
        'content-type': 'application/json',
        'anthropic-version': apiVersion,
        ...(betas !== undefined && { 'anthropic-beta': betas }),
      },
      body: writeJson(body),
      droppedParams,
    }
  },
  decode: toCompletion,
  decodeStream: createChatStream,
}
