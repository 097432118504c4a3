import { GatewayError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { ImageResponse } from '../../wire/images.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { errorInside } from '../failure.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import type { VertexPath } from './path.js'

const ratios: Readonly<Record<string, string>> = {
  '256x256': '1:1',
  '512x512': '1:1',
  '1024x1024': '1:1',
  '1536x1024': '16:9',
  '1792x1024': '16:9',
  '1024x1536': '9:16',
  '1024x1792': '9:16',
  '1280x896': '4:3',
  '896x1280': '3:4',
}

/**
 * Images over Imagen's `:predict`. Google shut Imagen down in 2026, so this speaks to a base URL that looks alike;
 * Google's own address answers the notice.
 */
export function createImagen(path: VertexPath): Codec<'images'> {
  return { encode: (exchange) => encode(exchange, path), decode }
}

function encode({ request: asked, deployment }: Exchange<'images'>, path: VertexPath): UpstreamRequest {
  if (deployment.baseUrl === undefined || new URL(deployment.baseUrl).hostname.endsWith('.googleapis.com')) {
    throw new GatewayError(
      'gone',
      'Google shut Imagen down in 2026: use a Gemini image model (gemini-2.5-flash-image).',
    )
  }
  const { request, policy } = settleRequest(asked, deployment)
  const table = { n: 'sampleCount' }
  const { members, extra, unsupported } = translateParameters('images', request, policy, table, ['size'])
  const size = request.size ?? 'auto'
  const ratio = /^\d+:\d+$/.test(size) ? size : ratios[size]
  const parameters = { ...members, ...(ratio !== undefined && { aspectRatio: ratio }), ...extra }
  return {
    method: 'POST',
    path: path(deployment, 'predict'),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances: [{ prompt: request.prompt }], parameters: { sampleCount: 1, ...parameters } }),
    droppedParams: settleUnsupported(
      deployment,
      policy,
      [...unsupported, ...(size !== 'auto' && ratio === undefined ? ['size'] : [])],
      ignoredIn(request),
    ),
  }
}

function decode(body: unknown, { created, deployment }: Exchange<'images'>): ImageResponse {
  const answer = isObject(body) ? body : {}
  if (isObject(answer['error'])) throw errorInside(answer, 500, deployment.provider)
  const items = Array.isArray(answer['predictions']) ? answer['predictions'].filter(isObject) : []
  const data = items.flatMap(toImage)
  if (data.length > 0) return { created, data }
  const reason = items.map((item) => stringOf(item['raiFilteredReason'])).find(Boolean)
  throw new GatewayError(
    reason === undefined ? 'upstream_invalid' : 'content_policy',
    reason ?? 'No image was given.',
    {
      upstream: { provider: deployment.provider, status: 200 },
    },
  )
}

/** An image; the ones that a filter kept back say only why. */
function toImage(item: JsonObject): readonly { b64_json?: string; url?: string; revised_prompt?: string }[] {
  const [base64, address] = [stringOf(item['bytesBase64Encoded']), stringOf(item['gcsUri'])]
  const prompt = stringOf(item['prompt'])
  const revised = prompt === undefined ? {} : { revised_prompt: prompt }
  if (base64 !== undefined) return [{ b64_json: base64, ...revised }]
  return address === undefined ? [] : [{ url: address, ...revised }]
}
