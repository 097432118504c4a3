import type { UpstreamRequest } from '../../upstream/message.js'
import type { ImageResponse } from '../../wire/images.js'
import { isObject, stringOf } from '../../wire/json.js'
import { imageOf } from '../image-fields.js'
import { invalidAnswer } from '../invalid-answer.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { jsonRequest } from '../text-answer.js'
import { modelPath } from './model.js'

/** Images over `/image-generation`: https://docs.nlpcloud.com/#image-generation */
export const images: Codec<'images'> = { encode, decode }

function encode({ request: asked, deployment }: Exchange<'images'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const names = { response_format: () => ({}) }
  const { extra, unsupported } = translateParameters('images', request, policy, names)
  const body = { ...extra, text: request.prompt }
  const path = modelPath(deployment, 'image-generation')
  return jsonRequest(path, body, settleUnsupported(deployment, policy, unsupported, ignoredIn(request)))
}

function decode(body: unknown, { created, deployment }: Exchange<'images'>): ImageResponse {
  const url = isObject(body) ? stringOf(body['url']) : undefined
  if (url === undefined) throw invalidAnswer(body, deployment.provider, 'an answer without an image')
  return { created, data: [imageOf(url)] }
}
