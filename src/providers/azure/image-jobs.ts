import type { Deployment } from '../../deployment.js'
import { errorInside } from '../../protocols/failure.js'
import { invalidAnswer } from '../../protocols/invalid-answer.js'
import type { Codec, Exchange, FollowUp } from '../../protocols/protocol.js'
import { isObject, stringOf } from '../../wire/json.js'
import { basePathOf, datedVersionOf } from './surface.js'

const pollMs = 1_000

/**
 * Images as the API versions 2023-06-01-preview to 2023-10-01-preview make them, with DALL-E 2: a job at the resource,
 * asked for until it is done. Every other version answers at once.
 * @see https://learn.microsoft.com/azure/ai-services/openai/dall-e-quickstart
 */
export function withImageJobs(base: Codec<'images'>): Codec<'images'> {
  return {
    ...base,
    encode(exchange) {
      const request = base.encode(exchange)
      return isJob(exchange) ? { ...request, path: jobPath(exchange.deployment, 'images/generations:submit') } : request
    },
    next: (body, exchange) => (isJob(exchange) ? nextLook(body, exchange.deployment) : undefined),
    decode(body, exchange) {
      const done = isJob(exchange) && isObject(body) && isObject(body['result']) ? body['result'] : body
      return base.decode(done, exchange)
    },
  }
}

function isJob({ deployment }: Exchange<'images'>): boolean {
  const version = datedVersionOf(deployment)
  const isOld = version !== undefined && version >= '2023-06' && version < '2023-11'
  return isOld && !basePathOf(deployment).includes('/deployments/')
}

function jobPath(deployment: Deployment, what: string): string {
  const root = basePathOf(deployment).endsWith('/openai') ? '' : '/openai'
  return `${root}/${what}?api-version=${encodeURIComponent(datedVersionOf(deployment) ?? '')}`
}

/** The next look at a job; undefined once it has its images. @throws GatewayError where it failed */
function nextLook(body: unknown, deployment: Deployment): FollowUp | undefined {
  const job = isObject(body) ? body : {}
  const status = stringOf(job['status'])?.toLowerCase()
  if (status === 'succeeded' || isObject(job['result']) || Array.isArray(job['data'])) return undefined
  if (isObject(job['error'])) {
    const isFilter = job['error']['code'] === 'contentFilter'
    throw errorInside(job, isFilter ? 400 : 500, deployment.provider)
  }
  const id = stringOf(job['id'])
  const isOpen = status === 'notrunning' || status === 'running'
  if (!isOpen || id === undefined || !/^[\w-]+$/.test(id)) {
    throw invalidAnswer(body, deployment.provider, 'a job that is neither running nor done')
  }
  const path = jobPath(deployment, `operations/images/${id}`)
  return {
    request: { method: 'GET', path, headers: { accept: 'application/json' }, body: null, droppedParams: [] },
    delayMs: pollMs,
  }
}
