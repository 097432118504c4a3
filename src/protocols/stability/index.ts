import { createHash } from 'node:crypto'
import { GatewayError, InvalidRequestError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { ImageRequest, ImageResponse } from '../../wire/images.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { readFailure } from '../failure.js'
import { ratioOf } from '../image-fields.js'
import { invalidAnswer } from '../invalid-answer.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange, FollowUp, Protocol } from '../protocol.js'

// OpenAI's own limit; every image is a call of its own.
const mostImages = 10

const names = {
  n: (n: unknown) => {
    if (typeof n === 'number' && n <= mostImages) return {}
    throw new InvalidRequestError(`n must be at most ${mostImages}.`, 'n')
  },
  output_format: 'output_format',
  response_format: () => ({}),
  size: (size: unknown) => ratioOf(size),
  style: 'style_preset',
}

/** Images over Stable Image, one after the other: https://platform.stability.ai/docs/api-reference */
const images: Codec<'images'> = { encode, next, decode, split }

/** Another image with another seed, until there are as many as were asked for. */
function next(body: unknown, exchange: Exchange<'images'>, answers = 1): FollowUp | undefined {
  toImage(body, exchange.deployment.provider)
  const { request } = settleRequest(exchange.request, exchange.deployment)
  if (answers >= (request.n ?? 1)) return undefined
  const seed = numberOf(request['seed'])
  const asked = seed === undefined ? exchange.request : { ...exchange.request, seed: seed + answers }
  return { request: encode({ ...exchange, request: asked }), delayMs: 0, keep: body }
}

/** Each image is a request of its own. */
function split({ request: asked, deployment }: Exchange<'images'>): readonly ImageRequest[] | undefined {
  const { request } = settleRequest(asked, deployment)
  const count = request.n ?? 1
  return count > 1 ? Array.from({ length: count }, () => ({ ...request, n: 1 })) : undefined
}

function encode({ request: asked, deployment, id }: Exchange<'images'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { members, extra, unsupported } = translateParameters('images', request, policy, names)
  const { path, model } = endpointOf(deployment.model)
  const fields = { ...extra, ...members, ...(model !== undefined && { model }), prompt: request.prompt }
  const form = writeForm(fields, id)
  return {
    method: 'POST',
    path,
    headers: { 'content-type': `multipart/form-data; boundary=${form.boundary}`, accept: 'application/json' },
    body: form.body,
    droppedParams: settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
  }
}

/** `core` and `ultra` are endpoints of their own; every other name is a model of the endpoint `sd3`. */
function endpointOf(model: string): { readonly path: string; readonly model: string | undefined } {
  const root = '/v2beta/stable-image/generate'
  const short = model.replace(/^stable-image-/, '')
  if (short === 'core' || short === 'ultra') return { path: `${root}/${short}`, model: undefined }
  return { path: `${root}/sd3`, model: short === 'sd3' ? undefined : model }
}

/** The fields as `multipart/form-data` (RFC 7578), under a boundary that no field holds. */
function writeForm(fields: JsonObject, id: string): { readonly boundary: string; readonly body: string } {
  const entries = Object.entries(fields).map(([name, value]) => [name, formText(value)] as const)
  const whole = JSON.stringify(entries)
  let boundary = `sluice-${id}`
  while (whole.includes(boundary)) boundary = `sluice-${createHash('sha256').update(boundary).digest('hex')}`
  const parts = entries.map(
    ([name, text]) => `--${boundary}\r\ncontent-disposition: form-data; name="${quoted(name)}"\r\n\r\n${text}\r\n`,
  )
  return { boundary, body: `${parts.join('')}--${boundary}--\r\n` }
}

const formText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** Names are escaped as browsers do: https://html.spec.whatwg.org/#multipart-form-data */
function quoted(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function decode(body: unknown, { created, deployment }: Exchange<'images'>): ImageResponse {
  const bodies: readonly unknown[] = Array.isArray(body) ? body : [body]
  return { created, data: bodies.map((one) => toImage(one, deployment.provider)) }
}

function toImage(body: unknown, provider: string): ImageResponse['data'][number] {
  const answer = isObject(body) ? body : {}
  const reason = stringOf(answer['finish_reason'])
  if (reason === 'CONTENT_FILTERED') {
    throw new GatewayError('content_policy', 'The image was held back by the content filter.', {
      upstream: { provider, status: 200, code: reason },
    })
  }
  const image = stringOf(answer['image']) ?? stringOf(answer['base64'])
  if (image === undefined) throw invalidAnswer(body, provider, 'an answer without an image')
  return { b64_json: image }
}

/** Stability AI's Stable Image API. */
export const stabilityProtocol: Protocol = { name: 'stability', codecs: { images }, failure: readFailure }
