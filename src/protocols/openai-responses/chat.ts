import { isObject, stringOf } from '../../wire/json.js'
import type { Codec, FollowUp } from '../protocol.js'
import { toCompletion } from './answer.js'
import { createChatStream } from './chat-stream.js'
import { pathOf, type ResponsesOptions } from './options.js'
import { toOutputLimit } from './parameters.js'
import { encodeResponses } from './request-body.js'

const pollMs = 1_000

/** Chat over the Responses API of OpenAI, or of a server that speaks it. */
export function createResponsesCodec(options: ResponsesOptions = {}): Codec<'chat'> {
  return {
    encode: (exchange) => encodeResponses(exchange, options),
    outputLimit: toOutputLimit,
    decode: toCompletion,
    decodeStream: createChatStream,
    next: (body, { deployment }) => nextLook(body, pathOf(options, deployment)),
  }
}

/** A response that was asked for with `background` is looked at until it is done. */
function nextLook(body: unknown, path: string): FollowUp | undefined {
  if (!isObject(body) || (body['status'] !== 'queued' && body['status'] !== 'in_progress')) return undefined
  const id = stringOf(body['id'])
  if (id === undefined) return undefined
  const [bare = path, query] = path.split('?')
  const headers = { accept: 'application/json' }
  const address = `${bare}/${encodeURIComponent(id)}${query === undefined ? '' : `?${query}`}`
  return { request: { method: 'GET', path: address, headers, body: null, droppedParams: [] }, delayMs: pollMs }
}
