import type { JsonObject } from '../../../src/wire/json.js'
import { at, objectsIn, textOf } from '../exchange.js'
import { type FurtherDialect, pathAfter } from './dialect.js'

/** Black Forest Labs: https://docs.bfl.ai */
export const bfl: FurtherDialect = {
  request: ({ request }) => {
    const { response_format: _format, height, width, ...rest } = request?.body ?? {}
    return { prompt: 'hi', ...rest, ...sizeOf(width, height) }
  },
  data: (recorded) => [{ url: at(recorded, 'result', 'sample') }],
  model: (exchange) => pathAfter(exchange, '/v1/') ?? 'flux-dev',
  isPending: (reply) => at(reply, 'polling_url') !== undefined || at(reply, 'status') === 'Pending',
  equivalences: [
    {
      name: 'an unknown format',
      reason: 'the API has no parameter of this name and always answers an address',
      holds: ({ path, recorded, sent }) => path === '.response_format' && recorded === 'base64' && sent === undefined,
    },
  ],
}

/** fal.ai: https://docs.fal.ai */
export const fal: FurtherDialect = {
  request: ({ request }) => {
    const { response_format: _format, model: _model, ...rest } = request?.body ?? {}
    return rest
  },
  data: (recorded) => objectsIn(at(recorded, 'images')).map(({ url }) => toImage(textOf(url))),
  model: (exchange) =>
    exchange.entry.provider === 'huggingface' ? pathAfter(exchange, '/fal-ai/') : pathAfter(exchange, '/'),
  equivalences: [
    {
      name: 'what the API does not know',
      reason: 'the recorded client sent fields of other providers, which fal.ai ignores; the model is in the path',
      holds: ({ path, sent }) => /^\.(?:response_format|model)$/.test(path) && sent === undefined,
    },
  ],
}

/** Hyperbolic's own form of a request for images. */
export const hyperbolic: FurtherDialect = {
  request: ({ request }) => {
    const { response_format: _format, model: _model, model_name: _name, height, width, ...rest } = request?.body ?? {}
    return { ...rest, ...sizeOf(width, height) }
  },
  data: (recorded) => objectsIn(at(recorded, 'images')).map(({ image }) => ({ b64_json: image })),
  model: ({ request }) => textOf(request?.body['model_name']) || 'SD2',
  equivalences: [
    {
      name: 'what the API does not know',
      reason: 'the recorded client sent fields of other providers, which Hyperbolic ignores',
      holds: ({ path, sent }) => /^\.(?:response_format|model)$/.test(path) && sent === undefined,
    },
  ],
}

function sizeOf(width: unknown, height: unknown): JsonObject {
  return typeof width === 'number' && typeof height === 'number' ? { size: `${width}x${height}` } : {}
}

function toImage(url: string): JsonObject {
  return url.startsWith('data:') ? { b64_json: url.slice(url.indexOf(',') + 1) } : { url }
}
