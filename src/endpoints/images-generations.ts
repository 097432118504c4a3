import type { CallParts } from '../call/context.js'
import { InvalidRequestError } from '../errors.js'
import { type Route, type RouteExample, defineRoute } from '../http/route.js'
import { ImageRequest, ImageResponse } from '../wire/images.js'
import { azureNote, callNotes } from './call-notes.js'
import { answerWhole, recallWhole, toldRefusals } from './model-call.js'

/** `POST /v1/images/generations`. */
export function imagesGenerations(parts: CallParts): Route {
  return defineRoute<ImageRequest>({
    method: 'POST',
    paths: ['/v1/images/generations', '/images/generations', '/openai/deployments/{model+}/images/generations'],
    access: 'caller',
    summary: 'Draws images from a text.',
    description: azureNote,
    ...callNotes,
    examples,
    body: ImageRequest,
    pathIntoBody: ['model'],
    recall: recallWhole(parts),
    response: ImageResponse,
    handle: (context) => {
      if (context.body['stream']) throw new InvalidRequestError('Images are not streamed.', 'stream')
      return answerWhole('images', context, parts)
    },
    refused: toldRefusals('images', parts),
  })
}

const examples: Readonly<Record<string, RouteExample>> = {
  url: {
    summary: 'One image',
    body: { model: 'demo-images', prompt: 'A sluice in the rain', n: 1, size: '1024x1024' },
    answer: { created: 1_764_115_200, data: [{ url: 'https://images.example.com/sluice.png' }] },
  },
}
