import type { Deployment } from '../../deployment.js'
import { GatewayError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { ImageResponse } from '../../wire/images.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { readFailure, toUpstreamError } from '../failure.js'
import { imageOf, pixelsOf, ratioOf } from '../image-fields.js'
import { invalidAnswer } from '../invalid-answer.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange, FollowUp, Protocol } from '../protocol.js'
import { jsonRequest } from '../text-answer.js'

const pollMs = 1_000
const pending = new Set(['Pending', 'Queued', 'Processing', 'Task submitted'])

/** Images of FLUX models: a task is made, then asked for until it is ready. https://docs.bfl.ai/api_integration/integration_guidelines */
const images: Codec<'images'> = { encode, next, decode }

function encode({ request: asked, deployment }: Exchange<'images'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { model } = deployment
  const names = {
    output_format: 'output_format',
    response_format: () => ({}),
    // Ultra and Kontext know a ratio only, the others pixels.
    size: (size: unknown) => (/ultra|kontext/.test(model) ? ratioOf(size) : pixelsOf(size)),
    ...(/ultra/.test(model) && { n: 'num_images' }),
  }
  const { members, extra, unsupported } = translateParameters('images', request, policy, names)
  const body = { ...extra, ...members, prompt: request.prompt }
  return jsonRequest(
    `/v1/${encodeURIComponent(model)}`,
    body,
    settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
  )
}

function next(body: unknown, { deployment }: Exchange<'images'>): FollowUp | undefined {
  const task = isObject(body) ? body : {}
  const status = stringOf(task['status'])
  const id = stringOf(task['id'])
  if (id === undefined) throw invalidAnswer(body, deployment.provider, 'a task without an id')
  if (status !== undefined && !pending.has(status)) return undefined
  return { ...toPoll(stringOf(task['polling_url']), id, deployment), delayMs: pollMs }
}

/** A task lives in the region that took it, and only its own `polling_url` finds it there. */
function toPoll(url: string | undefined, id: string, deployment: Deployment): Omit<FollowUp, 'delayMs'> {
  const place = url === undefined ? undefined : placeOf(url, deployment)
  const path = place?.path ?? `/v1/get_result?id=${encodeURIComponent(id)}`
  const request: UpstreamRequest = {
    method: 'GET',
    path,
    headers: { accept: 'application/json' },
    body: null,
    droppedParams: [],
  }
  return place?.origin === undefined ? { request } : { request, origin: place.origin }
}

interface Place {
  readonly path: string
  readonly origin: string | undefined
}

// Where the key may go besides the deployment's own address.
const ownHost = /^(?:[\w-]+\.)*bfl\.ai$/

/** @throws GatewayError for an address that is not the provider's: the key would go to a stranger */
function placeOf(url: string, { baseUrl, provider }: Deployment): Place {
  const { protocol, hostname, port, origin, pathname, search } = new URL(URL.canParse(url) ? url : 'invalid:')
  const isOwn = protocol === 'https:' && port === '' && ownHost.test(hostname)
  if (baseUrl === undefined || ownHost.test(new URL(baseUrl).hostname)) {
    if (isOwn) return { path: pathname + search, origin }
  } else if (isOwn || origin === new URL(baseUrl).origin) {
    // Behind a proxy of the host's own, every region is asked for through it.
    return { path: pathname + search, origin: undefined }
  }
  throw new GatewayError('upstream_invalid', `${provider} named a place for the result that is not its own.`, {
    upstream: { provider, status: 200 },
  })
}

// https://docs.bfl.ai/api_integration/integration_guidelines#status-codes
const failures: Readonly<Record<string, 'content_policy' | 'upstream_not_found'>> = {
  'Content Moderated': 'content_policy',
  'Request Moderated': 'content_policy',
  'Task not found': 'upstream_not_found',
}

function decode(body: unknown, { created, deployment }: Exchange<'images'>): ImageResponse {
  const task = isObject(body) ? body : {}
  const status = stringOf(task['status']) ?? ''
  if (status !== 'Ready') throw failed(task, status, deployment.provider)
  const result = isObject(task['result']) ? task['result'] : {}
  const samples: readonly unknown[] = Array.isArray(result['samples']) ? result['samples'] : [result['sample']]
  const data = samples.flatMap((sample) => {
    const url = stringOf(sample)
    return url === undefined ? [] : [imageOf(url)]
  })
  if (data.length === 0) throw invalidAnswer(body, deployment.provider, 'a result without an image')
  return { created, data }
}

function failed(task: JsonObject, status: string, provider: string): GatewayError {
  const details = isObject(task['details']) ? JSON.stringify(task['details']) : ''
  const message = details === '' ? status : `${status}: ${details}`
  const failure = readFailure(500, { error: message || 'The task has no status.' })
  const kind = Object.hasOwn(failures, status) ? failures[status] : undefined
  return toUpstreamError({ ...failure, kind: kind ?? failure.kind, code: status }, 500, provider)
}

/** Black Forest Labs' API. */
export const bflProtocol: Protocol = { name: 'bfl', codecs: { images }, failure: readFailure }
