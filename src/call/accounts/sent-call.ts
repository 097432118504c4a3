import type { Deployment } from '../../deployment.js'
import { outputLimitOf } from '../../protocols/output-limit.js'
import { settleRequest } from '../../protocols/parameter-table.js'
import type { Codec, Exchange } from '../../protocols/protocol.js'
import type { Registry } from '../../providers/registry.js'
import type { PlannedCall } from '../../spend/index.js'
import { isObject, type JsonObject, numberOf } from '../../wire/json.js'
import type { Operation } from '../../wire/operations.js'
import { findCodec } from '../codec.js'

/** A call as a deployment's provider is asked, as far as what it may cost depends on it. */
export interface SentCall {
  readonly planned: PlannedCall
  /** How many requests it takes. */
  readonly requests: number
}

/**
 * The call under its deployment's defaults, with the limit of output tokens that the API is given, which is not always
 * the caller's. Which of two words counts where `extra_body` contradicts the request, and whether a deployment's own is
 * sent, is each dialect's affair: then there are several readings, first the one of OpenAI's dialect.
 */
export function toSentCalls(
  planned: PlannedCall,
  deployment: Deployment,
  registry: Pick<Registry, 'get'>,
): readonly [SentCall, ...SentCall[]] {
  const { request } = settleRequest<JsonObject>(planned.request, deployment)
  const provider = registry.get(deployment.provider)
  const codec: Codec<Operation> | undefined = provider && findCodec(provider, planned.operation, deployment)
  const [first, ...others] = readingsOf(request, deployment.params)
  const toSent = (reading: JsonObject): SentCall => toSentCall(planned, reading, deployment, codec)
  return [toSent(first), ...others.map(toSent)]
}

function toSentCall(
  planned: PlannedCall,
  request: JsonObject,
  deployment: Deployment,
  codec: Codec<Operation> | undefined,
): SentCall {
  if (!codec) return { planned: ofOperation(planned, request), requests: 1 }
  // What decides between codecs and limits is the request and its deployment alone.
  const exchange = { request, deployment, id: '', created: 0 } as Exchange<Operation>
  return {
    planned: ofOperation(planned, withSentLimit(codec, exchange)),
    requests: codec.split?.(exchange)?.length ?? 1,
  }
}

// A request stays one of its operation whatever its limits, which the compiler does not follow.
const ofOperation = ({ operation }: PlannedCall, request: JsonObject): PlannedCall =>
  ({ operation, request }) as PlannedCall

/** The request with the members of `extra_body`, its own and the deployment's, in every order that they may be laid in. */
function readingsOf(asked: JsonObject, params: JsonObject): readonly [JsonObject, ...JsonObject[]] {
  const [under, own] = [extraOf(params), extraOf(asked)]
  if (!under && !own) return [asked]
  const { extra_body: _extra, ...request } = asked
  const first = { ...under, ...own, ...said(request) }
  const others = [
    { ...under, ...request, ...own },
    ...(under
      ? [
          { ...own, ...said(request) },
          { ...request, ...own },
        ]
      : []),
  ]
  return [first, ...others]
}

/** Without what says which model answers what, which is never laid over. */
function extraOf({ extra_body: extra }: JsonObject): JsonObject | undefined {
  if (!isObject(extra)) return undefined
  const { model: _model, messages: _messages, prompt: _prompt, input: _input, ...rest } = extra
  return rest
}

/** The members that say anything: null and undefined leave room for others. */
function said(request: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined && value !== null))
}

function larger(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b)
}

function withSentLimit(codec: Codec<Operation>, exchange: Exchange<Operation>): JsonObject {
  const request: JsonObject = exchange.request
  const asked = larger(numberOf(request['max_completion_tokens']), numberOf(request['max_tokens']))
  if (asked === undefined) return request
  const sent = outputLimitOf(codec, asked, exchange)
  return sent === asked ? request : { ...request, max_completion_tokens: undefined, max_tokens: sent }
}
