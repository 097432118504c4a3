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
 * the caller's.
 */
export function toSentCall(planned: PlannedCall, deployment: Deployment, registry: Pick<Registry, 'get'>): SentCall {
  const { request: settled } = settleRequest<JsonObject>(planned.request, deployment)
  const request = withExtraBody(settled)
  const provider = registry.get(deployment.provider)
  const codec: Codec<Operation> | undefined = provider && findCodec(provider, planned.operation, deployment)
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

/** With the members of `extra_body`, which are sent as well; the larger of two limits counts. */
function withExtraBody(request: JsonObject): JsonObject {
  const extra = request['extra_body']
  if (!isObject(extra)) return request
  const { model: _model, messages: _messages, prompt: _prompt, input: _input, ...rest } = extra
  const own = ['max_completion_tokens', 'max_tokens', 'n'].map(
    (name) => [name, larger(numberOf(request[name]), numberOf(rest[name]))] as const,
  )
  return { ...request, ...rest, ...Object.fromEntries(own) }
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
