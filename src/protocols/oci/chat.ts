import type { UpstreamRequest } from '../../upstream/message.js'
import { isObject, stringOf } from '../../wire/json.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { jsonRequest } from '../text-answer.js'
import { decodeChat } from './answer.js'
import { createChatStream } from './chat-stream.js'
import { cohereNames, toConversation } from './cohere-request.js'
import { genericNames, toMessages } from './generic-request.js'
import { actionPath, placeOf } from './place.js'

/** Chat: https://docs.oracle.com/en-us/iaas/api/#/en/generative-ai-inference/20231130/ChatResult/Chat */
export const chat: Codec<'chat'> = { encode, decode: decodeChat, decodeStream: createChatStream }

function encode({ request: asked, deployment }: Exchange<'chat'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { model, settings, provider } = deployment
  const isCohere = (stringOf(settings['apiFormat']) ?? (/^cohere\b/.test(model) ? 'COHERE' : 'GENERIC')) === 'COHERE'
  const names = isCohere ? cohereNames : genericNames(model)
  const { members, extra, unsupported } = translateParameters('chat', request, policy, names)
  const stream = request.stream === true
  const chatRequest = {
    apiFormat: isCohere ? 'COHERE' : 'GENERIC',
    ...(isObject(extra['chatRequest']) ? extra['chatRequest'] : extra),
    ...members,
    ...(isCohere ? toConversation(request.messages, provider) : { messages: toMessages(request.messages) }),
    ...(stream && { isStream: true, streamOptions: { isIncludeUsage: true } }),
  }
  const body = { ...placeOf(deployment), chatRequest }
  return jsonRequest(
    actionPath('chat'),
    body,
    settleUnsupported(deployment, policy, unsupported, ignoredIn(request, { detail: true })),
    stream,
  )
}
