import { UnsupportedParameterError } from '../../errors.js'
import { toCompletion } from '../../protocols/anthropic/answer.js'
import { createChatStream } from '../../protocols/anthropic/chat-stream.js'
import { encodeMessages } from '../../protocols/anthropic/encode.js'
import { awsStreamError } from '../../protocols/aws-failure.js'
import {
  ConverseEvents,
  toConverseBody,
  toMessagesAnswer,
  toSchemaName,
  withNativeParts,
} from '../../protocols/bedrock-converse/index.js'
import { bedrockPath } from '../../protocols/bedrock-path.js'
import { toDropPolicy } from '../../protocols/gateway-fields.js'
import { mediaUrlsIn } from '../../protocols/media-urls.js'
import { MalformedEvents } from '../../protocols/malformed-events.js'
import { OuterDecoder } from '../../protocols/outer-decoder.js'
import type { Codec, Exchange, StreamDecoder } from '../../protocols/protocol.js'
import type { UpstreamEvent, UpstreamRequest } from '../../upstream/message.js'
import type { ChatChunk } from '../../wire/chat.js'
import { isObject, type JsonObject, parseJson, stringOf } from '../../wire/json.js'
import { writeJson } from '../../wire/write-json.js'
import { type ConversePlan, planConverse, takesChoiceFields } from './converse-plan.js'

/** A body of Converse, before it is sent to one of the two paths that take it. */
export interface ConverseRequest {
  readonly body: JsonObject
  readonly plan: ConversePlan
  readonly droppedParams: readonly string[]
}

/**
 * Translates a chat request into Converse's body.
 * @throws UnsupportedParameterError, InvalidRequestError
 */
export function encodeConverse(exchange: Exchange<'chat'>): ConverseRequest {
  const { deployment } = exchange
  const plan = planConverse(exchange)
  const { inner, request } = plan
  const messages = encodeMessages({
    ...inner,
    request: { ...inner.request, messages: withNativeParts(exchange.request.messages) },
  })
  const schema = request.response_format?.json_schema
  const isSingle = request.parallel_tool_calls === false
  const { body, unsupported } = toConverseBody(messages.body, {
    model: plan.model,
    limited: (request.max_completion_tokens ?? request.max_tokens ?? undefined) !== undefined,
    choiceFields: takesChoiceFields(plan) && (isSingle || request.tool_choice === 'none'),
    schemaName: toSchemaName(schema?.name),
    schemaDescription: stringOf(schema?.description),
    betas: messages.betas?.split(',') ?? [],
    native: plan.native,
    additional: plan.additional,
  })
  const { drop, allowed } = toDropPolicy(exchange.request, deployment.params, deployment.dropParams)
  // What only the synthetic tool of a JSON answer needs is nothing that the caller asked for.
  const asked: JsonObject = { parallel_tool_calls: isSingle, tool_choice: Boolean(request.tool_choice) }
  const isAsked = (name: string): boolean => asked[name] !== false
  const refused = [...plan.unsupported, ...unsupported].filter((name) => !allowed.includes(name) && isAsked(name))
  if (refused.length > 0 && !drop) throw new UnsupportedParameterError(deployment.provider, deployment.model, refused)
  return { body, plan, droppedParams: [...new Set([...messages.droppedParams, ...refused, ...plan.dropped])] }
}

function encode(exchange: Exchange<'chat'>): UpstreamRequest {
  const { body, plan, droppedParams } = encodeConverse(exchange)
  return {
    method: 'POST',
    path: bedrockPath(plan.id.id, exchange.request.stream === true ? 'converse-stream' : 'converse'),
    headers: { 'content-type': 'application/json' },
    body: writeJson(body),
    droppedParams,
  }
}

/** What a decoder takes out of an event: the events of Converse in it, by name. */
export type ReadEvent = (event: UpstreamEvent, payload: JsonObject) => readonly (readonly [string, unknown])[]

const asItCame: ReadEvent = ({ event }, payload) => [[event, payload]]

/** Decodes the events of Converse; `read` finds them where they come in an envelope. */
export function createConverseStream(exchange: Exchange<'chat'>, read: ReadEvent = asItCame): StreamDecoder<ChatChunk> {
  const { inner, id } = planConverse(exchange)
  const { provider } = exchange.deployment
  const decoder = createChatStream(inner)
  const events = new ConverseEvents(id.id)
  const malformed = new MalformedEvents(provider)
  return new OuterDecoder(decoder, {
    push(event) {
      const error = awsStreamError(event, provider)
      if (error) throw error
      const payload = parseJson(event.data)
      if (!isObject(payload)) {
        malformed.skip(events.hasToolCall)
        return []
      }
      return read(event, payload)
        .flatMap(([name, value]) => (isObject(value) ? events.push(name, value) : []))
        .flatMap((message) => decoder.push({ event: '', data: JSON.stringify(message), frame: undefined }))
    },
    end: () => decoder.end(),
  })
}

/** Reads a whole answer of Converse. @throws GatewayError for a body that is none */
export function decodeConverse(body: unknown, exchange: Exchange<'chat'>) {
  const { inner, id } = planConverse(exchange)
  return toCompletion(toMessagesAnswer(body, id.id) ?? body, inner)
}

/** Chat over Converse and ConverseStream. */
export const converseCodec: Codec<'chat'> = {
  mediaToFetch: ({ request }) => mediaUrlsIn(request.messages),
  encode,
  decode: decodeConverse,
  decodeStream: (exchange) => createConverseStream(exchange),
}
