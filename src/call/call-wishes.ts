import { GatewayError, InvalidRequestError } from '../errors.js'
import type { JsonObject } from '../wire/json.js'
import type { CallContext, CallParts } from './context.js'

/** What a request says to the router, in LiteLLM's words. */
export interface CallWishes {
  /** `num_retries`: attempts after the first in one group. */
  readonly retries: number | undefined
  /** `fallbacks`: groups that take over, in place of the gateway's; `disable_fallbacks`: none. */
  readonly fallbacks: readonly string[] | undefined
}

const none: CallWishes = Object.freeze({ retries: undefined, fallbacks: undefined })
const mostRetries = 10

/**
 * Reads the wishes of a request body.
 * @throws InvalidRequestError for what is no wish
 * @throws GatewayError for a fallback that does not exist or that the caller may not use
 */
export function readWishes(body: JsonObject, context: CallContext, parts: CallParts): CallWishes {
  const { num_retries: retries, fallbacks, disable_fallbacks: disabled } = body
  if (retries === undefined && fallbacks === undefined && disabled === undefined) return none
  return { retries: toRetries(retries), fallbacks: disabled === true ? [] : toFallbacks(fallbacks, context, parts) }
}

function toRetries(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return Math.min(value, mostRetries)
  throw new InvalidRequestError('num_retries must be a whole number of at least 0.', 'num_retries')
}

function toFallbacks(value: unknown, context: CallContext, parts: CallParts): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) throw notNames()
  return value.map((entry: unknown) => {
    if (typeof entry !== 'string') throw notNames()
    try {
      parts.directory.groups.resolve(entry, context.caller)
      // Not the group's name: that of one deployment alone would lead to all others of its group as well.
      return ownName(entry, context)
    } catch (thrown) {
      if (!GatewayError.isInstance(thrown)) throw thrown
      throw new GatewayError(thrown.kind, thrown.message, { param: 'fallbacks' })
    }
  })
}

/** What a caller's own alias stands for. */
function ownName(model: string, { caller: { aliases } }: CallContext): string {
  return aliases && Object.hasOwn(aliases, model) ? (aliases[model] ?? model) : model
}

function notNames(): InvalidRequestError {
  return new InvalidRequestError('fallbacks must be a list of model names.', 'fallbacks')
}
