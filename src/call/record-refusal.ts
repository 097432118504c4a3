import { type CallFacts, copyBody, keepsBodies, prepareRecord, toTraceParent } from '../callbacks/index.js'
import { type GatewayError, toGatewayError } from '../errors.js'
import type { Caller } from '../ports.js'
import { toDollars } from '../spend/index.js'
import { type JsonObject, isObject, stringOf } from '../wire/json.js'
import type { Operation } from '../wire/operations.js'
import type { CallParts } from './context.js'
import { labelTags } from './routing-facts.js'

/** A request for a model that never became a call. */
export interface RefusedCall {
  readonly requestId: string
  /** Undefined where nobody knows who calls. */
  readonly caller: Caller | undefined
  readonly headers: Readonly<Record<string, string | undefined>>
  /** What was read of the body: unchecked. */
  readonly body: unknown
  readonly error: GatewayError
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

const nobody: Pick<Caller, 'id' | 'scopes'> = { id: '', scopes: [] }

/** Records a request that never became a call; those of unknown callers one by one only as far as callbacks want them. Never throws. */
export function recordRefusal(operation: Operation, refused: RefusedCall, parts: CallParts): void {
  const { callbacks, clock, logger, guardrails } = parts
  if (!callbacks) return
  const { requestId, caller, headers, body, error, startedAt } = refused
  try {
    const ending = { error, stream: isObject(body) && body['stream'] === true, contentSent: false }
    if (!caller && !callbacks.admitsUnknown({ operation, ending })) return
    callbacks.record(
      prepareRecord({
        id: parts.createId(),
        callId: requestId,
        operation,
        ...labelsOf(isObject(body) ? body : {}, refused),
        trace: toTraceParent(headers['traceparent']) ?? callbacks.trace(),
        modelName: undefined,
        caller: caller ?? nobody,
        ending,
        startedAt,
        endedAt: clock.now(),
        attempts: [],
        rows: [],
        toDollars,
        // What guardrails have not seen stays out of the log, where there are any.
        ...(isObject(body) &&
          caller &&
          guardrails.list.length === 0 &&
          keepsBodies(callbacks.bodies, body, caller) && { request: copyBody(body) }),
      }),
    )
  } catch (thrown) {
    logger.error({ error: thrown, requestId }, 'A call could not be recorded.')
  }
}

/** Runs what comes before a call in this process; what it throws is recorded. @throws GatewayError */
export function refusable<T>(
  operation: Operation,
  asked: Omit<RefusedCall, 'error' | 'startedAt'>,
  parts: CallParts,
  prepare: () => T,
): T {
  try {
    return prepare()
  } catch (thrown) {
    const error = toGatewayError(thrown)
    recordRefusal(operation, { ...asked, error, startedAt: parts.clock.now() }, parts)
    throw error
  }
}

type Labels = Pick<CallFacts, 'requestedModel' | 'tags' | 'endUser' | 'metadata'>

function labelsOf(body: JsonObject, { caller, headers }: RefusedCall): Labels {
  const { metadata } = body
  return {
    requestedModel: stringOf(body['model']) ?? '',
    tags: caller ? labelTags(body, { caller, headers }) : [],
    endUser: stringOf(body['user']),
    metadata: isObject(metadata) ? metadata : undefined,
  }
}
