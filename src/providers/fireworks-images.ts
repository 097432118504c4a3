import { GatewayError } from '../errors.js'
import { readFailure, toUpstreamError } from '../protocols/failure.js'
import type { Codec, Exchange, FollowUp, Protocol } from '../protocols/protocol.js'
import type { UpstreamRequest } from '../upstream/message.js'
import { isObject, type JsonObject, stringOf } from '../wire/json.js'
import { imageOf } from '../protocols/image-fields.js'

/** Models whose images are made by a job: https://docs.fireworks.ai/api-reference/generate-or-edit-image-using-flux-kontext */
export const fireworksJobs = /kontext/

/** Models of an older endpoint, which answers a list: https://docs.fireworks.ai/api-reference/generate-a-new-image-from-a-text-prompt */
export const fireworksDiffusion = /stable-diffusion|playground|ssd-1b/

const pollMs = 1_000
const pending = new Set(['Pending', 'Queued', 'Processing', 'Task not ready'])

/** The image codec with jobs that are followed, and with lists of images read. */
export function fireworksImageJobs(protocol: Protocol): Protocol {
  const { images } = protocol.codecs
  return images ? { ...protocol, codecs: { ...protocol.codecs, images: withJobs(images) } } : protocol
}

function withJobs(base: Codec<'images'>): Codec<'images'> {
  return {
    ...base,
    next: (body, exchange) => (fireworksJobs.test(exchange.deployment.model) ? next(body, exchange, base) : undefined),
    decode(body, exchange) {
      if (Array.isArray(body)) return base.decode({ images: body }, exchange)
      const result = isObject(body) && isObject(body['result']) ? stringOf(body['result']['sample']) : undefined
      return result === undefined ? base.decode(body, exchange) : { created: exchange.created, data: [imageOf(result)] }
    },
  }
}

function next(body: unknown, exchange: Exchange<'images'>, base: Codec<'images'>): FollowUp | undefined {
  const task = isObject(body) ? body : {}
  const status = stringOf(task['status'])
  const id = stringOf(task['request_id']) ?? stringOf(task['id'])
  if (status !== undefined && !pending.has(status)) {
    if (status !== 'Ready') throw failed(task, status, exchange.deployment.provider)
    return undefined
  }
  if (id === undefined) {
    const { provider } = exchange.deployment
    throw new GatewayError('upstream_invalid', `${provider} sent a job without an id.`, {
      upstream: { provider, status: 200 },
    })
  }
  const created = base.encode(exchange)
  const request: UpstreamRequest = { ...created, path: `${created.path}/get_result`, body: JSON.stringify({ id }) }
  return { request, delayMs: pollMs }
}

function failed(task: JsonObject, status: string, provider: string): GatewayError {
  const failure = readFailure(500, { error: stringOf(task['details']) ?? status })
  const kind = status.includes('Moderated') ? ('content_policy' as const) : failure.kind
  return toUpstreamError({ ...failure, kind, code: status }, 500, provider)
}
