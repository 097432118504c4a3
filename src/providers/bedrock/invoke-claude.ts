import { bedrockModel } from '../../catalog/bedrock-models.js'
import { InvalidRequestError } from '../../errors.js'
import { toCompletion } from '../../protocols/anthropic/answer.js'
import { createChatStream } from '../../protocols/anthropic/chat-stream.js'
import { encodeMessages } from '../../protocols/anthropic/encode.js'
import { invokeRequest, textInChunk } from '../../protocols/invoke-envelope.js'
import { mediaUrlsIn } from '../../protocols/media-urls.js'
import { OuterDecoder } from '../../protocols/outer-decoder.js'
import type { Codec, Exchange } from '../../protocols/protocol.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { readBedrockModel } from './model-id.js'

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
const anthropicVersion = 'bedrock-2023-05-31'

/** The exchange as the Messages API's dialect is given it: under the name of the model that is behind the id. */
function innerExchange(exchange: Exchange<'chat'>): Exchange<'chat'> {
  const { deployment } = exchange
  const { base } = readBedrockModel(deployment)
  const { jsonSchema } = bedrockModel(base)
  const capabilities = { ...(jsonSchema === false && { jsonSchema }), ...deployment.capabilities }
  return { ...exchange, deployment: { ...deployment, model: base, capabilities } }
}

function encode(exchange: Exchange<'chat'>): UpstreamRequest {
  const { request, deployment } = exchange
  const [url] = mediaUrlsIn(request.messages)
  if (url !== undefined) {
    throw new InvalidRequestError(
      'messages hold the address of an image or file: Bedrock takes base64 data URLs.',
      'messages',
    )
  }
  const { body, betas, droppedParams } = encodeMessages(innerExchange(exchange))
  const { model: _model, stream: _stream, metadata, ...rest } = body
  const own = {
    ...rest,
    anthropic_version: anthropicVersion,
    ...(betas !== undefined && { anthropic_beta: betas.split(',') }),
  }
  // InvokeModel takes no metadata, so the user that stands there for Anthropic is left out as well.
  const users = metadata === undefined ? [] : ['user', 'safety_identifier', 'metadata'].filter((name) => request[name])
  const dropped = [...new Set([...droppedParams, ...users])]
  return invokeRequest(readBedrockModel(deployment).id, own, request.stream === true, dropped)
}

/** Chat with Claude over InvokeModel, which takes and gives what the Messages API does. */
export const invokeClaudeCodec: Codec<'chat'> = {
  mediaToFetch: ({ request }) => mediaUrlsIn(request.messages),
  encode,
  decode: (body, exchange) => toCompletion(body, innerExchange(exchange)),
  decodeStream(exchange) {
    const { provider } = exchange.deployment
    const decoder = createChatStream(innerExchange(exchange))
    return new OuterDecoder(decoder, {
      push(event) {
        const data = textInChunk(event, provider)
        return data === undefined ? [] : decoder.push({ event: '', data, frame: undefined })
      },
      end: () => decoder.end(),
    })
  },
}
