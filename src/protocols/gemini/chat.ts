import type { ChatCompletion } from '../../wire/chat.js'
import { toDropPolicy } from '../gateway-fields.js'
import { mediaUrlsIn } from '../media-urls.js'
import { lostInMessages } from '../message-fields.js'
import type { Codec, Exchange } from '../protocol.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { JsonObject } from '../../wire/json.js'
import { readAnswer } from './answer.js'
import { createChatDecoder } from './chat-stream.js'
import { toConversation } from './messages.js'
import { modelOf } from './model.js'
import type { GeminiOptions } from './options.js'
import { isGoogles } from './parts.js'
import { toParameters } from './parameters.js'
import {
  chatFields,
  ignoredFields,
  mergeFields,
  settleUnsupported,
  writeBody,
  toExtraFields,
  withDefaults,
  withoutDropped,
} from './request-body.js'
import { toTools } from './tools.js'

/** Chat over generateContent and streamGenerateContent. */
export function createChatCodec(options: GeminiOptions): Codec<'chat'> {
  return {
    mediaToFetch({ request, deployment }) {
      if (options.urlFiles || modelOf(deployment).fetchesUrls) return []
      return mediaUrlsIn(request.messages).filter((url) => !isGoogles(url))
    },
    encode: (exchange) => encode(exchange, options),
    decode: (body, exchange): ChatCompletion => readAnswer(body, exchange),
    decodeStream: (exchange) => createChatDecoder(exchange),
  }
}

function encode({ request: asked, deployment }: Exchange<'chat'>, options: GeminiOptions): UpstreamRequest {
  const policy = toDropPolicy(asked, deployment.params, deployment.dropParams)
  const request = withoutDropped(withDefaults(asked, deployment), policy)
  const model = modelOf(deployment)
  const { systemInstruction, contents } = toConversation(request.messages, { model, options })
  const parameters = toParameters(request, model, policy.allowed)
  const tools = toTools(request, model)
  const extra = toExtraFields(request, chatFields, options.labels)
  const generationConfig = { ...parameters.generationConfig, ...extra.generationConfig }
  const translated: JsonObject = {
    contents,
    ...(systemInstruction && { systemInstruction }),
    ...(tools.tools.length > 0 && { tools: tools.tools }),
    ...(tools.toolConfig && { toolConfig: tools.toolConfig }),
    ...(Object.keys(generationConfig).length > 0 && { generationConfig }),
  }
  const unsupported = [...parameters.unsupported, ...tools.unsupported, ...extra.unsupported]
  return {
    method: 'POST',
    path: options.path(deployment, request.stream === true ? 'streamGenerateContent?alt=sse' : 'generateContent'),
    headers: { 'content-type': 'application/json' },
    body: writeBody(mergeFields(translated, extra.body)),
    droppedParams: settleUnsupported(deployment, policy, unsupported, [
      ...tools.ignored,
      ...ignoredFields(request),
      ...lostInMessages(request.messages, { detail: true }),
    ]),
  }
}
