import type { Deployment } from '../../deployment.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { ImageResponse } from '../../wire/images.js'
import { isObject, stringOf } from '../../wire/json.js'
import { imageOf, pixelsOf } from '../image-fields.js'
import { invalidAnswer } from '../invalid-answer.js'
import { ignoredIn, settleRequest, settleUnsupported, type Take, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { jsonRequest } from '../text-answer.js'

const table: Readonly<Record<string, Take>> = { size: pixelsOf, seed: 'seed' }

/** Images over the text-to-image task, which answers the picture itself: one a call. */
export function createTextToImage(path: (deployment: Deployment) => string): Codec<'images'> {
  return { encode: (exchange) => encode(exchange, path), decode }
}

function encode(
  { request: asked, deployment }: Exchange<'images'>,
  path: (deployment: Deployment) => string,
): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { members, extra, unsupported } = translateParameters('images', request, policy, table)
  const { parameters, ...others } = extra
  // Everything that the task knows besides the prompt is a parameter (negative_prompt, num_inference_steps …).
  const all = { ...members, ...others, ...(isObject(parameters) && parameters) }
  const body = { inputs: request.prompt, ...(Object.keys(all).length > 0 && { parameters: all }) }
  const sent = jsonRequest(
    path(deployment),
    body,
    settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
  )
  return { ...sent, headers: { ...sent.headers, accept: 'image/png' } }
}

function decode(body: unknown, { created, deployment }: Exchange<'images'>): ImageResponse {
  const answer = isObject(body) ? body : {}
  if (stringOf(answer['base64']) !== undefined && 'mediaType' in answer) {
    return { created, data: [{ b64_json: String(answer['base64']) }] }
  }
  // Some endpoints answer JSON.
  const list: readonly unknown[] = Array.isArray(answer['images']) ? answer['images'] : [answer['image']]
  const data = list.flatMap((entry) => {
    if (isObject(entry)) return toImage(stringOf(entry['url']) ?? stringOf(entry['image']))
    return toImage(stringOf(entry))
  })
  if (data.length > 0) return { created, data }
  throw invalidAnswer(body, deployment.provider, 'no image')
}

function toImage(text: string | undefined): ImageResponse['data'] {
  if (text === undefined) return []
  return [/^(?:https?|data):/.test(text) ? imageOf(text) : { b64_json: text }]
}
