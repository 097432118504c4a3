import { InvalidRequestError } from '../../errors.js'
import { toCompletion } from '../../protocols/anthropic/answer.js'
import { createChatStream } from '../../protocols/anthropic/chat-stream.js'
import { encodeMessages } from '../../protocols/anthropic/encode.js'
import { mediaUrlsIn } from '../../protocols/media-urls.js'
import type { Codec } from '../../protocols/protocol.js'
import { isObject } from '../../wire/json.js'
import { writeJson } from '../../wire/write-json.js'
import { publisherPath } from './place.js'

// https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
const anthropicVersion = 'vertex-2023-10-16'
const path = publisherPath('anthropic')

/** Claude on Vertex AI: the Messages API, with the model in the path and the version in the body. */
export const claudeCodec: Codec<'chat'> = {
  encode(exchange) {
    const { body, betas, droppedParams } = encodeMessages(exchange)
    const { model: _inThePath, ...rest } = body
    checkSources(rest['messages'], '')
    const method = exchange.request.stream === true ? 'streamRawPredict' : 'rawPredict'
    return {
      method: 'POST',
      path: path(exchange.deployment, method),
      headers: { 'content-type': 'application/json', ...(betas !== undefined && { 'anthropic-beta': betas }) },
      body: writeJson({
        anthropic_version: anthropicVersion,
        ...(betas !== undefined && { anthropic_beta: betas.split(',') }),
        ...rest,
      }),
      droppedParams,
    }
  },
  decode: toCompletion,
  decodeStream: createChatStream,
  mediaToFetch: ({ request }) => mediaUrlsIn(request.messages),
}

/** Vertex takes pictures and documents as bytes only. @throws InvalidRequestError for addresses and uploaded files */
function checkSources(value: unknown, name: string): void {
  if (Array.isArray(value)) {
    for (const entry of value) checkSources(entry, name)
    return
  }
  if (!isObject(value)) return
  if (name === 'source' && (value['type'] === 'url' || value['type'] === 'file')) {
    throw new InvalidRequestError(
      'Claude on Vertex AI fetches no images or documents: send them as base64 data URLs.',
      'messages',
    )
  }
  // What a tool was called with is data, whatever its members are named.
  for (const inner of ['content', 'source']) checkSources(value[inner], inner)
}
