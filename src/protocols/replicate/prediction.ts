import type { Deployment } from '../../deployment.js'
import { GatewayError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { readFailure, toUpstreamError } from '../failure.js'
import { invalidAnswer } from '../invalid-answer.js'
import type { FollowUp } from '../protocol.js'

// The longest wait that the API takes: https://replicate.com/docs/topics/predictions/create-a-prediction#sync-mode
const waitSeconds = 60
const pollMs = 500

/**
 * The request that creates a prediction; a model is `owner/name`, `owner/name:version` or `deployments/owner/name`. A
 * streamed one answers before it has any output, since that is read from its stream.
 */
export function createPrediction(
  { model }: Deployment,
  input: JsonObject,
  droppedParams: readonly string[],
  stream = false,
): UpstreamRequest {
  const version = /^(?:[^:]+:)?([0-9a-f]{64})$/.exec(model)?.[1]
  const path = version === undefined ? modelPath(model) : '/predictions'
  return {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', ...(!stream && { prefer: `wait=${waitSeconds}` }) },
    body: JSON.stringify({ ...(version !== undefined && { version }), input, ...(stream && { stream }) }),
    droppedParams,
  }
}

function modelPath(model: string): string {
  const segments = model.split('/').map(encodeURIComponent).join('/')
  return model.startsWith('deployments/') ? `/${segments}/predictions` : `/models/${segments}/predictions`
}

/** The next look at a prediction; undefined once it has its output. @throws GatewayError where it failed */
export function nextLook(body: unknown, { provider }: Deployment): FollowUp | undefined {
  const prediction = isObject(body) ? body : {}
  const status = stringOf(prediction['status'])
  if (status === undefined) throw invalidAnswer(body, provider, 'a prediction without a status')
  if (status === 'failed' || status === 'canceled' || status === 'aborted') {
    throw failed(stringOf(prediction['error']) ?? `The prediction was ${status}.`, provider)
  }
  // The answer to a create that waited has its output before its times are noted; a poll of a running one has part of it.
  const waited = prediction['started_at'] === undefined && hasOutput(prediction)
  if (status === 'succeeded' || waited) return undefined
  const id = stringOf(prediction['id'])
  if (id === undefined || !/^[\w-]+$/.test(id)) throw invalidAnswer(body, provider, 'a prediction without an id')
  const request: UpstreamRequest = {
    method: 'GET',
    path: `/predictions/${id}`,
    headers: { accept: 'application/json' },
    body: null,
    droppedParams: [],
  }
  return { request, delayMs: pollMs }
}

function hasOutput({ output }: JsonObject): boolean {
  return output !== undefined && output !== null && output !== ''
}

/** What a model throws says what was wrong with the input at least as often as it says that the model is broken. */
export function failed(message: string, provider: string): GatewayError {
  const failure = readFailure(500, { error: message })
  const isFilter = /nsfw|safety|sensitive|flagged/i.test(message)
  return toUpstreamError({ ...failure, kind: isFilter ? 'content_policy' : failure.kind, message }, 500, provider)
}
