import type { UpstreamRequest } from '../../upstream/message.js'
import { ChatRequest } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { baseModelOf } from '../base-model.js'
import { lostInMessages } from '../message-fields.js'
import type { Exchange } from '../protocol.js'
import { checkRefused, createDraft, type Draft, passedThrough, refuseUnknown } from './draft.js'
import { toConversation } from './input.js'
import { pathOf, type ResponsesOptions, withoutResponsesPrefix } from './options.js'
import { applyModelRules, parameterMembers, storageMembers, textMember } from './parameters.js'
import { reasoningMember } from './reasoning.js'
import { toolMembers } from './tools.js'

const headers = { 'content-type': 'application/json' }

/**
 * Translates a chat request to `POST /responses`, https://platform.openai.com/docs/api-reference/responses/create.
 * @throws UnsupportedParameterError listing every parameter that cannot be honoured, unless `dropParams` is on;
 * InvalidRequestError for content that the API cannot carry
 */
export function encodeResponses(exchange: Exchange<'chat'>, options: ResponsesOptions): UpstreamRequest {
  const { request, deployment } = exchange
  const draft = createDraft(request, deployment)
  const named = withoutResponsesPrefix(deployment.model)
  const family = baseModelOf(deployment, named)
  refuseUnknown(draft, options.unsupported ?? [])
  if (options.modelRules) applyModelRules(draft, family, deployment)
  const stream = request.stream === true
  const body = {
    ...passedThrough(draft),
    model: options.modelName?.(named) ?? named,
    ...conversationMembers(draft, request.messages),
    ...toolMembers(draft.fields),
    ...textMember(draft.fields, options.chatResponseFormat === true),
    ...reasoningMember(draft.fields),
    ...parameterMembers(draft),
    ...storageMembers(draft, family, deployment, options),
    ...(stream && streamMembers(draft)),
  }
  checkRefused(draft, deployment)
  return {
    method: 'POST',
    path: pathOf(options, deployment),
    headers: { ...headers, accept: stream ? 'text/event-stream' : 'application/json' },
    body: JSON.stringify(options.adjust?.(body, draft.fields) ?? body),
    droppedParams: [...draft.dropped, ...lostInMessages(request.messages, { detail: true })],
  }
}

function conversationMembers({ fields }: Draft, messages: ChatRequest['messages']): JsonObject {
  const { instructions, items } = toConversation(messages)
  const all = [stringOf(fields['instructions']), instructions].filter((text) => text !== undefined)
  return { ...(all.length > 0 && { instructions: all.join('\n\n') }), input: items }
}

/** Usage comes always; of chat's options only the padding against traffic analysis has a counterpart. */
function streamMembers({ fields }: Draft): JsonObject {
  const asked = isObject(fields['stream_options']) ? fields['stream_options']['include_obfuscation'] : undefined
  return { stream: true, ...(typeof asked === 'boolean' && { stream_options: { include_obfuscation: asked } }) }
}
