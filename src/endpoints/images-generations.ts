import type { CallParts } from '../call/context.js'
import { InvalidRequestError } from '../errors.js'
import { type Route, defineRoute } from '../http/route.js'
import { ImageRequest, ImageResponse } from '../wire/images.js'
import { answerWhole, toldRefusals } from './model-call.js'

/** `POST /v1/images/generations`. */
export function imagesGenerations(parts: CallParts): Route {
  return defineRoute<ImageRequest>({
    method: 'POST',
    paths: ['/v1/images/generations', '/images/generations', '/openai/deployments/{model+}/images/generations'],
    access: 'caller',
    summary: 'Draws images from a text.',
    body: ImageRequest,
    pathIntoBody: ['model'],
    response: ImageResponse,
    handle: (context) => {
      if (context.body['stream']) throw new InvalidRequestError('Images are not streamed.', 'stream')
      return answerWhole('images', context, parts)
    },
    refused: toldRefusals('images', parts),
  })
}
